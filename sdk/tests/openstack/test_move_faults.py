# SPDX-License-Identifier: Apache-2.0
"""Moves of GPU hosts while everything else fails: no host is lost, and what is reported is true."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from rigs.openstack import seed
from rigs.openstack.faults import Faults, Rule
from rigs.openstack.layout import CLOUDS

from hostler import Fleet
from hostler.config import FleetConfig, OpenstackConfig
from hostler.gpu import lock
from hostler.gpu.steps import base
from hostler.gpu.world import GpuWorld
from hostler.models.migration import MigrationResult
from hostler.plan.step import Report, Step
from hostler.plan.work import Work

from .moving import (
    ADD_FIRST,
    REMOVE_FIRST,
    Move,
    act,
    changes,
    clean,
    is_clean,
    nth_of,
    report_is_true,
    rules_of,
    truth,
)

pytestmark = [pytest.mark.usefixtures("returned"), pytest.mark.fault]

CALLS, CHANGES = 21, 6
"""So many calls make a move; so many of them change something."""

FAULTS: dict[str, dict[str, Any]] = {
    "refused": {"action": "refuse"},
    "lost": {"action": "lose"},
    "409": {"action": "answer", "status": 409},
    "500": {"action": "answer", "status": 500},
    "503": {"action": "answer", "status": 503},
    "slow": {"action": "pass", "delay": 0.2},
}


class Pair(NamedTuple):
    """A fleet whose calls go through the proxy, and one past it, with one journal.

    ``world`` is what the first one reads before each move: the same, since hosts are put back.
    """

    proxied: Fleet
    healthy: Fleet
    world: GpuWorld


@pytest.fixture(scope="module")
def pair(rig: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:  # noqa: ARG001
    """Two fleets for all faults, so that each logs in once; they don't wait long between tries."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OS_CLIENT_CONFIG_FILE", str(CLOUDS))
        patch.setattr(base, "WAITS", (0.05, 0.2))
        patch.setattr(lock, "PAUSE", (0.05, 0.2))
        patch.setenv("HOSTLER_STORE", f"sqlite:///{tmp_path_factory.mktemp('moves')}/journal.db")
        with Fleet(cloud="box-proxied") as proxied, Fleet(cloud="box") as healthy:
            assert proxied.journal.list() == healthy.journal.list() == []  # opened now
            yield Pair(proxied, healthy, proxied.gpu.observe(flavors=True))


@pytest.fixture(scope="module")
def calls(pair: Pair) -> dict[Move, list[Rule]]:
    """The calls of each move, one after the other, as rules that fire on just that one."""
    found = {}
    for move in (ADD_FIRST, REMOVE_FIRST):
        plan = pair.proxied.gpu.migrations.plan(move.task)
        faults = Faults()
        faults.clear()
        plan.apply()
        found[move] = rules_of(faults.requests())
    seed.reset()
    return found


@pytest.fixture
def returned() -> Iterator[None]:
    """Hosts are put back; whatever else is not as before is a reason to look at everything."""
    yield
    for move in (ADD_FIRST, REMOVE_FIRST):
        found = truth(move.host)
        if found == clean(move.target):
            act(move.target, "remove_host", move.host)
            act(move.source, "add_host", move.host)
        elif found != clean(move.source):
            seed.reset()


def move_with(
    fault: Rule, move: Move, fleet: Fleet, faults: Faults, world: GpuWorld
) -> MigrationResult:
    """Move a host where one call fails."""
    faults.set(fault)
    (result,) = fleet.gpu.migrations.run([move.task], world=world)
    return result


def test_these_are_all_calls(calls: dict[Move, list[Rule]]) -> None:
    assert [len(rules) for rules in calls.values()] == [CALLS, CALLS]
    assert [len(changes(rules)) for rules in calls.values()] == [CHANGES, CHANGES]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", range(CALLS))
def test_each_call_fails(
    pair: Pair, faults: Faults, calls: dict[Move, list[Rule]], call: int, fault: str
) -> None:
    rule = replace(calls[ADD_FIRST][call], **FAULTS[fault])
    result = move_with(rule, ADD_FIRST, pair.proxied, faults, pair.world)
    assert faults.fired() == [1]
    report_is_true(result, ADD_FIRST, pair.healthy)


@pytest.mark.parametrize("fault", ["lost", "503"])
@pytest.mark.parametrize("call", range(CALLS))
def test_each_call_fails_where_the_host_must_leave_first(
    pair: Pair, faults: Faults, calls: dict[Move, list[Rule]], call: int, fault: str
) -> None:
    rule = replace(calls[REMOVE_FIRST][call], **FAULTS[fault])
    result = move_with(rule, REMOVE_FIRST, pair.proxied, faults, pair.world)
    assert faults.fired() == [1]
    report_is_true(result, REMOVE_FIRST, pair.healthy)


@pytest.mark.parametrize("move", [ADD_FIRST, REMOVE_FIRST], ids=["add first", "remove first"])
@pytest.mark.parametrize("change", range(CHANGES))
def test_no_answer_in_time_though_it_took_effect(
    pair: Pair, faults: Faults, calls: dict[Move, list[Rule]], change: int, move: Move
) -> None:
    hurried = FleetConfig(openstack=OpenstackConfig(timeout=1))
    rule = replace(changes(calls[move])[change], action="lose", delay=2.0)
    with Fleet(hurried, cloud="box-proxied") as hasty:
        hasty.gpu.observe()  # logs in
        result = move_with(rule, move, hasty, faults, pair.world)
    assert faults.fired() == [1]
    assert result.error is None
    report_is_true(result, move, pair.healthy)


@pytest.mark.parametrize("change", range(2, CHANGES))
def test_nova_is_down_from_a_change_on(
    pair: Pair, faults: Faults, calls: dict[Move, list[Rule]], change: int
) -> None:
    first = nth_of(calls[REMOVE_FIRST], changes(calls[REMOVE_FIRST])[change])
    down = Rule("nova", action="answer", status=503, times=0, nth=first)
    result = move_with(down, REMOVE_FIRST, pair.proxied, faults, pair.world)
    assert result.error is not None
    assert result.changed
    assert "hostler plan undo" in result.error
    faults.clear()
    assert result.plan is not None
    pair.healthy.runner.undo(result.plan.id)
    is_clean(REMOVE_FIRST.host, REMOVE_FIRST.source)


def dies(move: Move, when: str, wanted: str) -> int:
    """Move a host in a process of its own, which kills itself at a step; its wait status."""
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)[1]
    apply, seen = Work._apply, list[str]()

    def dying(work: Work, step: Step, report: Report) -> None:
        seen.append(step.kind)
        at_it = f"{step.kind} {seen.count(step.kind)}" == wanted
        if at_it and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        apply(work, step, report)
        if at_it:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        Work._apply = dying  # type: ignore[assignment, method-assign]
        with Fleet(cloud="box") as fleet:
            fleet.gpu.migrations.run([move.task])
    finally:
        os._exit(1)  # never back into the tests


STEPS = [
    *("gpu.lock 1", "gpu.check 1", "gpu.disable 1", "gpu.count 1", "gpu.mirror 1", "gpu.remove 1"),
    *("gpu.add 1", "gpu.mirror 2", "gpu.check 2", "gpu.enable 1", "gpu.unlock 1"),
]


KILLS = [(step, when) for step in STEPS for when in ("before", "after")]


@pytest.mark.parametrize(
    ("step", "when", "then"),
    [(*kill, ("resume", "undo")[number // 2 % 2]) for number, kill in enumerate(KILLS, 1)],
)
def test_killed(step: str, when: str, then: str) -> None:
    move = REMOVE_FIRST
    assert os.WTERMSIG(dies(move, when, step)) == signal.SIGKILL
    with Fleet(cloud="box") as fleet:  # only now: SQLite does not like to be forked
        (left,) = fleet.journal.list(unfinished=True)
        assert not left.alive
        getattr(fleet.runner, then)(left.plan.id)
    is_clean(move.host, move.target if then == "resume" else move.source)
