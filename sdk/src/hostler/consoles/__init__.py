# SPDX-License-Identifier: Apache-2.0
"""Consoles: VMs' screens and serial ports."""

from __future__ import annotations
