# SPDX-License-Identifier: Apache-2.0
"""Fleets with a store of the test's own."""

from __future__ import annotations

from ..hosts.conftest import MakeFleet, make_fleet

__all__ = ["MakeFleet", "make_fleet"]
