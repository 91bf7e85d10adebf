# SPDX-License-Identifier: Apache-2.0
"""The VMs that leave a host or come back to it: which, whether they can, and where to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from hostler.errors import HostlerError, NotFound, Timeout, Unreachable, Unsupported
from hostler.hosts.maintenance.planner import obstacle_of
from hostler.hosts.observe import Seen
from hostler.models.host import Host
from hostler.models.host_maintenance import Away, HostMaintenanceTask, Record
from hostler.models.placement import Placement, PlacementRequest, PlacementRules
from hostler.models.size import MIB
from hostler.plan.plan import Plan

if TYPE_CHECKING:
    from hostler.backends.libvirt import Hypervisor
    from hostler.backends.libvirt.domains import DomainState
    from hostler.fleet import Fleet
    from hostler.vms.inventory_row import VmRow

Row = tuple[Host, Seen | HostlerError]
Volume = tuple[str, str, str]
"""URI, pool and name."""


class Found(NamedTuple):
    """Where a VM goes to, and its move."""

    placement: Placement
    plan: Plan


@dataclass
class Mover:
    """A VM that is to be moved; ``problem`` says why it can't be.

    Attributes:
        source: the host that it is on.
        home: the host that it returns to; None where it leaves, and a host is looked for.
        noted: the host where it was noted to be so far.
        found: where it goes to; None where it can't be moved.
    """

    task: HostMaintenanceTask
    vm: str
    uuid: str
    source: Host
    request: PlacementRequest
    home: Host | None = None
    noted: str | None = None
    problem: str | None = None
    found: Found | None = None


@dataclass(frozen=True)
class Pool:
    """The pool as it was read.

    Attributes:
        rows: all hosts.
        blocked: why VMs can't be touched, by their names.
        arrived: names of VMs that an earlier run has moved; what is left of them is removed first.
        mended: names of VMs that are put right before anything is moved.
        doomed: volumes that are removed before that.
    """

    rows: Sequence[Row]
    blocked: Mapping[str, str] = field(default_factory=dict)
    arrived: frozenset[str] = frozenset()
    mended: frozenset[str] = frozenset()
    doomed: frozenset[Volume] = frozenset()

    def row(self, host_id: str) -> Row | None:
        """Return a host; None where it is not registered."""
        return next((row for row in self.rows if row[0].id == host_id), None)


def leavers(
    fleet: Fleet, task: HostMaintenanceTask, pool: Pool, record: Record | None
) -> tuple[list[Mover], list[str]]:
    """Return the VMs that leave a host, the largest first; and those that stay, as they are off.

    Raises:
        HostlerError: its VMs can't be seen.
    """
    host, vms = _vms(task.host, pool)
    source = fleet.hypervisor(host.uri)
    states = source.domains.read(vm["name"] for vm in vms)
    away = (record or Record()).away
    found, stay = [], []
    for vm in vms:
        state = states.get(vm["name"])
        if state is None or vm["name"] in pool.arrived:
            continue  # it is not there any more
        if state.active_xml is None and task.stopped_vms == "leave":
            stay.append(vm["name"])
            continue
        mover = Mover(task, vm["name"], vm["uuid"], host, _request(vm, task))
        mover.noted = away[vm["uuid"]].host if vm["uuid"] in away else None
        found.append(mover)
    problems = source.pipeline(lambda m: _problem(fleet, source, m, states[m.vm], pool), found)
    for mover, problem in zip(found, problems, strict=True):
        mover.problem = problem
    return sorted(found, key=lambda m: (-m.request.memory, m.vm)), sorted(stay)


def returners(
    fleet: Fleet, task: HostMaintenanceTask, pool: Pool, record: Record | None
) -> tuple[list[Mover], list[str]]:
    """Return the VMs that come back to a host; and those that are not where they were moved to.

    Raises:
        HostlerError: the host can't be reached.
    """
    home, own = _vms(task.host, pool)
    at_home = {vm["uuid"] for vm in own}
    found, lost = [], []
    for uuid, away in sorted((record or Record()).away.items(), key=lambda pair: pair[1].vm):
        if uuid in at_home:
            continue
        mover = _returner(fleet, task, pool, away, uuid)
        if mover is None:
            lost.append(away.vm)
            continue
        mover.home = home
        found.append(mover)
    return found, lost


def _returner(
    fleet: Fleet, task: HostMaintenanceTask, pool: Pool, away: Away, uuid: str
) -> Mover | None:
    """Return a VM that comes back; None where it is not where it was moved to."""
    row = pool.row(away.host)
    if row is None:
        return None
    host, seen = row
    if isinstance(seen, HostlerError):
        nothing = PlacementRequest(vm=away.vm, memory=MIB)
        why = f"host {host.id}, where it should be, can't be reached"
        return Mover(task, away.vm, uuid, host, nothing, problem=why)
    vm = next((vm for vm in seen.vms if vm["uuid"] == uuid), None)
    if vm is None:
        return None
    source = fleet.hypervisor(host.uri)
    state = source.domains.read([vm["name"]]).get(vm["name"])
    if state is None:
        return None
    mover = Mover(task, vm["name"], uuid, host, _request(vm, task), noted=host.id)
    mover.problem = _problem(fleet, source, mover, state, pool)
    return mover


def _vms(host_id: str, pool: Pool) -> tuple[Host, list[VmRow]]:
    row = pool.row(host_id)
    if row is None:
        raise NotFound("it is no longer in the pool", on=f"host {host_id!r}")
    host, seen = row
    if isinstance(seen, HostlerError):
        hint = f"Nothing was touched. {seen.hint}"
        raise Unreachable(f"its VMs can't be seen: {seen.what}", on=f"host {host_id!r}", hint=hint)
    return host, seen.vms


def _request(vm: VmRow, task: HostMaintenanceTask) -> PlacementRequest:
    rules = PlacementRules.load(vm.get("metadata", {}), vm["name"])
    return PlacementRequest(
        vm=vm["name"],
        cpus=vm["cpu_cores"],
        memory=max(1, vm["memory_mb"]) * MIB,
        labels=vm.get("labels", {}),
        rules=rules.model_copy(update={"strategy": task.strategy}),
    )


def _problem(
    fleet: Fleet, source: Hypervisor, mover: Mover, state: DomainState, pool: Pool
) -> str | None:
    if blocked := pool.blocked.get(mover.vm):
        return blocked
    try:
        moving = source.migrations.is_moving(mover.vm)
    except Unsupported as error:
        return f"its host moves no VMs ({error.what})"
    except Timeout as error:  # QEMU is stuck, maybe in a move
        return f"it can't be asked whether it is being moved: {error.what}"
    return obstacle_of(
        state,
        mover.task,
        fleet.config.policy,
        snapshots=len(source.snapshots.read(mover.vm)),
        moving=moving,
        cut=not moving and mover.vm not in pool.mended and source.migrations.was_cut(mover.vm),
    )
