# SPDX-License-Identifier: Apache-2.0
"""One operation to VMs on several real hosts at once."""

from __future__ import annotations

import time
from typing import Any

import pytest

from hostler import Fleet
from hostler.models.vm_task import BatchResult, VmQuery

from .guests import OFF, PAUSED, RUNNING, make, places
from .hypervisors import Hypervisors, MakePool

HARD = {"force": True, "timeout": 0}


def batch(fleet: Fleet, operation: Any, *names: str, **more: Any) -> BatchResult:
    options = more.pop("options", HARD if operation in ("stop", "delete") else {})
    return fleet.vms.batch(operation, VmQuery(names=names), options=options, **more)


def states(hypervisors: Hypervisors) -> dict[str, list[int]]:
    return {name: [state for _, state in at] for name, at in places(hypervisors).items()}


def test_operations_on_all_hosts(declared: Fleet, hypervisors: Hypervisors) -> None:
    for number, host in enumerate("abc"):
        make(hypervisors, host, [f"w{number}"], start=False, disk=1, form="qcow2")
    make(hypervisors, "b", ["x"], start=False)
    operations: list[tuple[Any, int]] = [
        ("start", RUNNING),
        ("pause", PAUSED),
        ("resume", RUNNING),
        ("reset", RUNNING),
        ("snapshot", RUNNING),
        ("stop", OFF),
    ]
    for operation, state in operations:
        how = {"snapshot": "s1"} if operation == "snapshot" else {}
        predicted = batch(declared, operation, "w*", check=True, **how)
        done = batch(declared, operation, "w*", parallel=2, **how)
        assert [(r.name, r.host_id, r.error) for r in done.results] == [
            ("w0", "a", None),
            ("w1", "b", None),
            ("w2", "c", None),
        ]
        assert [r.changed for r in done.results] == [r.changed for r in predicted.results]
        assert (done.status, done.total_vms, done.unreachable_hosts) == ("completed", 3, {})
        assert states(hypervisors) == {"w0": [state], "w1": [state], "w2": [state], "x": [OFF]}
    assert not batch(declared, "stop", "w*").changed
    found = declared.vms.list(names=("w*",), fields=frozenset({"snapshots"}))
    assert [[s.name for s in vm.snapshots or ()] for vm in found] == [["s1"]] * 3
    gone = batch(declared, "delete", "w*", "never")
    assert (gone.status, gone.succeeded) == ("completed", 3)
    assert states(hypervisors) == {"x": [OFF]}


def test_one_name_on_two_hosts(declared: Fleet, hypervisors: Hypervisors) -> None:
    make(hypervisors, "a", ["web"], start=False)
    make(hypervisors, "b", ["web"], start=False)
    named = batch(declared, "start", "web")
    assert (named.status, named.results[0].error_code) == ("failed", "conflict")
    assert states(hypervisors) == {"web": [OFF, OFF]}
    both = batch(declared, "start", "we*")
    assert [(r.name, r.host_id, r.changed) for r in both.results] == [
        ("web", "a", True),
        ("web", "b", True),
    ]
    assert states(hypervisors) == {"web": [RUNNING, RUNNING]}
    one = batch(declared, "stop", "web", host="b")
    assert [(r.host_id, r.changed) for r in one.results] == [("b", True)]
    assert places(hypervisors)["web"] == [("a", RUNNING), ("b", OFF)]


def test_guests_that_do_not_follow(declared: Fleet, hypervisors: Hypervisors) -> None:
    """These never shut down: each fails after its time, and no more are begun with."""
    for host in "abc":
        make(hypervisors, host, [f"{host}{number}" for number in range(2)])
    began = time.monotonic()
    done = batch(declared, "stop", "*", options={"timeout": 1}, parallel=2, max_failures=1)
    assert (done.status, done.failed + done.skipped) == ("failed", 6)
    assert done.failed in (2, 3)  # two are at work when the second fails
    assert time.monotonic() - began < 20
    assert {r.error_code for r in done.results} == {"plan_failed", "skipped"}


@pytest.mark.fault
def test_a_host_that_is_down(
    make_pool: MakePool, declared: Fleet, hypervisors: Hypervisors
) -> None:
    for host in "abc":
        make(hypervisors, host, [f"v-{host}"], start=False)
    assert len(declared.vms.list()) == 3
    declared.hosts.info()  # what is there is remembered
    hypervisors.run("kill-daemon", "c")
    fleet = make_pool(connect_timeout=8, hosts=hypervisors.declared())
    page = fleet.vms.find()
    assert ([vm.name for vm in page.vms], list(page.unreachable_hosts)) == (["v-a", "v-b"], ["c"])
    done = batch(fleet, "start", "v-a", "v-c")
    assert [(r.name, r.error_code) for r in done.results] == [("v-a", None), ("v-c", "unreachable")]
    assert "it was last seen on host c" in str(done.results[1].error)
    globs = batch(fleet, "start", "v-*")
    assert (globs.status, list(globs.unreachable_hosts)) == ("completed", ["c"])
    hypervisors.run("restart-daemon", "c")
    assert states(hypervisors) == {"v-a": [RUNNING], "v-b": [RUNNING], "v-c": [OFF]}
