# SPDX-License-Identifier: Apache-2.0
"""fleet.hosts.maintenance: empties hosts, and takes them back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hostler.errors import HostlerError, InvalidInput, NoRoom, PlanFailed
from hostler.hosts.maintenance import results
from hostler.hosts.maintenance.job import Job
from hostler.hosts.maintenance.leftovers import clear_up, read_unfinished
from hostler.hosts.maintenance.movers import Mover, Pool, leavers, returners
from hostler.hosts.maintenance.places import find_places
from hostler.hosts.maintenance.planner import cannot, gone_elsewhere, guard, plan_rest, plan_wake
from hostler.hosts.placement import Candidate
from hostler.models.host_maintenance import HostMaintenanceResult, HostMaintenanceTask, Record
from hostler.models.problems import checked
from hostler.plan.outcome import Progress
from hostler.plan.results import Became, apply_all
from hostler.vms.migration.service import OnMove

if TYPE_CHECKING:
    from hostler.fleet import Fleet
    from hostler.hosts.service import Hosts

Asked = HostMaintenanceTask | Mapping[str, Any]

TRIES = 5
"""How often VMs are placed anew whose room somebody else got meanwhile."""


class Maintenance:
    """Hosts in maintenance."""

    def __init__(self, fleet: Fleet, hosts: Hosts) -> None:
        self._fleet = fleet
        self._hosts = hosts

    def run(
        self,
        tasks: Iterable[Asked],
        *,
        check: bool = False,
        parallel: int | None = None,
        on_progress: OnMove | None = None,
    ) -> Sequence[HostMaintenanceResult]:
        """Drain hosts, or take them back; a result for each, errors inside.

        What can't be moved is found before anything is touched. VMs of all hosts are moved side by
        side; none goes to a host that is to be drained. What an earlier run has left half way is
        finished, or taken back.

        Args:
            tasks: HostMaintenanceTasks, or mappings of their fields.
            check: touch nothing: the results say what would be.
            parallel: how many VMs at once; the fleet's ``parallel`` where left out.
            on_progress: told of every plan's way.

        Raises:
            InvalidInput: a task makes no sense, or two are for the same host.
            HostlerError: the pool can't be read.
        """
        jobs = [Job(_parsed(task)) for task in tasks]
        _no_twins(jobs)
        todo = jobs
        for _ in range(TRIES):
            self._plan(todo, check=check)
            if check:
                break
            self._apply(todo, parallel, on_progress)
            todo = [job for job in todo if job.outrun]
            if not todo:
                break
        return [self._result(job, check=check) for job in jobs]

    def _plan(self, jobs: Sequence[Job], *, check: bool) -> None:
        """Look at the pool, and plan what is left to do."""
        unfinished = read_unfinished(self._fleet, {job.task.host for job in jobs})
        for job in jobs:
            left = [one for one in unfinished.left if one.host == job.task.host]
            job.outrun, job.error, job.movers = False, None, ()
            job.notes += [one.note for one in left]
            job.cleared = job.cleared or any(one.arrived is not None for one in left)
            if not check:
                job.notes += [note for one in left if (note := clear_up(self._fleet, one))]
        moving = any(job.moving for job in jobs)
        rows = self._hosts.read(self._hosts.list()) if moving else []
        pool = Pool(rows, unfinished.blocked)
        if check:
            pool = Pool(
                rows,
                unfinished.blocked,
                unfinished.arrived,
                unfinished.mended,
                unfinished.doomed,
            )
        for job in jobs:
            try:
                self._look(job, pool)
            except HostlerError as error:
                job.error = error
        movers = [mover for job in jobs if not job.error for mover in job.movers]
        find_places(self._fleet, movers, self._candidates(jobs, pool), pool)
        for job in jobs:
            if not job.error:
                self._plan_host(job)

    def _look(self, job: Job, pool: Pool) -> None:
        """Find the VMs that are to be moved.

        Raises:
            HostlerError: the host may not be drained, or can't be seen.
        """
        task = job.task
        guard(task, self._fleet.config.policy)
        self._hosts.get(task.host)  # says that it is not there
        record = self._hosts.registry.maintenance.find(task.host)
        job.before = job.before or record or Record()
        if task.state == "drained":
            job.movers, job.stay = leavers(self._fleet, task, pool, record)
        elif task.return_vms:
            job.movers, lost = returners(self._fleet, task, pool, record)
            job.notes += gone_elsewhere(lost)

    def _candidates(self, jobs: Sequence[Job], pool: Pool) -> Sequence[Candidate]:
        """Return the hosts that VMs may be moved to: as they will be."""
        drained = {job.task.host for job in jobs if job.task.state == "drained"}
        active = {job.task.host for job in jobs if job.task.state == "active"}
        rows = [
            (host.model_copy(update={"maintenance": False}) if host.id in active else host, seen)
            for host, seen in pool.rows
            if host.id not in drained
        ]
        return [considered.candidate for considered in self._hosts.rooms.candidates(rows)]

    def _plan_host(self, job: Job) -> None:
        """Plan what becomes of the host itself; refuse what can't be done whole."""
        if job.stuck and not job.task.partial and not job.begun:
            job.error = cannot(job.task, job.stuck)
            return
        host = job.task.host
        record = self._hosts.registry.maintenance.find(host)
        if job.task.state == "drained":
            onto = [mover.found.placement.host for mover in job.movers if mover.found]
            job.plan = plan_rest(host, record, onto)
        else:
            job.plan = plan_wake(host, record, [mover.uuid for mover in job.movers])

    def _apply(self, jobs: Sequence[Job], parallel: int | None, on_progress: OnMove | None) -> None:
        """Do what is planned: first the hosts, then all moves side by side."""
        for job in jobs:
            if job.plan and job.plan.steps and not job.error:
                became = apply_all(self._fleet.runner, [job.plan], parallel=1)[job.plan.id]
                job.begun = job.begun or not isinstance(became, HostlerError)
                if isinstance(became, HostlerError):
                    job.error, job.outrun = became, _is_outrun(became)
        movers = [(job, m) for job in jobs if not job.error for m in job.movers if m.found]
        outcomes = self._move([mover for _, mover in movers], parallel, on_progress)
        moves = results.moves_of(self._fleet, [mover for _, mover in movers], outcomes)
        for (job, mover), move in zip(movers, moves, strict=True):
            job.moves[mover.vm] = move
            job.begun = job.begun or move.changed
            if mover.found and _is_outrun(outcomes[mover.found.plan.id]):
                job.outrun = True

    def _move(
        self, movers: Sequence[Mover], parallel: int | None, on_progress: OnMove | None
    ) -> dict[str, Became]:
        """Move VMs, side by side; what became of each plan."""
        plans = [mover.found.plan for mover in movers if mover.found]
        sources = {
            plan.id: (self._fleet.hypervisor(mover.source.uri).migrations, mover.vm)
            for plan, mover in zip(plans, movers, strict=True)
        }
        for migrations, vm in sources.values():
            migrations.forget(vm)

        def tell(progress: Progress) -> None:
            if on_progress:
                migrations, vm = sources[progress.plan]
                on_progress(progress, migrations.figures(vm))

        return apply_all(
            self._fleet.runner,
            plans,
            parallel=parallel or self._fleet.config.parallel,
            on_progress=tell,
        )

    def _result(self, job: Job, *, check: bool) -> HostMaintenanceResult:
        """Tell what became of a host; one that was drained is looked at once more."""
        task = job.task
        if check and not job.error:
            planned = results.moves_of(self._fleet, job.movers, None)
            job.moves = {move.name: move for move in planned}
        result = results.result_of(job, check=check)
        result.host = self._hosts.registry.find(task.host)
        if task.state == "drained" and not job.error:
            result.drained = not result.stuck
            if not check and result.host:
                ((_, seen),) = self._hosts.read([result.host])
                results.look_again(result, seen)
        return result


def _parsed(asked: Asked) -> HostMaintenanceTask:
    if isinstance(asked, HostMaintenanceTask):
        return asked
    given = {key: value for key, value in asked.items() if value is not None}
    return checked(HostMaintenanceTask, given, on=f"maintenance of host {given.get('host')!r}")


def _no_twins(jobs: Sequence[Job]) -> None:
    names = [job.task.host for job in jobs]
    for name in names:
        if names.count(name) > 1:
            raise InvalidInput(f"host {name!r} is named twice", hint="Name each host once.")


def _is_outrun(became: Became) -> bool:
    """Whether somebody else was faster."""
    return isinstance(became, PlanFailed) and isinstance(became.cause, NoRoom)
