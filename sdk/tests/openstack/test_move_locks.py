# SPDX-License-Identifier: Apache-2.0
"""Moves of GPU hosts where somebody has locked, filled, disabled or mismirrored the host."""

from __future__ import annotations

import os
import threading
from dataclasses import replace

import pytest
from rigs.openstack.api import Cloud
from rigs.openstack.faults import Faults, Rule

from hostler import Fleet
from hostler.errors import PlanFailed
from hostler.models.migration import MigrationResult
from hostler.plan.outcome import Progress
from hostler.plan.who import Who

from .moving import ADD_FIRST, Move, boot, disable, drift, is_clean, run, truth, write_lock

pytestmark = [pytest.mark.usefixtures("changed"), pytest.mark.fault]


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
