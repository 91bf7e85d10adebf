# SPDX-License-Identifier: Apache-2.0
"""Tells what became of hosts and their VMs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hostler.errors import HostlerError
from hostler.hosts.maintenance.job import Job
from hostler.hosts.maintenance.movers import Found, Mover
from hostler.hosts.observe import Seen
from hostler.models.host_maintenance import HostMaintenanceResult, HostMove, Record
from hostler.models.names import some
from hostler.plan import results
from hostler.plan.plan import Plan
from hostler.plan.results import Became
from hostler.vms.migration.where import whereabouts
from hostler.vms.request import side_by_side

if TYPE_CHECKING:
    from hostler.fleet import Fleet

OFF = ("stopped", "crashed")


def moves_of(
    fleet: Fleet, movers: Sequence[Mover], outcomes: Mapping[str, Became] | None
) -> list[HostMove]:
    """Tell what became of VMs; ``outcomes`` by plan, None in check mode."""
    ready = [(mover, mover.found) for mover in movers if mover.found]
    return side_by_side(lambda pair: _move(fleet, *pair, outcomes), ready)


def _move(
    fleet: Fleet, mover: Mover, found: Found, outcomes: Mapping[str, Became] | None
) -> HostMove:
    placement = found.placement
    move = results.result_of(
        HostMove,
        mover.vm,
        found.plan,
        outcomes or {},
        source=mover.source.id,
        target=placement.host,
        placement=None if mover.home else placement,
    )
    if move.error is None:
        move.status = "planned" if outcomes is None else "migrated"
    if outcomes is not None:
        move.runs_on = _runs_on(fleet, mover, placement.host, placement.uri)
        figures = fleet.hypervisor(mover.source.uri).migrations.figures(mover.vm)
        if move.status == "migrated" and figures:
            move.downtime, move.data = figures.downtime, figures.processed
    return move


def _runs_on(fleet: Fleet, mover: Mover, target: str, target_uri: str) -> str | None:
    """Ask both hosts where a VM runs."""
    here, there = fleet.hypervisor(mover.source.uri), fleet.hypervisor(target_uri)
    seen = whereabouts(mover.vm, mover.uuid, here, there)
    state = {"source": seen.source, "target": seen.target}.get(seen.place or "")
    if getattr(state, "status", None) != "running":
        return None
    return mover.source.id if seen.place == "source" else target


def result_of(job: Job, *, check: bool) -> HostMaintenanceResult:
    """Tell what became of a host."""
    name, plan = job.task.host, job.plan
    if job.error and not job.begun:
        result = results.failed(HostMaintenanceResult, name, job.error)
        result.stuck, result.changed = job.stuck, job.cleared and not check
        return result
    notes = list(dict.fromkeys([*job.notes, *_stay(job)]))
    plan = (plan or Plan(target=f"host/{name}", summary="")).model_copy(update={"warnings": notes})
    result = results.result_of(HostMaintenanceResult, name, plan, {})
    result.moves, result.stuck, result.vms = list(job.moves.values()), job.stuck, list(job.stay)
    planned = plan.changed or bool(job.moves)
    result.changed = job.cleared or (planned if check else job.begun)
    result.before, result.after = _states(job)
    _fail(job, result)
    return result


def _stay(job: Job) -> list[str]:
    """Say which VMs stay although they were to be moved."""
    return [f"VM {vm} was not moved: {why}" for vm, why in job.stuck.items() if job.task.partial]


def _states(job: Job) -> tuple[dict[str, object], dict[str, object]]:
    """Return a host and the VMs that are moved, before and afterwards."""
    moves = job.moves.values()
    before = (job.before or Record()).resting
    return (
        {"maintenance": before, "vms": {move.name: move.source for move in moves}},
        {
            "maintenance": job.task.state == "drained",
            "vms": {m.name: m.source if m.error else m.target for m in moves},
        },
    )


def _fail(job: Job, result: HostMaintenanceResult) -> None:
    """Say which VMs were not moved, of a host that was begun with."""
    bad = {move.name: move.error for move in job.moves.values() if move.error}
    if job.error:
        bad[""] = str(job.error)
    if not job.task.partial:
        bad |= job.stuck
    if not bad:
        return
    reasons = " ".join(f"{vm}: {why}" if vm else str(why) for vm, why in bad.items())
    codes = [move.error_code for move in job.moves.values() if move.error_code]
    result.error_code = codes[0] if codes else "conflict"
    result.error = f"host {job.task.host!r}: not all VMs were moved. {reasons}"


def look_again(result: HostMaintenanceResult, seen: Seen | HostlerError) -> None:
    """Say whether a host is empty, as it was seen afterwards."""
    if isinstance(seen, HostlerError):
        result.drained = None
        return
    left = [vm["name"] for vm in seen.vms if vm["status"] not in OFF]
    result.drained = not left
    known = {*result.stuck, *(move.name for move in result.moves)}
    new = [name for name in left if name not in known]
    if new and not result.error:
        result.error = f"host {result.name!r}: {some(new)} came meanwhile. Run it again."
        result.error_code = "conflict"
