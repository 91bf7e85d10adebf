# SPDX-License-Identifier: Apache-2.0
"""Plans moves of several hosts, each on the world that those before it leave behind. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from hostler.config import Policy
from hostler.errors import HostlerError, InvalidInput
from hostler.gpu.planner.migration import plan_migration
from hostler.gpu.world import GpuWorld
from hostler.models.migration import MigrationTask
from hostler.plan.plan import Plan


def plan_moves(
    world: GpuWorld, tasks: Sequence[MigrationTask], policy: Policy
) -> list[Plan | HostlerError]:
    """Plan moves; what is wrong with one is that one's answer.

    Raises:
        InvalidInput: a host is named twice.
    """
    hosts = [task.host for task in tasks]
    twice = sorted({host for host in hosts if hosts.count(host) > 1})
    if twice:
        raise InvalidInput(f"host {twice[0]!r} is named twice", hint="Give each host one entry.")
    leaving = frozenset(hosts)
    plans: list[Plan | HostlerError] = []
    for task in tasks:
        try:
            plan, world = plan_migration(world, task, policy, leaving)
            plans.append(plan)
        except HostlerError as error:
            plans.append(error)
    return plans
