# SPDX-License-Identifier: Apache-2.0
"""fleet.migrations: moves of VMs between hypervisors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hostler.errors import HostlerError
from hostler.models.problems import checked
from hostler.models.vm_migration import MigrationFigures, VmMigrationResult, VmMigrationTask
from hostler.plan import results
from hostler.plan.outcome import Progress
from hostler.plan.plan import Plan
from hostler.plan.results import Became
from hostler.vms.migration.observe import observe
from hostler.vms.migration.planner import plan_migration
from hostler.vms.migration.where import whereabouts

if TYPE_CHECKING:
    from hostler.backends.libvirt import Hypervisor
    from hostler.fleet import Fleet

Wish = VmMigrationTask | Mapping[str, Any]
OnMove = Callable[[Progress, MigrationFigures | None], None]
"""Takes where a plan is and, while a VM is moved, how far it is."""


class VmMigrations:
    """Moves VMs from one hypervisor to another."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def plan(self, task: Wish, *, uri: str | None = None, host: str | None = None) -> Plan:
        """Check and plan the move of one VM from a hypervisor, without touching anything.

        Raises:
            HostlerError: it can't be done.
        """
        wanted = _parsed(task)
        source, target = self._hosts(wanted, uri, host)
        here, there = observe(wanted.vm, source, target)
        plan = plan_migration(wanted, here, there, self._fleet.config.policy)
        return plan.bind(self._fleet.runner)

    def run(
        self,
        tasks: Iterable[Wish],
        *,
        uri: str | None = None,
        host: str | None = None,
        check: bool = False,
        parallel: int | None = None,
        on_progress: OnMove | None = None,
    ) -> Sequence[VmMigrationResult]:
        """Move VMs, side by side; a result for each, errors inside.

        Args:
            tasks: the VMs and their targets.
            uri: the hypervisor that they are on; else the fleet's own.
            host: in its place, a host of the pool.
            check: only plan.
            parallel: how many at once; else fleet.yml's.
            on_progress: told of every plan's way.
        """
        wanted = [_parsed(task) for task in tasks]
        planned: list[Plan | HostlerError] = []
        for task in wanted:
            try:
                planned.append(self.plan(task, uri=uri, host=host))
            except HostlerError as error:
                planned.append(error)
        source = self._fleet.hypervisor(uri, host)

        def tell(progress: Progress) -> None:
            if on_progress:
                name = progress.target.partition("/")[2]
                on_progress(progress, source.migrations.figures(name))

        plans = [plan for plan in planned if isinstance(plan, Plan)]
        for task in wanted:
            source.migrations.forget(task.vm)
        outcomes: dict[str, Became] = {}
        if not check:
            outcomes = results.apply_all(
                self._fleet.runner,
                plans,
                parallel=parallel or self._fleet.config.parallel,
                on_progress=tell,
            )
        pairs = zip(wanted, planned, strict=True)
        return [self._result(task, plan, source, outcomes, check=check) for task, plan in pairs]

    def abort(self, vm: str, *, uri: str | None = None, host: str | None = None) -> None:
        """Give up a VM's move that is under way; it stays on its hypervisor.

        Raises:
            HostlerError: it is not there, or is not being moved.
        """
        self._fleet.hypervisor(uri, host).migrations.abort(vm)

    def _hosts(
        self, task: VmMigrationTask, uri: str | None, host: str | None
    ) -> tuple[Hypervisor, Hypervisor]:
        target = self._fleet.hypervisor(task.target_uri, task.target_host)
        return self._fleet.hypervisor(uri, host), target

    def _result(
        self,
        task: VmMigrationTask,
        plan: Plan | HostlerError,
        source: Hypervisor,
        outcomes: Mapping[str, Became],
        *,
        check: bool,
    ) -> VmMigrationResult:
        if isinstance(plan, HostlerError):
            failed = results.failed(VmMigrationResult, task.vm, plan)
            failed.source_host = source.uri
            return failed
        target = self._fleet.hypervisor(task.target_uri, task.target_host)
        done = results.result_of(VmMigrationResult, task.vm, plan, outcomes)
        done.source_host, done.target_host = source.uri, target.uri
        if not done.error:
            done.status = "planned" if check else "migrated"
            done.status = done.status if plan.changed else "unchanged"
        if not check:
            done.runs_on = _runs_on(plan, task, source, target)
        figures = source.migrations.figures(task.vm)
        if done.status == "migrated" and figures:
            done.downtime, done.data = figures.downtime, figures.processed
        return done


def _runs_on(
    plan: Plan, task: VmMigrationTask, source: Hypervisor, target: Hypervisor
) -> str | None:
    """Ask both hosts where a VM runs."""
    uuid = plan.facts.get("uuid")
    if uuid is None:
        return plan.after.get("host") if plan.after.get("status") == "running" else None
    seen = whereabouts(task.vm, uuid, source, target)
    uris = {"source": source.uri, "target": target.uri}
    state = {"source": seen.source, "target": seen.target}.get(seen.place or "")
    runs = state is not None and getattr(state, "status", "") == "running"
    return uris[seen.place] if seen.place and runs else None


def _parsed(task: Wish) -> VmMigrationTask:
    if isinstance(task, VmMigrationTask):
        return task
    given = {k: v for k, v in task.items() if v is not None}
    return checked(VmMigrationTask, given, on=f"migration of VM {task.get('vm')!r}")
