# SPDX-License-Identifier: Apache-2.0
"""The report: the fleet at a glance, in one HTML file."""

from __future__ import annotations
