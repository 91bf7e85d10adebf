# SPDX-License-Identifier: Apache-2.0
"""fleet.migrations: moves of VMs between hypervisors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from hostler.errors import HostlerError, InvalidInput
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

        Each VM is checked, planned and moved by itself: a host that does not answer holds up no
        VM that has nothing to do with it.

        Args:
            tasks: the VMs and their targets.
            uri: the hypervisor that they are on; else the fleet's own.
            host: in its place, a host of the pool.
            check: only plan.
            parallel: how many at once; else fleet.yml's.
            on_progress: told of every plan's way.

        Raises:
            InvalidInput: a task makes no sense, or two are for the same VM.
        """
        wanted = [_parsed(task) for task in tasks]
        _no_twins([task.vm for task in wanted])
        source = self._fleet.hypervisor(uri, host)

        def tell(progress: Progress) -> None:
            if on_progress:
                name = progress.target.partition("/")[2]
                on_progress(progress, source.migrations.figures(name))

        def one(task: VmMigrationTask) -> VmMigrationResult:
            source.migrations.forget(task.vm)
            try:
                plan = self.plan(task, uri=source.uri)
            except HostlerError as error:
                failed = results.failed(VmMigrationResult, task.vm, error)
                failed.source_host = source.uri
                return failed
            outcomes: Mapping[str, Became] = {}
            if not check:
                outcomes = results.apply_all(
                    self._fleet.runner, [plan], parallel=1, on_progress=tell
                )
            return self._result(task, plan, source, outcomes, check=check)

        with ThreadPoolExecutor(max(1, parallel or self._fleet.config.parallel)) as pool:
            return list(pool.map(one, wanted))

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
        plan: Plan,
        source: Hypervisor,
        outcomes: Mapping[str, Became],
        *,
        check: bool,
    ) -> VmMigrationResult:
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
    seen = whereabouts(task.vm, uuid, source, target, both=False)
    uris = {"source": source.uri, "target": target.uri}
    state = {"source": seen.source, "target": seen.target}.get(seen.place or "")
    runs = state is not None and getattr(state, "status", "") == "running"
    return uris[seen.place] if seen.place and runs else None


def _parsed(task: Wish) -> VmMigrationTask:
    if isinstance(task, VmMigrationTask):
        return task
    given = {k: v for k, v in task.items() if v is not None}
    return checked(VmMigrationTask, given, on=f"migration of VM {task.get('vm')!r}")


def _no_twins(names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise InvalidInput(f"VM {name!r} is named twice", hint="Give each VM one entry.")
