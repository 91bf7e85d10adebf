# SPDX-License-Identifier: Apache-2.0
"""Alerts: what is wrong by the rules of fleet.yml, now and as events."""

from __future__ import annotations
