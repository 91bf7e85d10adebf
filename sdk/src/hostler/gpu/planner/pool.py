# SPDX-License-Identifier: Apache-2.0
"""Plans how the pools of a GPU type get the numbers of hosts that they should have. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hostler.config import Policy
from hostler.errors import (
    Conflict,
    HostlerError,
    InvalidInput,
    NotFound,
    PolicyError,
)
from hostler.gpu.names import known_type, known_variant, meant
from hostler.gpu.overview import host_type
from hostler.gpu.planner.assign import assign, lacking
from hostler.gpu.planner.moves import plan_moves
from hostler.gpu.planner.ways import Way, Ways
from hostler.gpu.target import NVLINK
from hostler.gpu.world import GpuWorld
from hostler.models.gpu_config import POOLS
from hostler.models.gpu_pool import GpuPoolTask
from hostler.models.migration import MigrationTask
from hostler.plan.plan import Plan

OUTSIDE = ""
"""In place of a pool's name: in none."""
_SHOWN = 8

Pools = dict[str, frozenset[str]]
"""The names of the aggregates of each pool."""


@dataclass(frozen=True)
class PoolPlan:
    """The moves that bring the pools of a GPU type to what is wanted.

    Attributes:
        pools: the names of each pool's aggregates.
        before, after: the number of hosts by pool.
        moves: the hosts that move, and where to.
        plans: how each of them does.
        warnings: what a person should know.
    """

    gpu_type: str
    pools: Pools
    before: dict[str, int]
    after: dict[str, int]
    moves: list[MigrationTask]
    plans: list[Plan]
    warnings: list[str]


def plan_pools(world: GpuWorld, task: GpuPoolTask, policy: Policy) -> PoolPlan:
    """Plan the smallest set of moves; none where the numbers are right.

    Raises:
        NotFound: no such GPU type, variant, pool or contract.
        InvalidInput: the numbers don't add up to the hosts that there are.
        Conflict: it can't be done, or not without touching servers, or takes too many moves.
        PolicyError: the fleet's policy forbids it.
    """
    gpu_type = known_type(world, task.gpu_type)
    variant = known_variant(world, task.variant) if task.variant else ""
    on = f"pools of {gpu_type} {variant}".strip()
    pools = {name: _aggregates(world, gpu_type, name, task) for name in task.pools}
    inside, outside = _inside(world, pools, on), _outside(world, gpu_type, task)
    before = counts(pools, ([a.name for a in mine] for mine in world.aggregates_of.values()))
    wanted = _wanted(task, before, len(outside), on)
    now = inside | dict.fromkeys(outside, task.rest or OUTSIDE)  # to stay outside costs nothing
    found = _solve(Ways(world, task, policy, pools, now), now, wanted, on)
    after = Counter(before)
    after.subtract(inside[way.move.host] for way, _ in found if way.move.host in inside)
    after.update(way.pool for way, _ in found)
    return PoolPlan(
        gpu_type=gpu_type,
        pools=pools,
        before=before,
        after={name: after[name] for name in pools},
        moves=[way.move for way, _ in found],
        plans=[plan for _, plan in found],
        warnings=[text for way, _ in found for text in way.warnings],
    )


def counts(pools: Pools, hosts: Iterable[Iterable[str]]) -> dict[str, int]:
    """Return the number of hosts by pool; of each host the names of its aggregates are given."""
    each = [set(names) for names in hosts]
    return {name: sum(bool(mine & pool) for mine in each) for name, pool in pools.items()}


def _aggregates(world: GpuWorld, gpu_type: str, name: str, task: GpuPoolTask) -> frozenset[str]:
    """Return the names of a pool's aggregates.

    Raises:
        NotFound: there is no such pool or contract, or it should have hosts and has no aggregate.
    """
    known: dict[str, set[str]] = {pool: set() for pool in POOLS if pool != "contract"}
    for aggregate, found in world.classes.items():
        if found.gpu_type != gpu_type or task.variant not in (None, found.variant):
            continue
        names = (aggregate, found.contract) if found.pool == "contract" else (found.pool,)
        for one in filter(None, names):
            known.setdefault(one, set()).add(aggregate)
    on = f"pool {name!r}"
    if name not in known:
        hint = meant(name, known, "pools and contracts")
        raise NotFound(f"{gpu_type} has no such pool or contract", on=on, hint=hint)
    if not known[name] and task.pools[name] != 0:
        what = " ".join(filter(None, (gpu_type, task.variant)))
        hint = "Create one with 'openstack aggregate create', or leave the pool out."
        raise NotFound(f"{what} has no aggregate of it", on=on, hint=hint)
    return frozenset(known[name])


def _inside(world: GpuWorld, pools: Pools, on: str) -> dict[str, str]:
    """Return the pool of each host that is in one.

    Raises:
        Conflict: a host is in several.
    """
    found: dict[str, str] = {}
    for pool, names in pools.items():
        for host in sorted({host for name in names for host in world.by_name[name].hosts}):
            if host in found:
                raise Conflict(
                    f"host {host} is both in {found[host]} and in {pool}",
                    on=on,
                    hint="Take it out of one of them first.",
                )
            found[host] = pool
    return found


def _outside(world: GpuWorld, gpu_type: str, task: GpuPoolTask) -> list[str]:
    """Return the hosts of this type that are in no pool."""

    def fits(host: str) -> bool:
        netbox = world.netbox.get(host)
        if task.variant and not (task.variant == NVLINK and netbox and netbox.nvlink):
            return False
        return not world.pools_of(host) and host_type(world, host) == gpu_type

    return [host for host in sorted({*world.computes, *world.aggregates_of}) if fits(host)]


def _wanted(task: GpuPoolTask, before: Mapping[str, int], outside: int, on: str) -> dict[str, int]:
    """Return the number of hosts of every pool, and of those outside, all hosts together.

    Raises:
        InvalidInput: the numbers don't add up.
    """
    numbers = {name: n for name, n in task.pools.items() if isinstance(n, int)}
    least, most, total = sum(before.values()), sum(before.values()) + outside, sum(numbers.values())
    if total <= most and (task.rest or total >= least):
        return {**numbers, task.rest or OUTSIDE: most - total}
    pools = ", ".join(f"{number} in {name}" for name, number in before.items())
    free = f", {outside} in no pool" if outside else ""
    span = f"{least} to {most}" if outside else f"{most}"
    hint = f"Give one pool the rest, or numbers that add up to {span}."
    raise InvalidInput(
        f"{total} {'host is' if total == 1 else 'hosts are'} wanted, and there are {most}:"
        f" {pools}{free}",
        on=on,
        hint=f"Ask for {most} at most." if task.rest else hint,
    )


def _solve(
    ways: Ways, now: Mapping[str, str], wanted: Mapping[str, int], on: str
) -> list[tuple[Way, Plan]]:
    """Return the moves, the easiest first, each with its plan.

    Hosts whose servers have no place once others have found theirs are left where they are.

    Raises:
        Conflict: it can't be done, or takes too many moves.
        PolicyError: the fleet is read-only.
    """
    if ways.policy.read_only and lacking(now, wanted):
        hint = "Unset policy.read_only in fleet.yml to change it."
        raise PolicyError("the fleet is read-only", on=on, hint=hint)
    while True:
        to = assign(now, wanted, ways.cost)
        if short := lacking(to, wanted):
            raise _impossible(ways, now, short, on)
        moving = (ways.way(host, pool) for host, pool in to.items() if pool != now[host])
        found = sorted((way for way in moving if isinstance(way, Way)), key=lambda way: way.cost)
        _limit(found, ways.task.max_moves, on)
        plans = plan_moves(ways.world, [way.move for way in found], ways.policy)
        planned = list(zip(found, plans, strict=True))
        failed = [(way, plan) for way, plan in planned if isinstance(plan, HostlerError)]
        if not failed:
            return [(way, plan) for way, plan in planned if isinstance(plan, Plan)]
        way, error = failed[0]
        ways.bar(way.move.host, error.what)


def _limit(found: Sequence[Way], limit: int | None, on: str) -> None:
    if limit is None or len(found) <= limit:
        return
    hosts = ", ".join(way.move.host for way in found[:_SHOWN]) + ", ..." * (len(found) > _SHOWN)
    raise Conflict(
        f"it takes {len(found)} {'move' if len(found) == 1 else 'moves'} ({hosts}), and max_moves"
        f" is {limit}",
        on=on,
        hint="Raise max_moves if you mean it.",
    )


def _impossible(ways: Ways, now: Mapping[str, str], short: Mapping[str, int], on: str) -> Conflict:
    """Say which pools lack how many hosts, and why the others can't go there."""
    lack = ", ".join(f"{pool} lacks {number}" for pool, number in short.items())
    others = sorted(host for host, here in now.items() if here not in short)
    reasons = {host: ways.way(host, pool) for pool in short for host in others}
    stuck = [f"{host} ({reason})" for host, reason in reasons.items() if isinstance(reason, str)]
    more = f", {len(stuck) - _SHOWN} more" if len(stuck) > _SHOWN else ""
    touching = "" if ways.task.drain else " without touching servers"
    hint = "Say drain: true to migrate servers away first, or ask for less."
    return Conflict(
        f"{lack}, and no other host can go there{touching}: {', '.join(stuck[:_SHOWN])}{more}",
        on=on,
        hint="Ask for less, or free some hosts yourself." if ways.task.drain else hint,
    )
