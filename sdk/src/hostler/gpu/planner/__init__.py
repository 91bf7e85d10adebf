# SPDX-License-Identifier: Apache-2.0
"""Plans moves of GPU hosts. Pure: what check mode says is what the run does."""

from __future__ import annotations

from hostler.gpu.planner.migration import plan_migration
from hostler.gpu.planner.moves import plan_moves

__all__ = ["plan_migration", "plan_moves"]
