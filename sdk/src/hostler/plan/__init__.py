# SPDX-License-Identifier: Apache-2.0
"""A change is a Plan: steps that can be shown, journalled, applied, resumed and undone."""

from __future__ import annotations

from hostler.plan.plan import Plan
from hostler.plan.step import Step, World

__all__ = ["Plan", "Step", "World"]
