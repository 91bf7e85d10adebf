# SPDX-License-Identifier: Apache-2.0
"""Moves of GPU hosts while others are at work too, tokens end, programs die and servers leave."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rigs.openstack.faults import Action, Faults, Rule

from hostler import Fleet
from hostler.errors import Conflict, Denied, PlanFailed
from hostler.models.migration import MigrationResult
from hostler.plan.outcome import Progress

from .moving import (
    ADD_FIRST,
    REMOVE_FIRST,
    Move,
    act,
    admin,
    disable,
    is_clean,
    provider,
    report_is_true,
    run,
    truth,
)

pytestmark = [pytest.mark.usefixtures("changed"), pytest.mark.fault]

DRAIN = Move("gpu-host-001", "L40-n3", "L40-n3-runpod")
ADD, REMOVE = r"add_host", r"remove_host"


class Held:
    """A request that the proxy holds back until it is let go."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def wait(self) -> None:
        deadline = time.monotonic() + 20
        while not self.file.exists():
            assert time.monotonic() < deadline, "the request never came"
            time.sleep(0.01)

    def let_go(self) -> None:
        self.file.unlink()


@pytest.fixture
def hold(faults: Faults, tmp_path: Path) -> Callable[..., Held]:
    """Hold back a request of Nova, or of another service."""

    def at(method: str, path: str, body: str = "", *, nth: int = 1, service: str = "nova") -> Held:
        file = tmp_path / "held"
        faults.set(Rule(service, method, path, body, nth=nth, hold=str(file)))
        return Held(file)

    return at


def meanwhile(held: Held, fleet: Fleet, move: Move, does: Callable[[], object]) -> MigrationResult:
    """Move a host; once the request is held back, something else is done, and it goes on."""
    results: list[MigrationResult] = []
    thread = threading.Thread(target=lambda: results.append(run(fleet, move)))
    thread.start()
    held.wait()
    does()
    held.let_go()
    thread.join(60)
    (result,) = results
    return result


def before(summary: str, does: Callable[[], object]) -> Callable[[Progress], None]:
    """Do something right before the step that begins so."""
    done: list[object] = []

    def tell(progress: Progress) -> None:
        if progress.summary.startswith(summary) and progress.fraction == 0.0 and not done:
            done.append(does())

    return tell


# Two programs, and more


MOVER = """
import sys
from hostler import Fleet
with Fleet(cloud="box-proxied") as fleet:
    task = {"host": sys.argv[1], "target": sys.argv[2], "drain": len(sys.argv) > 3}
    fleet.gpu.migrations.run([task])
"""


def mover(move: Move, *drain: str) -> subprocess.Popen[bytes]:
    """Start a program that moves a host, through the proxy."""
    words = [sys.executable, "-c", MOVER, move.host, move.target, *drain]
    return subprocess.Popen(words, env=dict(os.environ))


@pytest.mark.usefixtures("environment")
def test_a_second_program_is_refused_and_a_third_waits(
    hold: Callable[..., Held], fleet: Fleet
) -> None:
    held = hold("POST", r"/os-aggregates/\d+/action", ADD)
    first = mover(ADD_FIRST)
    held.wait()
    second = run(fleet, ADD_FIRST)
    assert second.error is not None
    assert f"it is being moved by root on {os.uname().nodename} (plan " in second.error
    assert "Wait for it (option wait)" in second.error
    assert truth(ADD_FIRST.host).aggregates == {ADD_FIRST.source}
    third: list[MigrationResult] = []
    thread = threading.Thread(target=lambda: third.append(run(fleet, ADD_FIRST, wait=30)))
    thread.start()
    time.sleep(0.5)
    held.let_go()
    thread.join(60)
    assert first.wait(60) == 0
    assert [(result.error, result.changed) for result in third] == [(None, False)]
    is_clean(ADD_FIRST.host, ADD_FIRST.target)


@pytest.mark.usefixtures("environment")
def test_who_waits_goes_on_from_where_the_host_is_then(
    hold: Callable[..., Held], fleet: Fleet
) -> None:
    held = hold("POST", r"/os-aggregates/\d+/action", ADD)
    first = mover(ADD_FIRST)
    held.wait()
    threading.Timer(0.7, held.let_go).start()
    second = run(fleet, ADD_FIRST._replace(target="L40-n3-spot"), wait=30)
    assert first.wait(60) == 0
    assert (second.error, second.source_aggregate) == (None, ADD_FIRST.target)
    is_clean(ADD_FIRST.host, "L40-n3-spot")


def test_waiting_has_an_end(fleet: Fleet, hold: Callable[..., Held], proxied_fleet: Fleet) -> None:
    held = hold("POST", r"/os-aggregates/\d+/action", ADD)
    found: list[Any] = []

    def second() -> None:
        began = time.monotonic()
        found.extend([run(fleet, ADD_FIRST, wait=2), time.monotonic() - began])

    first = meanwhile(held, proxied_fleet, ADD_FIRST, second)
    assert "it is being moved by" in found[0].error
    assert 1.5 < found[1] < 8
    assert first.error is None
    is_clean(ADD_FIRST.host, ADD_FIRST.target)


def test_who_waits_and_is_outrun_plans_anew(fleet: Fleet) -> None:
    """Somebody is quicker by just so much that the host was at rest when it was looked at."""
    outruns = before("lock host", lambda: run(fleet, ADD_FIRST))
    task = {"host": ADD_FIRST.host, "target": "L40-n3-spot", "wait": 30}
    (second,) = fleet.gpu.migrations.run([task], on_progress=outruns)
    assert (second.error, second.source_aggregate) == (None, ADD_FIRST.target)
    is_clean(ADD_FIRST.host, "L40-n3-spot")


def test_who_waits_not_and_is_outrun_is_told(fleet: Fleet) -> None:
    outruns = before("lock host", lambda: run(fleet, ADD_FIRST))
    task = {"host": ADD_FIRST.host, "target": "L40-n3-spot"}
    (second,) = fleet.gpu.migrations.run([task], on_progress=outruns)
    assert second.error is not None
    assert "it is in L40-n3-runpod: somebody else has moved it" in second.error
    assert "Run again: it plans from what is there now." in second.error
    is_clean(ADD_FIRST.host, ADD_FIRST.target)


# Others who use no lock


@pytest.mark.parametrize("move", [ADD_FIRST, REMOVE_FIRST], ids=["add first", "remove first"])
@pytest.mark.parametrize("change", [ADD, REMOVE])
def test_somebody_else_does_the_same(
    hold: Callable[..., Held], proxied_fleet: Fleet, move: Move, change: str
) -> None:
    held = hold("POST", r"/os-aggregates/\d+/action", change)
    aggregate = move.target if change == ADD else move.source
    does = lambda: act(aggregate, change, move.host)  # noqa: E731 - as short as that
    assert meanwhile(held, proxied_fleet, move, does).error is None
    is_clean(move.host, move.target)


def test_somebody_else_takes_it_out_of_the_target_meanwhile(fleet: Fleet) -> None:
    plan = fleet.gpu.migrations.plan(ADD_FIRST.task)
    takes = before("take host", lambda: act(ADD_FIRST.target, REMOVE, ADD_FIRST.host))
    with pytest.raises(PlanFailed, match="somebody else has taken it out of L40-n3-runpod") as stop:
        plan.apply(takes)
    assert stop.value.outcome.status == "undone"
    is_clean(ADD_FIRST.host, ADD_FIRST.source)


def test_a_service_that_can_not_be_enabled_is_reported(
    proxied_fleet: Fleet, faults: Faults, fleet: Fleet
) -> None:
    world = proxied_fleet.gpu.observe(flavors=True)
    faults.set(Rule("nova", "PUT", "/os-services/", nth=2, times=0, action="answer", status=403))
    (result,) = proxied_fleet.gpu.migrations.run([ADD_FIRST.task], world=world)
    faults.clear()
    assert result.error is not None
    assert "Still in effect: lock host gpu-host-002" in result.error
    found = truth(ADD_FIRST.host)
    assert found.aggregates == {ADD_FIRST.source}
    assert (found.service[0], len(found.locks)) == ("disabled", 1)
    report_is_true(result, ADD_FIRST, fleet)


def test_a_host_that_was_moved_on_is_left_there(fleet: Fleet) -> None:
    done = run(fleet, ADD_FIRST)
    assert done.plan is not None
    act("L40-n3-spot", ADD, ADD_FIRST.host)
    act(ADD_FIRST.target, REMOVE, ADD_FIRST.host)
    with pytest.raises(PlanFailed, match="it has been put into L40-n3-spot since"):
        fleet.runner.undo(done.plan.id)
    assert truth(ADD_FIRST.host).aggregates == {"L40-n3-spot"}


def test_a_service_that_somebody_disables_before_we_do_stays_so(fleet: Fleet) -> None:
    plan = fleet.gpu.migrations.plan(ADD_FIRST.task)
    plan.apply(before("disable", lambda: disable(ADD_FIRST.host, "a disk is broken")))
    found = truth(ADD_FIRST.host)
    assert found.service == ("disabled", "a disk is broken")
    assert found.aggregates == {ADD_FIRST.target}


def test_somebody_changes_the_host_in_placement_at_the_same_time(
    hold: Callable[..., Held], proxied_fleet: Fleet, fleet: Fleet
) -> None:
    plan = proxied_fleet.gpu.migrations.plan(ADD_FIRST.task)
    path = f"/resource_providers/{provider(ADD_FIRST.host)}/aggregates"
    admin().put("placement", path, {**admin().get("placement", path), "aggregates": []})
    held = hold("PUT", r"/resource_providers/.*/aggregates", service="placement")
    thread = threading.Thread(target=plan.apply)
    thread.start()
    held.wait()
    admin().put("placement", path, admin().get("placement", path))  # a new generation
    held.let_go()
    thread.join(60)
    assert fleet.journal.load(plan.id).status == "done"
    is_clean(ADD_FIRST.host, ADD_FIRST.target)


def at_rest(host: str, servers: int) -> None:
    """Wait until so many servers have arrived at a host."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = admin().get("nova", "/v2.1/servers/detail", all_tenants=1, host=host)["servers"]
        if [s["OS-EXT-STS:task_state"] for s in found] == [None] * servers:
            return
        time.sleep(0.2)
    raise AssertionError(found)


# Killed


CHANGES = [
    ("POST", r"/os-aggregates/\d+/action", "set_metadata", 1),
    ("PUT", r"/os-services/", "disabled", 1),
    ("POST", r"/os-aggregates/\d+/action", REMOVE, 1),
    ("POST", r"/os-aggregates/\d+/action", ADD, 1),
    ("PUT", r"/os-services/", "enabled", 1),
    ("POST", r"/os-aggregates/\d+/action", "set_metadata", 2),
]


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("move", "then"),
    [(ADD_FIRST, "resume"), (REMOVE_FIRST, "undo")],
    ids=["add first, resume", "remove first, undo"],
)
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: f"{change[2]} {change[3]}")
def test_killed_while_nova_is_at_it(
    hold: Callable[..., Held],
    faults: Faults,
    fleet: Fleet,
    change: tuple[str, str, str, int],
    move: Move,
    then: str,
) -> None:
    """The program dies, and Nova does what it was asked for all the same."""
    method, path, body, nth = change
    held = hold(method, path, body, nth=nth)
    program = mover(move)
    held.wait()
    program.kill()
    assert program.wait(20) == -signal.SIGKILL
    held.let_go()
    deadline = time.monotonic() + 20
    while not any(r.method == method and r.action == "pass" for r in faults.requests()[-1:]):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    (left,) = fleet.journal.list(unfinished=True)
    getattr(fleet.runner, then)(left.plan.id)
    is_clean(move.host, move.target if then == "resume" else move.source)


@pytest.mark.usefixtures("environment")
def test_what_a_dead_move_left_is_taken_over(hold: Callable[..., Held], fleet: Fleet) -> None:
    held = hold("POST", r"/os-aggregates/\d+/action", ADD)
    program = mover(ADD_FIRST)
    held.wait()
    program.kill()
    program.wait(20)
    held.let_go()
    deadline = time.monotonic() + 20
    while ADD_FIRST.target not in (left := truth(ADD_FIRST.host)).aggregates:
        assert time.monotonic() < deadline
    assert left.aggregates == {ADD_FIRST.source, ADD_FIRST.target}
    assert left.service[0] == "disabled"
    (check,) = fleet.gpu.migrations.run([ADD_FIRST.task], check=True)
    assert check.plan is not None
    assert "'hostler plan resume" in " ".join(check.plan.warnings)
    done = run(fleet, ADD_FIRST)
    assert done.error is None
    is_clean(ADD_FIRST.host, ADD_FIRST.target)
    (dead,) = fleet.journal.list(unfinished=True)
    fleet.runner.resume(dead.plan.id)
    is_clean(ADD_FIRST.host, ADD_FIRST.target)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("then", ["resume", "undo"])
def test_a_dead_move_does_not_follow_a_host_that_was_moved_elsewhere(
    hold: Callable[..., Held], fleet: Fleet, then: str
) -> None:
    held = hold("PUT", r"/os-services/", "disabled")
    program = mover(ADD_FIRST)
    held.wait()
    program.kill()
    program.wait(20)
    held.let_go()
    other = ADD_FIRST._replace(target="L40-n3-spot")
    assert run(fleet, other).error is None
    (dead,) = fleet.journal.list(unfinished=True)
    if then == "resume":
        with pytest.raises(PlanFailed, match="it has been put into L40-n3-spot since"):
            fleet.runner.resume(dead.plan.id)
    else:
        fleet.runner.undo(dead.plan.id)
    is_clean(ADD_FIRST.host, "L40-n3-spot")


# Rights and tokens


def test_a_token_that_expires_on_the_way_is_renewed(proxied_fleet: Fleet, faults: Faults) -> None:
    plan = proxied_fleet.gpu.migrations.plan(ADD_FIRST.task)
    faults.set(Rule("nova", "POST", "/action", ADD, action="answer", status=401))
    plan.apply()
    assert faults.fired() == [1]
    is_clean(ADD_FIRST.host, ADD_FIRST.target)


@pytest.mark.parametrize("move", [ADD_FIRST, REMOVE_FIRST], ids=["add first", "remove first"])
def test_we_are_locked_out_on_the_way(
    proxied_fleet: Fleet, fleet: Fleet, faults: Faults, move: Move
) -> None:
    world = proxied_fleet.gpu.observe(flavors=True)
    out = Rule("nova", "POST", "/action", "_host", nth=2, times=0, action="answer", status=403)
    faults.set(out, Rule("nova", "POST", "/action", "_host"))
    (result,) = proxied_fleet.gpu.migrations.run([move.task], world=world)
    assert result.error is not None
    assert "we may not do that" in result.error
    assert result.verification is not None
    found = set(result.verification.aggregates)
    assert found == ({move.source, move.target} if move is ADD_FIRST else set())
    assert found == truth(move.host).aggregates
    assert "Still in effect: lock host" in result.error
    faults.clear()
    assert result.plan is not None
    fleet.runner.undo(result.plan.id)
    is_clean(move.host, move.source)


def test_who_is_no_administrator_is_told_so(reader_fleet: Fleet) -> None:
    with pytest.raises(Denied, match="It needs the role admin"):
        reader_fleet.gpu.migrations.run([ADD_FIRST.task])
    is_clean(ADD_FIRST.host, ADD_FIRST.source)


# Drains


@pytest.mark.parametrize("action", ["refuse", "lose"])
def test_the_second_server_of_a_drain(
    proxied_fleet: Fleet, fleet: Fleet, faults: Faults, action: Action
) -> None:
    """One call of a drain each is broken in test_drain_faults; there, a host has one server."""
    world = proxied_fleet.gpu.observe(flavors=True)
    begins = Rule("nova", "POST", r"/servers/[^/]+/action$", body="os-migrateLive", nth=2)
    faults.set(replace(begins, action=action))
    task = {**DRAIN.task, "drain": True}
    (result,) = proxied_fleet.gpu.migrations.run([task], world=world)
    assert faults.fired() == [1]
    report_is_true(result, DRAIN, fleet)
    assert (result.error is None) == (action == "lose")
    if result.error is not None:
        assert "Kept: migrate server a-train-2" in result.error
        assert run(fleet, DRAIN, drain=True).error is None
    is_clean(DRAIN.host, DRAIN.target)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("then", ["resume", "undo"])
def test_killed_while_a_server_migrates(hold: Callable[..., Held], fleet: Fleet, then: str) -> None:
    held = hold("POST", r"/servers/[^/]+/action$", "os-migrateLive")
    program = mover(DRAIN, "drain")
    held.wait()
    program.kill()
    program.wait(20)
    held.let_go()
    at_rest("gpu-host-002", 1)
    (left,) = fleet.journal.list(unfinished=True)
    getattr(fleet.runner, then)(left.plan.id)
    is_clean(DRAIN.host, DRAIN.target if then == "resume" else DRAIN.source)


def test_a_server_in_the_way_is_named_and_nothing_begins(fleet: Fleet) -> None:
    full = Move("gpu-host-003", "L40-n3-spot", "L40-n3")
    with pytest.raises(Conflict, match=r"it can't be drained: b-infer-1 \(no other host of"):
        fleet.gpu.migrations.plan({**full.task, "drain": True})
    assert fleet.journal.list() == []
