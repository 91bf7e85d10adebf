# SPDX-License-Identifier: Apache-2.0
"""Finds a host for each VM that is moved, and plans the move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from hostler.errors import HostlerError, NotFound
from hostler.hosts.maintenance.movers import Found, Mover, Pool
from hostler.hosts.maintenance.planner import needs, noted, wish_of
from hostler.hosts.maintenance.steps import NoteAway
from hostler.hosts.placement import Candidate, carries, claim_of, obstacle, place_all
from hostler.models.placement import Claim, Placement, PlacementRequest
from hostler.models.vm_migration import VmMigrationTask
from hostler.plan.plan import Plan, new_id
from hostler.vms.migration.observe import observe
from hostler.vms.migration.planner import plan_migration
from hostler.vms.request import side_by_side

if TYPE_CHECKING:
    from hostler.fleet import Fleet
    from hostler.vms.migration.world import Source, Target


class Move(NamedTuple):
    """A move that can be made, and the host that it comes from as it was seen."""

    plan: Plan
    source: Source


class Way(NamedTuple):
    """A VM, its host and its move; and the room that it takes there."""

    mover: Mover
    placement: Placement
    plan: Plan
    request: PlacementRequest
    claim: Claim


def find_places(
    fleet: Fleet, movers: Sequence[Mover], candidates: Sequence[Candidate], pool: Pool
) -> None:
    """Find a host for each VM and plan its move; where there is none, say why (``problem``).

    A host that can't take a VM after all (it lacks a network, a pool, or room for its disks) is
    passed over, and all are placed anew: those that can't be moved take nobody's room.
    """
    tried: dict[tuple[str, str], Move | HostlerError] = {}
    able = [mover for mover in movers if mover.problem is None]
    while True:
        chosen, nowhere = _place(able, candidates)
        new = [pair for pair in chosen if _key(*pair) not in tried]
        moves = side_by_side(lambda pair: _try(fleet, *pair, pool), new)
        tried.update(zip([_key(*pair) for pair in new], moves, strict=True))
        ways = _agreed(chosen, tried, candidates)
        if ways is not None:
            break
    for mover, why in nowhere:
        mover.problem = why
    for way in ways:
        _settle(fleet, way)


def _key(mover: Mover, placement: Placement) -> tuple[str, str]:
    return mover.uuid, placement.host


def _agreed(
    chosen: Sequence[tuple[Mover, Placement]],
    tried: Mapping[tuple[str, str], Move | HostlerError],
    candidates: Sequence[Candidate],
) -> list[Way] | None:
    """Return how all VMs go; None where a host is passed over, and all are placed anew."""
    ways: list[Way] = []
    refused = False
    for mover, placement in chosen:
        move = tried[_key(mover, placement)]
        way = move if isinstance(move, HostlerError) else _way(mover, placement, move)
        why = _refusal(way, _with(candidates, [one.claim for one in ways]))
        if why is not None:
            exclude = {**mover.request.exclude, placement.host: why}
            mover.request = mover.request.model_copy(update={"exclude": exclude})
            refused = True
        elif isinstance(way, Way):
            ways.append(way)
    return None if refused else ways


def _way(mover: Mover, placement: Placement, move: Move) -> Way:
    request = needs(mover.request, move.plan, move.source)
    claim = claim_of(request, placement.host, (), new_id())
    return Way(mover, placement, move.plan, request, claim)


def _with(candidates: Sequence[Candidate], taken: Sequence[Claim]) -> list[Candidate]:
    """Return hosts with what is planned for them already."""
    return [
        replace(one, claims=[*one.claims, *(c for c in taken if c.host == one.id)])
        for one in candidates
    ]


def _place(
    movers: Sequence[Mover], candidates: Sequence[Candidate]
) -> tuple[list[tuple[Mover, Placement]], list[tuple[Mover, str]]]:
    """Choose a host for each: the one that it returns to, or the best; or say why there is none."""
    found: list[tuple[Mover, Placement]] = []
    nowhere: list[tuple[Mover, str]] = []
    for home in dict.fromkeys(_home(mover) for mover in movers):
        group = [mover for mover in movers if _home(mover) == home]
        suited = [one for one in candidates if home in (None, one.id)]
        placed = place_all([mover.request for mover in group], suited)
        for mover, placement in zip(group, placed, strict=True):
            if isinstance(placement, HostlerError):
                nowhere.append((mover, placement.what))
            else:
                found.append((mover, placement))
    return found, nowhere


def _home(mover: Mover) -> str | None:
    return mover.home.id if mover.home else None


def _try(fleet: Fleet, mover: Mover, placement: Placement, pool: Pool) -> Move | HostlerError:
    """Plan a VM's move to the host that was chosen for it."""
    try:
        source, target = observe(
            mover.vm, fleet.hypervisor(mover.source.uri), fleet.hypervisor(placement.uri)
        )
        if source.domain is None:
            raise NotFound("it is no longer there", on=f"VM {mover.vm!r}", hint="Run it again.")
        task = VmMigrationTask.model_validate(wish_of(mover.vm, placement.uri, mover.task))
        plan = plan_migration(task, source, _cleared(target, pool), fleet.config.policy)
    except HostlerError as error:
        return error
    return Move(plan, source)


def _cleared(target: Target, pool: Pool) -> Target:
    """Leave out the volumes that are removed before anything is moved."""
    volumes = {
        path: volume
        for path, volume in target.volumes.items()
        if (target.uri, volume.pool, volume.name) not in pool.doomed
    }
    return replace(target, volumes=volumes)


def _refusal(way: Way | HostlerError, candidates: Sequence[Candidate]) -> str | None:
    """Say why the chosen host can't take a VM after all; None where it can."""
    if isinstance(way, HostlerError):
        return f"can't take it ({way.what})"
    host = next(one for one in candidates if one.id == way.placement.host)
    first = carries(way.request.labels, way.request.rules.affinity)
    return obstacle(way.request, host, first_of_group=first)


def _settle(fleet: Fleet, way: Way) -> None:
    """Complete the plan of a move: room is reserved first, and it is noted where the VM is."""
    mover, placement, home = way.mover, way.placement, _home(way.mover)
    if home:
        update = {"reason": "it was there before", "others": {}}
        placement = placement.model_copy(update=update)
    note = NoteAway(
        id=home or mover.source.id,
        uuid=mover.uuid,
        vm=mover.vm,
        to=None if home else placement.host,
        before=mover.noted,
    )
    plan = fleet.hosts.rooms.keep(way.plan, way.request, placement, way.claim.id)
    mover.found = Found(placement, noted(plan, note, first=home is None))
