# SPDX-License-Identifier: Apache-2.0
"""Moves of GPU hosts while everything else fails: no host is lost, and what is reported is true."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from typing import Any

import pytest
from rigs.openstack import seed
from rigs.openstack.api import Cloud
from rigs.openstack.faults import Faults, Rule
from rigs.openstack.layout import CLOUDS

from hostler import Fleet
from hostler.config import FleetConfig, OpenstackConfig
from hostler.errors import PlanFailed
from hostler.models.migration import MigrationResult
from hostler.plan.outcome import Progress
from hostler.plan.who import Who

from .moving import (
    ADD_FIRST,
    REMOVE_FIRST,
    Move,
    boot,
    changes,
    disable,
    drift,
    is_clean,
    nth_of,
    report_is_true,
    rules_of,
    run,
    truth,
    write_lock,
)

pytestmark = [pytest.mark.usefixtures("changed"), pytest.mark.fault]

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


@pytest.fixture(scope="module")
def calls(rig: None) -> dict[Move, list[Rule]]:  # noqa: ARG001 - it is needed
    """The calls of each move, one after the other, as rules that fire on just that one."""
    found = {}
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OS_CLIENT_CONFIG_FILE", str(CLOUDS))
        patch.setenv("HOSTLER_STORE", f"sqlite:///{folder}/journal.db")
        for move in (ADD_FIRST, REMOVE_FIRST):
            with Fleet(cloud="box-proxied") as fleet:
                world = fleet.gpu.observe(flavors=True)
                faults = Faults()
                faults.clear()
                plan = fleet.gpu.migrations.plan(move.task, world)
                plan.apply()
                found[move] = rules_of(faults.requests())
    seed.reset()
    return found


def test_these_are_all_calls(calls: dict[Move, list[Rule]]) -> None:
    assert [len(rules) for rules in calls.values()] == [CALLS, CALLS]
    assert [len(changes(rules)) for rules in calls.values()] == [CHANGES, CHANGES]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", range(CALLS))
def test_each_call_fails(
    proxied_fleet: Fleet,
    fleet: Fleet,
    faults: Faults,
    calls: dict[Move, list[Rule]],
    call: int,
    fault: str,
) -> None:
    world = proxied_fleet.gpu.observe(flavors=True)
    faults.set(replace(calls[ADD_FIRST][call], **FAULTS[fault]))
    (result,) = proxied_fleet.gpu.migrations.run([ADD_FIRST.task], world=world)
    assert faults.fired() == [1]
    report_is_true(result, ADD_FIRST, fleet)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("change", range(CHANGES))
def test_each_change_fails_where_the_host_must_leave_first(
    proxied_fleet: Fleet,
    fleet: Fleet,
    faults: Faults,
    calls: dict[Move, list[Rule]],
    change: int,
    fault: str,
) -> None:
    world = proxied_fleet.gpu.observe(flavors=True)
    faults.set(replace(changes(calls[REMOVE_FIRST])[change], **FAULTS[fault]))
    (result,) = proxied_fleet.gpu.migrations.run([REMOVE_FIRST.task], world=world)
    assert faults.fired() == [1]
    report_is_true(result, REMOVE_FIRST, fleet)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("move", [ADD_FIRST, REMOVE_FIRST], ids=["add first", "remove first"])
@pytest.mark.parametrize("change", range(CHANGES))
def test_no_answer_in_time_though_it_took_effect(
    fleet: Fleet, faults: Faults, calls: dict[Move, list[Rule]], change: int, move: Move
) -> None:
    config = FleetConfig(openstack=OpenstackConfig(timeout=1))
    with Fleet(config, cloud="box-proxied") as hasty:
        world = fleet.gpu.observe(flavors=True)
        world = replace(world, cloud="box-proxied")
        faults.set(replace(changes(calls[move])[change], action="lose", delay=2.0))
        (result,) = hasty.gpu.migrations.run([move.task], world=world)
    assert faults.fired() == [1]
    assert result.error is None
    report_is_true(result, move, fleet)


@pytest.mark.parametrize("change", range(2, CHANGES))
def test_nova_is_down_from_a_change_on(
    proxied_fleet: Fleet,
    fleet: Fleet,
    faults: Faults,
    calls: dict[Move, list[Rule]],
    change: int,
) -> None:
    world = proxied_fleet.gpu.observe(flavors=True)
    first = changes(calls[REMOVE_FIRST])[change]
    down = Rule(
        "nova", action="answer", status=503, times=0, nth=nth_of(calls[REMOVE_FIRST], first)
    )
    faults.set(down)
    (result,) = proxied_fleet.gpu.migrations.run([REMOVE_FIRST.task], world=world)
    assert result.error is not None
    assert result.changed
    assert "hostler plan undo" in result.error
    faults.clear()
    assert result.plan is not None
    fleet.runner.undo(result.plan.id)
    is_clean(REMOVE_FIRST.host, REMOVE_FIRST.source)


DYING = """
import os, sys
from hostler import Fleet
from hostler.plan import work

when, wanted, host, target = sys.argv[1:]
apply, seen = work.Work._apply, []

def dying(self, step, report):
    name = f"{step.kind} {sum(s.kind == step.kind for s in seen) + 1}"
    seen.append(step)
    if when == "before" and name == wanted:
        os.kill(os.getpid(), 9)
    apply(self, step, report)
    if when == "after" and name == wanted:
        os.kill(os.getpid(), 9)

work.Work._apply = dying
with Fleet(cloud="box") as fleet:
    fleet.gpu.migrations.run([{"host": host, "target": target}])
"""
STEPS = [
    *("gpu.lock 1", "gpu.check 1", "gpu.disable 1", "gpu.count 1", "gpu.mirror 1", "gpu.remove 1"),
    *("gpu.add 1", "gpu.mirror 2", "gpu.check 2", "gpu.enable 1", "gpu.unlock 1"),
]


@pytest.mark.parametrize("then", ["resume", "undo"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_killed(fleet: Fleet, step: str, when: str, then: str) -> None:
    move = REMOVE_FIRST
    died = subprocess.run(
        [sys.executable, "-c", DYING, when, step, move.host, move.target],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    (left,) = fleet.journal.list(unfinished=True)
    assert not left.alive
    if then == "resume":
        fleet.runner.resume(left.plan.id)
    else:
        fleet.runner.undo(left.plan.id)
    is_clean(move.host, move.target if then == "resume" else move.source)


@pytest.mark.usefixtures("environment")
def test_two_at_once() -> None:
    results: list[MigrationResult] = []

    def one() -> None:
        with Fleet(cloud="box") as fleet:
            results.append(run(fleet, ADD_FIRST))

    threads = [threading.Thread(target=one) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results) == 3
    moved = [result for result in results if result.error is None and result.changed]
    assert len(moved) <= 1
    is_clean(ADD_FIRST.host, ADD_FIRST.target if moved else ADD_FIRST.source)


ELSEWHERE = Who("alice", "ctl-2", 4711, "99")
GONE = Who("bob", os.uname().nodename, 4194000, "1")
LATER, EARLIER = "2999-01-01T00:00:00Z", "2020-01-01T00:00:00Z"


def test_the_second_operator_is_refused_with_the_name_of_the_first(fleet: Fleet) -> None:
    write_lock(fleet, ADD_FIRST.host, ELSEWHERE, LATER)
    result = run(fleet, ADD_FIRST)
    assert result.error is not None
    assert "it is being moved by alice on ctl-2 (plan 6b000000-aaaa" in result.error
    assert "hostler gpu unlock gpu-host-002" in result.error
    found = truth(ADD_FIRST.host)
    assert found.aggregates == {ADD_FIRST.source}
    assert found.locks == ["hostler:lock:6b000000-aaaa"]
    assert run(fleet, ADD_FIRST._replace(host="gpu-host-007", target="RTX-A4000-n3-runpod")).changed
    fleet.gpu.migrations.unlock(ADD_FIRST.host)
    assert run(fleet, ADD_FIRST).changed
    is_clean(ADD_FIRST.host, ADD_FIRST.target)


def test_the_second_operator_waits(fleet: Fleet) -> None:
    write_lock(fleet, ADD_FIRST.host, ELSEWHERE, LATER)
    timer = threading.Timer(2.0, fleet.gpu.migrations.unlock, [ADD_FIRST.host])
    timer.start()
    result = run(fleet, ADD_FIRST, wait=30)
    timer.join()
    assert result.error is None
    is_clean(ADD_FIRST.host, ADD_FIRST.target)


@pytest.mark.parametrize(
    ("who", "until"), [(ELSEWHERE, EARLIER), (GONE, LATER)], ids=["time is over", "process is gone"]
)
def test_a_stale_lock_is_in_nobodys_way(fleet: Fleet, who: Who, until: str) -> None:
    write_lock(fleet, ADD_FIRST.host, who, until)
    assert run(fleet, ADD_FIRST).error is None
    is_clean(ADD_FIRST.host, ADD_FIRST.target)


def test_a_lock_that_is_lost_midway_stops_the_move(fleet: Fleet) -> None:
    plan = fleet.gpu.migrations.plan(ADD_FIRST.task)

    def tell(progress: Progress) -> None:
        if progress.summary.startswith("put host") and progress.fraction == 0.0:
            fleet.gpu.migrations.unlock(ADD_FIRST.host)
            write_lock(fleet, ADD_FIRST.host, ELSEWHERE, LATER)

    with pytest.raises(PlanFailed, match="it is being moved by alice on ctl-2") as failed:
        plan.apply(tell)
    assert failed.value.outcome.status in ("failed", "undone")
    assert truth(ADD_FIRST.host).aggregates == {ADD_FIRST.source}
    fleet.gpu.migrations.unlock(ADD_FIRST.host)
    if failed.value.outcome.status == "failed":
        fleet.runner.undo(plan.id)
    is_clean(ADD_FIRST.host, ADD_FIRST.source)


def test_a_server_that_came_between_check_and_move(fleet: Fleet) -> None:
    plan = fleet.gpu.migrations.plan(ADD_FIRST.task)
    boot(ADD_FIRST.host)
    with pytest.raises(PlanFailed, match="it has got servers meanwhile: newcomer"):
        plan.apply()
    is_clean(ADD_FIRST.host, ADD_FIRST.source)


def test_a_server_that_only_placement_knows_of(fleet: Fleet) -> None:
    plan = fleet.gpu.migrations.plan(ADD_FIRST.task)
    cloud = Cloud()
    server = boot("gpu-host-003", "n3-L40x8")  # that host is full: it goes into ERROR, nowhere
    provider = cloud.get("placement", "/resource_providers", name=ADD_FIRST.host)
    uuid = provider["resource_providers"][0]["uuid"]
    allocation = {
        "allocations": {uuid: {"resources": {"VCPU": 1}}},
        "project_id": "x",
        "user_id": "x",
        "consumer_generation": None,
        "consumer_type": "INSTANCE",
    }
    cloud.put("placement", f"/allocations/{server}", allocation)
    try:
        with pytest.raises(PlanFailed, match="it has got servers meanwhile: newcomer"):
            plan.apply()
    finally:
        cloud.delete("placement", f"/allocations/{server}")
    is_clean(ADD_FIRST.host, ADD_FIRST.source)


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_nova_left_behind_in_placement_is_repaired(fleet: Fleet, when: str) -> None:
    plan = fleet.gpu.migrations.plan(ADD_FIRST.task)
    begins = "check that placement" if when == "after" else "lock host"

    def tell(progress: Progress) -> None:
        if progress.summary.startswith(begins) and progress.fraction == 0.0:
            drift(ADD_FIRST.host, [])

    plan.apply(tell)
    is_clean(ADD_FIRST.host, ADD_FIRST.target)


def test_drift_is_told_and_a_move_back_repairs_it(fleet: Fleet) -> None:
    drift(ADD_FIRST.host, [])
    (said,) = fleet.gpu.migrations.run([ADD_FIRST.task], check=True)
    assert said.verification is not None
    assert said.verification.placement_in_sync is False
    run(fleet, ADD_FIRST)
    is_clean(ADD_FIRST.host, ADD_FIRST.target)


def test_a_service_that_somebody_else_disabled_stays_so(fleet: Fleet) -> None:
    disable(ADD_FIRST.host, "a disk is broken")
    result = run(fleet, ADD_FIRST)
    assert result.error is None
    assert result.plan is not None
    assert any("a disk is broken" in warning for warning in result.plan.warnings)
    found = truth(ADD_FIRST.host)
    assert found.service == ("disabled", "a disk is broken")
    assert found.aggregates == {ADD_FIRST.target}


def test_a_service_that_somebody_else_disables_meanwhile_stays_so(fleet: Fleet) -> None:
    plan = fleet.gpu.migrations.plan(ADD_FIRST.task)

    def tell(progress: Progress) -> None:
        if progress.summary.startswith("enable") and progress.fraction == 0.0:
            disable(ADD_FIRST.host, "a disk is broken")

    plan.apply(tell)
    assert truth(ADD_FIRST.host).service == ("disabled", "a disk is broken")


def test_a_server_that_does_not_migrate_stops_the_drain(
    proxied_fleet: Fleet, fleet: Fleet, faults: Faults
) -> None:
    task = Move("gpu-host-001", "L40-n3", "L40-n3-runpod")
    migrate = Rule("nova", "POST", r"/servers/[^/]+/action$", body="os-migrateLive", nth=2)
    faults.set(replace(migrate, action="answer", status=400, text='{"x": {"message": "no host"}}'))
    result = run(proxied_fleet, task, drain=True)
    assert result.error is not None
    assert "no host" in result.error
    assert "Kept: migrate server a-train-2" in result.error
    found = truth(task.host)
    assert (found.aggregates, found.service) == ({"L40-n3"}, ("enabled", None))
    again = run(fleet, task, drain=True)
    assert again.error is None
    is_clean(task.host, task.target)
