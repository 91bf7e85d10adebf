# SPDX-License-Identifier: Apache-2.0
"""Moves on generated worlds, carried out by Nova's rules: no step is refused, no host is lost."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from hostler.config import Policy
from hostler.errors import HostlerError
from hostler.gpu.lock import PREFIX
from hostler.gpu.planner import plan_migration, plan_moves
from hostler.gpu.steps import base
from hostler.gpu.world import GpuWorld
from hostler.models.gpu_config import Pool
from hostler.models.migration import AUTO, MigrationTask
from hostler.models.nova import Compute, Server
from hostler.plan.plan import Plan
from hostler.plan.step import Step

from .nova_rules import Rules
from .worlds import aggregate, compute, numbered, server, world

pytestmark = pytest.mark.slow

POOLS = ["L40-n3", "L40-n3-spot", "L40-n3-runpod", "L40-n3-NVLink", "A100-n3", "Contract-A-L40"]
AGGREGATES = [*POOLS, "rack"]
LEFT = "hostler: move 6b000000-dead"


@pytest.fixture(autouse=True, scope="module")
def no_waits() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "WAITS", (0.0, 0.0))
        yield


@st.composite
def worlds(draw: st.DrawFn) -> GpuWorld:
    """Up to four hosts in any aggregates that zones allow: busy, stopped, down, disabled."""
    zones = {name: draw(st.sampled_from(["", "", "az1", "az2"])) for name in AGGREGATES}
    members: dict[str, list[str]] = {name: [] for name in AGGREGATES}
    computes: list[Compute] = []
    servers: list[Server] = []
    for number in range(draw(st.integers(1, 4))):
        host, zone = f"h{number}", ""
        for name in draw(st.lists(st.sampled_from(AGGREGATES), max_size=3, unique=True)):
            if not zone or zones[name] in ("", zone):
                members[name].append(host)
                zone = zone or zones[name]
        reason = draw(st.sampled_from(["", "", "", "broken", LEFT]))
        up = draw(st.sampled_from([True, True, True, False]))
        computes.append(compute(host, up=up, enabled=not reason, reason=reason))
        for size in draw(st.lists(st.sampled_from([1, 4]), max_size=2)):
            status = draw(st.sampled_from(["ACTIVE"] * 6 + ["SHUTOFF", "PAUSED"]))
            name = f"vm{len(servers)}"
            servers.append(server(host, f"n3-L40x{size}", name=name, status=status))
    made = [aggregate(name, *hosts, zone=zones[name]) for name, hosts in members.items()]
    return world(
        *numbered(made),
        computes=tuple(computes),
        amounts={one.host: {"CUSTOM_GPU_L40": (8, 0)} for one in computes},
        servers=tuple(servers) if draw(st.booleans()) else (),
    )


@st.composite
def tasks(draw: st.DrawFn, start: GpuWorld) -> MigrationTask:
    pools: list[Pool | None] = [None, None, "spot", "ondemand", "runpod"]
    pool = draw(st.sampled_from(pools))
    return MigrationTask(
        host=draw(st.sampled_from(sorted(start.computes))),
        target=None if pool else draw(st.sampled_from([*AGGREGATES, AUTO])),
        pool=pool,
        source=draw(st.sampled_from([None, None, None, *AGGREGATES])),
        force=draw(st.booleans()),
        drain=draw(st.booleans()),
        disable_compute=draw(st.sampled_from([True, True, False])),
    )


@st.composite
def moves(draw: st.DrawFn) -> tuple[GpuWorld, MigrationTask, Plan, GpuWorld]:
    """A world, a move that can be planned there, its plan, and the world as it will be."""
    start = draw(worlds())
    task = draw(tasks(start))
    try:
        plan, then = plan_migration(start, task, Policy())
    except HostlerError:
        assume(False)
        raise
    return start, task, plan, then


def forward(rules: Rules, steps: Sequence[Step]) -> None:
    for step in steps:
        step.apply(rules, lambda _: None)


def backward(rules: Rules, steps: Sequence[Step]) -> None:
    """Take steps back as Work does."""
    for step in reversed(steps):
        if not (step.only_looks or step.kept):
            step.undo(rules)


def members(found: GpuWorld) -> dict[str, set[str]]:
    return {a.name: set(a.hosts) for a in found.aggregates}


def locked(found: GpuWorld) -> list[str]:
    return [key for a in found.aggregates for key in a.metadata if key.startswith(PREFIX)]


@settings(max_examples=200, deadline=None)
@given(moves(), st.booleans())
def test_a_move_does_what_was_planned(
    move: tuple[GpuWorld, MigrationTask, Plan, GpuWorld], mirroring: bool
) -> None:
    start, task, plan, then = move
    event(f"{len(plan.steps)} steps")
    rules = Rules(start)
    rules.mirroring = mirroring
    forward(rules, plan.steps)
    found = rules.world
    source, target = plan.facts["source"], plan.facts["target"]
    mine = {a.name for a in found.aggregates_of.get(task.host, ())}
    assert target in mine
    assert source not in mine
    assert mine - {target} == {a.name for a in start.aggregates_of.get(task.host, ())} - {
        source,
        target,
    }
    assert members(found) == members(then)
    assert found.servers == then.servers
    assert locked(found) == []
    had = start.computes[task.host]
    now = found.computes[task.host]
    taken_over = had.disabled_reason == LEFT and task.disable_compute and plan.changed
    assert now.enabled == (had.enabled or taken_over)
    assert plan.changed == (members(start) != members(found))
    if plan.changed:
        mirrored = rules.mirrors[had.provider]
        for name in filter(None, (source, target)):
            assert (found.by_name[name].uuid in mirrored) == (name in mine)
    _stays(found, task, mine)


def _stays(found: GpuWorld, task: MigrationTask, mine: set[str]) -> None:
    """A second run changes nothing, also by advice."""
    again, _ = plan_migration(found, task, Policy())
    assert again.steps == []
    assert again.facts["target"] in mine


@settings(max_examples=120, deadline=None)
@given(moves(), st.data())
def test_undone_after_any_step_it_is_as_before(
    move: tuple[GpuWorld, MigrationTask, Plan, GpuWorld], data: st.DataObject
) -> None:
    start, task, plan, _ = move
    assume(plan.changed)
    number = data.draw(st.integers(0, len(plan.steps)), label="steps")
    rules = Rules(start)
    forward(rules, plan.steps[:number])
    backward(rules, plan.steps[:number])
    found = rules.world
    assert members(found) == members(start)
    assert found.computes == start.computes
    assert locked(found) == []
    provider = start.computes[task.host].provider
    assert rules.mirrors[provider] == Rules(start).mirrors[provider]
    drained = {step.server for step in plan.steps if step.kind == "gpu.migrate"}  # type: ignore[attr-defined]
    assert [s for s in found.servers if s.id not in drained] == [
        s for s in start.servers if s.id not in drained
    ]


@settings(max_examples=120, deadline=None)
@given(moves())
def test_the_host_is_never_in_no_pool_unless_zones_want_it(
    move: tuple[GpuWorld, MigrationTask, Plan, GpuWorld],
) -> None:
    start, task, plan, _ = move
    rules = Rules(start)
    source, target = plan.facts["source"], plan.facts["target"]
    zones = {a.name: a.zone for a in start.aggregates}
    zoned = source and zones[source] and zones[target] and zones[source] != zones[target]
    for step in plan.steps:
        step.apply(rules, lambda _: None)
        mine = {a.name for a in rules.world.aggregates_of.get(task.host, ())}
        assert not source or mine & {source, target} or zoned
        if step.kind in ("gpu.add", "gpu.remove") and task.disable_compute:
            assert not rules.services[task.host].enabled


@settings(max_examples=200, deadline=None)
@given(worlds(), st.data())
def test_several_moves_in_any_order(start: GpuWorld, data: st.DataObject) -> None:
    asked = [data.draw(tasks(start)) for _ in range(3)]
    asked = list({task.host: task for task in asked}.values())
    planned = plan_moves(start, asked, Policy())
    plans = [plan for plan in planned if isinstance(plan, Plan)]
    rules = Rules(start)
    for plan in data.draw(st.permutations(plans)):
        forward(rules, plan.steps)
    for task, became in zip(asked, planned, strict=True):
        now = {a.name for a in rules.world.aggregates_of.get(task.host, ())}
        if isinstance(became, Plan):
            assert became.after["aggregates"] == sorted(now)
        else:
            assert now == {a.name for a in start.aggregates_of.get(task.host, ())}
