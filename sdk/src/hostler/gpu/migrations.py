# SPDX-License-Identifier: Apache-2.0
"""fleet.gpu.migrations: moves GPU hosts between aggregates."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

from hostler.errors import HostlerError, InvalidInput, NotFound, Outdated, PlanFailed
from hostler.gpu.lock import PAUSE, Lock, locks, release
from hostler.gpu.planner import plan_moves
from hostler.models.migration import MigrationResult, MigrationTask, Verification
from hostler.models.nova import Aggregate
from hostler.models.problems import checked
from hostler.plan.outcome import Outcome
from hostler.plan.plan import Plan
from hostler.plan.results import Became, apply_all, failed, result_of
from hostler.plan.runner import OnProgress

if TYPE_CHECKING:
    from hostler.fleet import Fleet
    from hostler.gpu.world import GpuWorld

Asked = MigrationTask | Mapping[str, Any]
Apply = Callable[[Sequence[Plan]], dict[str, Became]]


class Tried(NamedTuple):
    """What became of moves; ``late``: hosts that somebody else was quicker with."""

    results: list[MigrationResult]
    late: set[str]


class Migrations:
    """Moves of GPU hosts between aggregates."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def plan(self, task: Asked, world: GpuWorld | None = None) -> Plan:
        """Plan the move of one host without touching anything.

        Args:
            task: a MigrationTask, or a mapping of its fields.
            world: what was read before (``fleet.gpu.observe(flavors=True)``).

        Raises:
            InvalidInput: the task makes no sense.
            NotFound: no such host or aggregate.
            Conflict: it can't or may not be moved there as things are.
        """
        (plan,) = plan_moves(self._world(world), [_parsed(task)], self._fleet.config.policy)
        if isinstance(plan, HostlerError):
            raise plan
        return plan.bind(self._fleet.runner)

    def run(
        self,
        tasks: Iterable[Asked],
        *,
        check: bool = False,
        parallel: int | None = None,
        max_failures: int | None = None,
        on_progress: OnProgress = None,
        world: GpuWorld | None = None,
    ) -> list[MigrationResult]:
        """Move hosts, side by side; a result for each, errors inside.

        Args:
            tasks: MigrationTasks, or mappings of their fields.
            check: touch nothing: the results say what would be.
            parallel: how many at once; the fleet's ``parallel`` where left out.
            max_failures: start no more once more than so many have failed.
            on_progress: is told of every step.
            world: what was read before; read anew where a task may wait.

        Raises:
            InvalidInput: a task makes no sense, or a host is named twice.
            HostlerError: the cloud can't be read.
        """

        def apply(plans: Sequence[Plan]) -> dict[str, Became]:
            return apply_all(
                self._fleet.runner,
                plans,
                parallel=parallel or self._fleet.config.parallel,
                max_failures=max_failures,
                on_progress=on_progress,
            )

        parsed = [_parsed(task) for task in tasks]
        if check:
            return self._once(parsed, self._world(world), lambda _: {}).results
        if any(task.wait for task in parsed):
            return self._patiently(parsed, apply)
        return self._once(parsed, self._world(world), apply).results

    def locks(self, host: str) -> list[Lock]:
        """Return the locks that moves hold on a host; stale ones too."""
        return locks(self._fleet.openstack_cloud().compute.aggregates(), host)

    def unlock(self, host: str) -> None:
        """Break the locks on a host.

        A move that is still at work takes its lock again, or stops where somebody else has it.
        """
        nova = self._fleet.openstack_cloud().compute
        for lock in self.locks(host):
            release(nova, host, lock.plan)

    def _world(self, world: GpuWorld | None) -> GpuWorld:
        return world or self._fleet.gpu.observe(flavors=True)

    def _once(self, tasks: Sequence[MigrationTask], world: GpuWorld, apply: Apply) -> Tried:
        """Plan moves from what was read, and apply them."""
        planned = plan_moves(world, tasks, self._fleet.config.policy)
        outcomes = apply([plan for plan in planned if isinstance(plan, Plan)])
        pairs = list(zip(tasks, planned, strict=True))
        results = [_result(task.host, plan, outcomes) for task, plan in pairs]
        self._look(results, None if outcomes else world)
        late = {task.host for task, plan in pairs if _came_late(plan, outcomes)}
        return Tried(results, late)

    def _patiently(self, tasks: Sequence[MigrationTask], apply: Apply) -> list[MigrationResult]:
        """Move hosts once nobody else does, from where they are then.

        What somebody else was quicker with is planned anew while there is time.
        """
        ends = {task.host: time.monotonic() + task.wait for task in tasks}
        results: dict[str, MigrationResult] = {}
        todo = list(tasks)
        while todo:
            world = self._at_rest({task.host: ends[task.host] for task in todo})
            now = time.monotonic()
            left = {host: max(0, int(end - now)) for host, end in ends.items()}
            todo = [task.model_copy(update={"wait": left[task.host]}) for task in todo]
            tried = self._once(todo, world, apply)
            results |= {result.name: result for result in tried.results}
            now = time.monotonic()
            todo = [task for task in todo if task.host in tried.late and now < ends[task.host]]
        return [results[task.host] for task in tasks]

    def _at_rest(self, ends: Mapping[str, float]) -> GpuWorld:
        """Read the world, once nobody moves the hosts in it or the time for that is over.

        Where it was not enough, the plan's first step says who has the lock.
        """
        while True:
            world = self._world(None)
            if not _locked(world.aggregates, ends):
                return world
            nova = self._fleet.openstack_cloud().compute
            while _locked(nova.aggregates(), ends):
                time.sleep(random.uniform(*PAUSE))  # noqa: S311 - so that not all go on at once

    def _look(self, results: Sequence[MigrationResult], world: GpuWorld | None) -> None:
        """Say where the hosts are; a failure to do so changes nothing of what was done."""
        try:
            self._verify(results, world or self._fleet.gpu.observe())
        except HostlerError as error:
            for result in results:
                result.warnings.append(f"where it is now could not be read: {error}")

    def _verify(self, results: Sequence[MigrationResult], world: GpuWorld) -> None:
        """Say where the hosts are, side by side, as each needs a look into placement."""
        todo = [result for result in results if result.target_aggregate is not None]
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda result: self._where(result, world), todo))
        for result, verification in zip(todo, found, strict=True):
            result.verification = verification

    def _where(self, result: MigrationResult, world: GpuWorld) -> Verification:
        compute = world.computes.get(result.name)
        mine = [a.name for a in world.aggregates_of.get(result.name, ())]
        return Verification(
            aggregates=sorted(mine),
            source_exists=result.source_aggregate in world.by_name,
            target_exists=result.target_aggregate in world.by_name,
            in_source=result.source_aggregate in mine,
            in_target=result.target_aggregate in mine,
            placement_in_sync=self._in_sync(result, world),
            compute_enabled=compute.enabled if compute else None,
            servers=len(world.servers_of.get(result.name, ())),
        )

    def _in_sync(self, result: MigrationResult, world: GpuWorld) -> bool | None:
        """Whether placement agrees on source and target; None where it has no such host."""
        compute = world.computes.get(result.name)
        if compute is None or compute.provider is None:
            return None
        try:
            mirror = self._fleet.openstack_cloud().placement.mirror(compute.provider)
        except NotFound:
            return None
        names = (result.source_aggregate, result.target_aggregate)
        ours = [world.by_name[name] for name in names if name in world.by_name]
        return all((a.uuid in mirror.aggregates) == (result.name in a.hosts) for a in ours)


def _parsed(task: Asked) -> MigrationTask:
    if isinstance(task, MigrationTask):
        return task
    given = {name: value for name, value in task.items() if value is not None}
    host = str(given.get("host", ""))[:60]
    if not host:
        raise InvalidInput("host is required", on="migration")
    return checked(MigrationTask, given, on=f"migration of host {host!r}")


def _result(
    host: str, plan: Plan | HostlerError, outcomes: Mapping[str, Became]
) -> MigrationResult:
    if isinstance(plan, HostlerError):
        return failed(MigrationResult, host, plan)
    became = outcomes.get(plan.id)
    done: Outcome | None = became if isinstance(became, Outcome) else None
    if isinstance(became, PlanFailed):
        done = became.outcome
    return result_of(
        MigrationResult,
        host,
        plan,
        outcomes,
        source_aggregate=plan.facts["source"],
        target_aggregate=plan.facts["target"],
        commands_executed=plan.commands[: len(done.done)] if done else [],
        execution_time=round(done.seconds, 3) if done else None,
    )


def _locked(aggregates: Iterable[Aggregate], ends: Mapping[str, float]) -> bool:
    """Whether somebody moves one of the hosts, and there is time left to wait for that."""
    now, there = time.monotonic(), list(aggregates)
    return any(
        now < end and any(not lock.stale for lock in locks(there, host))
        for host, end in ends.items()
    )


def _came_late(plan: Plan | HostlerError, outcomes: Mapping[str, Became]) -> bool:
    """Whether nothing was done, as somebody else has moved the host since it was planned."""
    became = None if isinstance(plan, HostlerError) else outcomes.get(plan.id)
    if not isinstance(became, PlanFailed):
        return False
    return became.outcome.status == "undone" and isinstance(became.cause, Outdated)
