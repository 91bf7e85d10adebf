# SPDX-License-Identifier: Apache-2.0
"""fleet.gpu.pools: gives the pools of a GPU type the numbers of hosts that they should have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hostler.gpu.planner.pool import PoolPlan, counts, plan_pools
from hostler.models.gpu_pool import GpuPoolResult, GpuPoolTask
from hostler.models.migration import MigrationResult
from hostler.models.problems import checked
from hostler.plan.runner import OnProgress

if TYPE_CHECKING:
    from hostler.fleet import Fleet
    from hostler.gpu.world import GpuWorld

Asked = GpuPoolTask | Mapping[str, Any]


class Pools:
    """Pools of GPU types as they should be."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def plan(self, task: Asked, world: GpuWorld | None = None) -> PoolPlan:
        """Plan the moves without touching anything; each of its ``plans`` can be applied.

        Args:
            task: a GpuPoolTask, or a mapping of its fields.
            world: what was read before (``fleet.gpu.observe(flavors=True)``).

        Raises:
            InvalidInput: the task makes no sense, or its numbers don't add up.
            NotFound: no such GPU type, variant, pool or contract.
            Conflict: it can't be done, or not without touching servers.
            PolicyError: the fleet's policy forbids it.
        """
        world = world or self._fleet.gpu.observe(flavors=True)
        plan = plan_pools(world, _parsed(task), self._fleet.config.policy)
        for one in plan.plans:
            one.bind(self._fleet.runner)
        return plan

    def run(
        self,
        task: Asked,
        *,
        check: bool = False,
        parallel: int | None = None,
        on_progress: OnProgress = None,
        world: GpuWorld | None = None,
    ) -> GpuPoolResult:
        """Make the moves, side by side; one that fails leaves the others, and is in the result.

        Args:
            task: a GpuPoolTask, or a mapping of its fields.
            check: touch nothing: the result says what would be.
            parallel: how many at once; the fleet's ``parallel`` where left out.
            on_progress: is told of every step.
            world: what was read before.

        Raises:
            HostlerError: it can't be planned (see ``plan``), or the cloud can't be read.
        """
        world = world or self._fleet.gpu.observe(flavors=True)
        plan = self.plan(task, world)
        moves = self._fleet.gpu.migrations.run(
            plan.moves, check=check, parallel=parallel, on_progress=on_progress, world=world
        )
        return _result(plan, moves, plan.after if check else _reached(plan, moves, world))


def _parsed(task: Asked) -> GpuPoolTask:
    if isinstance(task, GpuPoolTask):
        return task
    given = {name: value for name, value in task.items() if value is not None}
    return checked(GpuPoolTask, given, on="pools")


def _reached(plan: PoolPlan, moves: Sequence[MigrationResult], world: GpuWorld) -> dict[str, int]:
    """Return the number of hosts by pool, with those that moved where they were found."""
    found = {host: [a.name for a in mine] for host, mine in world.aggregates_of.items()}
    found |= {move.name: move.verification.aggregates for move in moves if move.verification}
    return counts(plan.pools, found.values())


def _result(
    plan: PoolPlan, moves: Sequence[MigrationResult], after: Mapping[str, int]
) -> GpuPoolResult:
    errors = [f"{move.name}: {move.error}" for move in moves if move.error]
    result = GpuPoolResult(
        name=plan.gpu_type,
        changed=any(move.changed for move in moves),
        before=plan.before,
        after=dict(after),
        moves=list(moves),
        warnings=plan.warnings,
    )
    if errors:
        reached = ", ".join(f"{number} in {pool}" for pool, number in after.items())
        result.error = (
            f"{len(errors)} of {len(moves)} moves failed: {' '.join(errors)} Now {reached}."
        )
        result.error_code = "failed_items"
    return result
