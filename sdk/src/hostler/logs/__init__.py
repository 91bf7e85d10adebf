# SPDX-License-Identifier: Apache-2.0
"""Logs of VMs, from where they are."""

from __future__ import annotations
