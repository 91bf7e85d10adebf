# SPDX-License-Identifier: Apache-2.0
"""Moves of GPU hosts while everything else fails: no host is lost, and what is reported is true.

Every call of a move meets every fault. In the other order, which availability zones may want, all
calls that differ do; the others meet two each, unless HOSTLER_ALL_FAULTS=1 wants all.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace

import pytest
from rigs.openstack import seed
from rigs.openstack.faults import Faults, Rule

from hostler import Fleet
from hostler.config import FleetConfig, OpenstackConfig
from hostler.models.migration import MigrationResult
from hostler.plan.step import Report, Step
from hostler.plan.work import Work

from .faulty import FAULTS, Pair, Shuttle, Way, both_ways, cases, changes, nth_of, two_fleets
from .moving import ADD_FIRST, REMOVE_FIRST, clean, is_clean, report_is_true, truth

pytestmark = pytest.mark.fault

CALLS, CHANGES = 21, 6
"""So many calls make a move; so many of them change something."""

MOVES = {"add first": ADD_FIRST, "remove first": REMOVE_FIRST}
ORDERED = range(10, 17)
"""The calls that come in another order in the second of them, and those that look at them."""

CASES = [
    *(("add first", *case) for case in cases(CALLS, range(CALLS), few=2)),
    *(("remove first", *case) for case in cases(CALLS, ORDERED, few=2)),
]


@pytest.fixture(scope="module")
def pair(rig: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:  # noqa: ARG001
    """Two fleets for all faults, so that each logs in once."""
    with two_fleets(tmp_path_factory.mktemp("moves")) as pair:
        yield pair


@pytest.fixture(scope="module")
def shuttles(pair: Pair) -> Iterator[dict[str, Shuttle]]:
    """The two hosts that go to and fro."""
    yield {name: both_ways(pair.proxied, move) for name, move in MOVES.items()}
    seed.reset()


@pytest.fixture(params=MOVES)
def way(shuttles: dict[str, Shuttle], request: pytest.FixtureRequest) -> Iterator[Way]:
    """The move that a host makes now; where it is after the test, is looked at."""
    shuttle = shuttles[request.param]
    yield shuttle.way
    shuttle.look()


def move_with(faults: Faults, way: Way, fleet: Fleet, *rules: Rule) -> MigrationResult:
    """Move a host where some calls fail."""
    faults.set(*rules)
    (result,) = fleet.gpu.migrations.run([way.move.task], world=way.world)
    return result


def test_these_are_all_calls(way: Way) -> None:
    assert (len(way.calls), len(changes(way.calls))) == (CALLS, CHANGES)


@pytest.mark.parametrize(("way", "call", "fault"), CASES, indirect=["way"])
def test_each_call_fails(pair: Pair, faults: Faults, way: Way, call: int, fault: str) -> None:
    rule = replace(way.calls[call], **FAULTS[fault])
    result = move_with(faults, way, pair.proxied, rule)
    assert faults.fired() == [1]
    report_is_true(result, way.move, pair.healthy)


@pytest.fixture(scope="module")
def hasty(pair: Pair) -> Iterator[Fleet]:  # noqa: ARG001 - it sets the environment
    """A fleet that waits a second for an answer."""
    with Fleet(FleetConfig(openstack=OpenstackConfig(timeout=1)), cloud="box-proxied") as fleet:
        fleet.gpu.observe()  # logs in
        yield fleet


@pytest.mark.parametrize("change", range(CHANGES))
def test_no_answer_in_time_though_it_took_effect(
    pair: Pair, hasty: Fleet, faults: Faults, way: Way, change: int
) -> None:
    result = move_with(
        faults, way, hasty, replace(changes(way.calls)[change], action="lose", delay=1.5)
    )
    assert faults.fired() == [1]
    assert result.error is None
    report_is_true(result, way.move, pair.healthy)


@pytest.mark.parametrize("then", ["resume", "undo"])
@pytest.mark.parametrize("change", range(2, CHANGES))
def test_nova_is_down_from_a_change_on(
    pair: Pair, faults: Faults, way: Way, change: int, then: str
) -> None:
    first = nth_of(way.calls, changes(way.calls)[change])
    down = Rule("nova", action="answer", status=503, times=0, nth=first)
    result = move_with(faults, way, pair.proxied, down)
    assert result.changed
    assert result.verification is None
    assert "where it is now could not be read" in " ".join(result.warnings)
    assert result.plan is not None
    left_half_way(pair.healthy, result, result.plan.id)
    faults.clear()
    getattr(pair.healthy.runner, then)(result.plan.id)
    is_clean(way.move.host, way.move.target if then == "resume" else way.move.source)


def left_half_way(fleet: Fleet, result: MigrationResult, plan: str) -> None:
    """What was done stays written down, and the error says how it is ended."""
    says = f"'hostler plan resume {plan}' finishes it, 'hostler plan undo {plan}' takes it back"
    assert says in (result.error or "")
    (left,) = fleet.journal.list(unfinished=True)
    done = [s.summary for s, at in zip(left.plan.steps, left.statuses, strict=True) if at == "done"]
    assert done
    assert f"Still in effect: {', '.join(done)}" in (result.error or "")
    assert (left.plan.id, left.status) == (plan, "failed")
    assert "Undoing stopped" in (left.error or "")


@pytest.mark.parametrize("way", ["remove first"], indirect=True)
def test_a_host_between_two_zones_is_said_to_be_in_neither(
    pair: Pair, faults: Faults, way: Way
) -> None:
    """Nova goes when the host has left, and is not in yet: nobody could put it back."""
    adds = changes(way.calls)[3]
    down = Rule("nova", action="answer", status=503, times=0, nth=nth_of(way.calls, adds))
    result = move_with(faults, way, pair.proxied, down)
    assert truth(way.move.host).aggregates == set()
    assert result.error is not None
    left = f"take host {way.move.host} out of aggregate {way.move.source}"
    assert "Whether it took effect could not be found out" in result.error
    assert f"{left}. See 'hostler plan show" in result.error
    faults.clear()
    assert result.plan is not None
    pair.healthy.runner.resume(result.plan.id)
    is_clean(way.move.host, way.move.target)


@pytest.mark.parametrize("change", range(CHANGES))
def test_the_token_ends_midway_and_keystone_gives_no_other(
    pair: Pair, faults: Faults, way: Way, change: int
) -> None:
    pair.proxied.openstack_cloud().connect()  # the test before has lost its token
    expired = replace(changes(way.calls)[change], action="answer", status=401)
    refuses = replace(Rule("keystone", times=0), **FAULTS[("refused", "503")[change % 2]])
    result = move_with(faults, way, pair.proxied, expired, refuses)
    assert faults.fired()[0] == 1
    assert "Keystone of cloud 'box-proxied'" in (result.error or "")
    faults.clear()
    report_is_true(result, way.move, pair.healthy)


def dies(way: Way, when: str, wanted: str) -> int:
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
            fleet.gpu.migrations.run([way.move.task], world=way.world)
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
def test_killed(way: Way, step: str, when: str, then: str) -> None:
    assert os.WTERMSIG(dies(way, when, step)) == signal.SIGKILL
    with Fleet(cloud="box") as fleet:  # only now: SQLite does not like to be forked
        (left,) = fleet.journal.list(unfinished=True)
        assert not left.alive
        getattr(fleet.runner, then)(left.plan.id)
    assert truth(way.move.host) == clean(way.move.target if then == "resume" else way.move.source)
