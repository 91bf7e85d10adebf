# SPDX-License-Identifier: Apache-2.0
"""Pure planning: what was observed and what is wanted become a plan. No I/O in here."""

from __future__ import annotations

from hostler.vms.planner.plan_vm import plan_vm

__all__ = ["plan_vm"]
