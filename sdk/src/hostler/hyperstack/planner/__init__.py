# SPDX-License-Identifier: Apache-2.0
"""Planners: what was read and what is wanted, to a plan. Pure."""

from __future__ import annotations

from hostler.hyperstack.planner.attachments import plan_attachments
from hostler.hyperstack.planner.firewall import plan_firewall
from hostler.hyperstack.planner.things import plan_environment, plan_keypair
from hostler.hyperstack.planner.vm import plan_vm

__all__ = ["plan_attachments", "plan_environment", "plan_firewall", "plan_keypair", "plan_vm"]
