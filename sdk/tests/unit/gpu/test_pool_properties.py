# SPDX-License-Identifier: Apache-2.0
"""Pools as desired state, against brute force on small worlds: no better set of moves exists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import permutations, product
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hostler.config import Policy
from hostler.errors import Conflict, HostlerError, InvalidInput
from hostler.gpu.planner import plan_migration
from hostler.gpu.planner.assign import assign, lacking
from hostler.gpu.planner.pool import PoolPlan, plan_pools
from hostler.gpu.world import GpuWorld
from hostler.models.gpu_pool import GpuPoolTask
from hostler.models.migration import MigrationTask
from hostler.models.nova import Compute, Server

from .worlds import aggregate, compute, server, world

pytestmark = pytest.mark.slow

POOLS = {
    "ondemand": ("L40-n3", "L40-n3-NVLink"),
    "spot": ("L40-n3-spot", "L40-n3-NVLink-spot"),
    "runpod": ("L40-n3-runpod",),
}
AGGREGATES = [name for names in POOLS.values() for name in names]
PROTECTED = Policy(protected=("*-protected",))

Costs = dict[tuple[str, str], int | None]


@st.composite
def problems(draw: st.DrawFn) -> tuple[dict[str, str], dict[str, int], Costs]:
    """Hosts in pools, how many each pool should have, and what each host costs in each pool."""
    pools = draw(st.permutations(["p", "q", "r", "s"]))
    now = {f"h{n}": draw(st.sampled_from(pools)) for n in range(draw(st.integers(0, 5)))}
    wanted = Counter(draw(st.sampled_from(pools)) for _ in now)
    amounts = st.sampled_from([None, None, 1, 2, 3, 10, 11, 20, 40])
    costs = {(h, p): 0 if here == p else draw(amounts) for h, here in now.items() for p in pools}
    return now, {pool: wanted[pool] for pool in pools}, costs


def ways(now: Mapping[str, str], wanted: Mapping[str, int]) -> Iterator[dict[str, str]]:
    """Every way to give each pool its number."""
    slots = [pool for pool, number in wanted.items() for _ in range(number)]
    for chosen in set(permutations(slots)):
        yield dict(zip(now, chosen, strict=True))


@settings(max_examples=500, deadline=None)
@given(problems())
def test_no_way_is_cheaper(problem: tuple[dict[str, str], dict[str, int], Costs]) -> None:
    now, wanted, costs = problem

    def total(at: Mapping[str, str]) -> int | None:
        each = [costs[pair] for pair in at.items()]
        return None if None in each else sum(cost or 0 for cost in each)

    possible = [cost for at in ways(now, wanted) if (cost := total(at)) is not None]
    found = assign(now, wanted, lambda host, pool: costs[host, pool])
    assert bool(lacking(found, wanted)) == (not possible)
    assert total(found) is not None
    if possible:
        assert total(found) == min(possible)


@st.composite
def worlds(draw: st.DrawFn) -> GpuWorld:
    """Up to five hosts, in pools or in none: some busy, down, protected or bound to a zone."""
    members: dict[str, list[str]] = {name: [] for name in AGGREGATES}
    rack: list[str] = []
    computes: list[Compute] = []
    servers: list[Server] = []
    for number in range(draw(st.integers(1, 5))):
        host = f"h{number}" + draw(st.sampled_from(["", "", "-protected"]))
        where = draw(st.sampled_from([*AGGREGATES, None]))
        if where:
            members[where].append(host)
            rack += [host] * draw(st.booleans())
        computes.append(compute(host, up=draw(st.booleans()), enabled=draw(st.booleans())))
        for size in draw(st.lists(st.sampled_from([1, 4, 8]), max_size=2)):
            servers.append(server(host, f"n3-L40x{size}", name=f"vm{len(servers)}"))
    zones = st.sampled_from(["", "az1", "az2"])
    made = [aggregate(name, *hosts, zone=draw(zones)) for name, hosts in members.items()]
    return world(
        *made,
        aggregate("rack", *rack, zone=draw(zones)),
        computes=tuple(computes),
        amounts={one.host: {"CUSTOM_GPU_L40": (8, 0)} for one in computes},
        servers=tuple(servers) if draw(st.booleans()) else (),
    )


@st.composite
def tasks(draw: st.DrawFn) -> GpuPoolTask:
    names = draw(st.lists(st.sampled_from([*POOLS]), min_size=1, unique=True))
    pools: dict[str, Any] = {name: draw(st.integers(0, 3)) for name in names}
    if draw(st.booleans()):
        pools[names[0]] = "rest"
    return GpuPoolTask(gpu_type="L40", pools=pools, drain=draw(st.booleans()))


def planned(start: GpuWorld, task: GpuPoolTask) -> PoolPlan | HostlerError:
    try:
        return plan_pools(start, task, PROTECTED)
    except InvalidInput:
        assume(False)
        raise
    except Conflict as error:
        return error


def pool_of(start: GpuWorld, host: str) -> str:
    mine = {a.name for a in start.pools_of(host)}
    return next((pool for pool, names in POOLS.items() if mine & {*names}), "")


def can_go(start: GpuWorld, host: str, pool: str) -> bool:
    """Whether some aggregate of the pool takes the host as it is; NVLink is for NVLink."""
    here = start.pools_of(host)
    nvlink = bool(here) and here[0].name.startswith("L40-n3-NVLink")
    targets = [name for name in POOLS[pool] if nvlink or "NVLink" not in name]
    for name in targets:
        try:
            plan_migration(start, MigrationTask(host=host, target=name), PROTECTED)
        except HostlerError:
            continue
        return True
    return False


def fewest(start: GpuWorld, task: GpuPoolTask) -> tuple[int, int] | None:
    """The least number of moves of hosts that are down or disabled, and of moves; None: no way."""
    hosts = [h for h in start.computes if pool_of(start, h) in {*task.pools, ""}]
    now = {host: pool_of(start, host) for host in hosts}
    fixed = {name: n for name, n in task.pools.items() if isinstance(n, int)}
    free = {(h, p): can_go(start, h, p) for h in hosts for p in task.pools if now[h] != p}
    found = []
    for chosen in product([*task.pools, ""], repeat=len(hosts)):
        at = dict(zip(hosts, chosen, strict=True))
        have = Counter(at.values())
        moved = [(host, pool) for host, pool in at.items() if pool != now[host]]
        if all(have[p] == n for p, n in fixed.items()) and all(free.get(m) for m in moved):
            reluctant = [h for h, _ in moved if not _takes_servers(start, h)]
            found.append((len(reluctant), len(moved)))
    return min(found, default=None)


def _takes_servers(start: GpuWorld, host: str) -> bool:
    return start.computes[host].up and start.computes[host].enabled


@settings(max_examples=150, deadline=None)
@given(worlds(), tasks())
def test_moves_are_the_fewest(start: GpuWorld, task: GpuPoolTask) -> None:
    task = task.model_copy(update={"drain": False})
    plan, best = planned(start, task), fewest(start, task)
    if isinstance(plan, HostlerError):
        assert best is None, plan
        return
    moved = [move.host for move in plan.moves]
    reluctant = [host for host in moved if not _takes_servers(start, host)]
    assert (len(reluctant), len(moved)) == best
    assert not [host for host in moved if host in start.servers_of or "protected" in host]
    assert not [step for one in plan.plans for step in one.steps if step.kind == "gpu.migrate"]


@settings(max_examples=150, deadline=None)
@given(worlds(), tasks())
def test_moves_bring_what_is_wanted_and_no_more(start: GpuWorld, task: GpuPoolTask) -> None:
    plan = planned(start, task)
    assume(isinstance(plan, PoolPlan))
    assert isinstance(plan, PoolPlan)
    then, leaving = start, frozenset(move.host for move in plan.moves)
    for move in plan.moves:
        _, then = plan_migration(then, move, PROTECTED, leaving)
    again = plan_pools(then, task, PROTECTED)
    assert (again.moves, again.before) == ([], plan.after)
    assert all(again.before[p] == n for p, n in task.pools.items() if isinstance(n, int))
    assert {s.id for s in then.servers} == {s.id for s in start.servers}
    others = [a for a in start.aggregates if a.name not in {*AGGREGATES}]
    assert [then.by_name[a.name] for a in others] == others
    assert plan_pools(start, task, PROTECTED).moves == plan.moves
