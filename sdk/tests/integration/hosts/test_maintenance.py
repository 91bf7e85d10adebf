# SPDX-License-Identifier: Apache-2.0
"""Hosts are emptied and taken back; what can't be done is said before anything is touched."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import libvirt
import pytest

from hostler import Fleet
from hostler.errors import HostlerError
from hostler.models.host_maintenance import HostMaintenanceResult, Record

from .guests import OFF, make, places, run_on, volumes
from .hypervisors import Hypervisors, MakePool

TEN = [f"v{number}" for number in range(10)]
SMALL: dict[str, Any] = {"memory": "64MiB", "networks": [], "virt_type": "qemu"}


def maintain(
    fleet: Fleet, host: str = "a", state: str = "drained", *, check: bool = False, **more: Any
) -> HostMaintenanceResult:
    (result,) = fleet.hosts.maintenance.run([{"host": host, "state": state, **more}], check=check)
    return result


def targets(result: HostMaintenanceResult) -> dict[str, str]:
    return {move.name: move.target for move in result.moves}


def test_a_host_is_drained_and_taken_back(declared: Fleet, hypervisors: Hypervisors) -> None:
    make(hypervisors, "a", TEN)
    make(hypervisors, "a", ["off"], start=False)
    make(hypervisors, "b", ["other"])
    predicted = maintain(declared, check=True)
    assert places(hypervisors)["v0"] == [("a", 1)]
    assert not declared.hosts.get("a").maintenance
    done = maintain(declared)
    assert (done.error, done.drained, done.stuck, done.vms) == (None, True, {}, ["off"])
    assert targets(done) == targets(predicted)
    assert sorted(targets(done).values()) == ["b"] * 5 + ["c"] * 5
    assert [m.plan and m.plan.commands for m in done.moves] == [
        m.plan and m.plan.commands for m in predicted.moves
    ]
    assert (done.before, done.after) == (predicted.before, predicted.after)
    assert {move.status for move in predicted.moves} == {"planned"}
    assert {move.status for move in done.moves} == {"migrated"}
    assert [move.runs_on for move in done.moves] == [move.target for move in done.moves]
    assert all(move.downtime is not None and move.data for move in done.moves)
    assert places(hypervisors).pop("off") == [("a", OFF)]
    assert done.host
    assert done.host.maintenance
    again = maintain(declared)
    assert (again.changed, again.moves, again.drained) == (False, [], True)

    (placed,) = declared.vms.run([{"name": "new", **SMALL}], check=True)
    assert placed.placement
    assert placed.placement.others["a"] == "is in maintenance"
    (named,) = declared.vms.run([{"name": "named", **SMALL, "host": "a"}])
    assert named.error is None
    assert named.plan
    assert "host a is in maintenance" in named.plan.warnings

    predicted = maintain(declared, state="active", return_vms=True, check=True)
    back = maintain(declared, state="active", return_vms=True)
    assert (back.error, back.changed, back.after) == (None, True, predicted.after)
    assert targets(back) == targets(predicted) == dict.fromkeys(TEN, "a")
    assert {name: at for name, at in places(hypervisors).items() if name in TEN} == {
        name: [("a", 1)] for name in TEN
    }
    assert declared.hosts.registry.maintenance.find("a") is None
    assert not maintain(declared, state="active", return_vms=True).changed
    assert declared.journal.list(unfinished=True) == []


def test_taken_back_without_its_vms(declared: Fleet, hypervisors: Hypervisors) -> None:
    make(hypervisors, "a", ["v0"])
    assert maintain(declared).drained
    done = maintain(declared, state="active")
    assert (done.error, done.changed, done.moves) == (None, True, [])
    assert run_on(hypervisors) == {"v0": "b"}
    assert declared.hosts.registry.maintenance.find("a") is None
    assert not maintain(declared, state="active", return_vms=True).changed


def test_a_vm_that_somebody_has_moved_since_stays(
    declared: Fleet, hypervisors: Hypervisors
) -> None:
    make(hypervisors, "a", ["v0", "v1"])
    assert maintain(declared).drained
    assert run_on(hypervisors) == {"v0": "b", "v1": "c"}
    (moved,) = declared.migrations.run([{"vm": "v0", "target_host": "c"}], host="b")
    assert moved.error is None
    done = maintain(declared, state="active", return_vms=True)
    assert done.plan
    assert done.plan.warnings == ("v0 is no longer where it was moved to, and is left alone",)
    assert run_on(hypervisors) == {"v0": "c", "v1": "a"}


def test_stopped_vms_are_moved_too(declared: Fleet, hypervisors: Hypervisors) -> None:
    make(hypervisors, "a", ["off"], start=False, disk=1)
    done = maintain(declared, stopped_vms="move", storage="copy")
    assert (done.error, targets(done)) == (None, {"off": "b"})
    assert places(hypervisors) == {"off": [("b", OFF)]}
    assert volumes(hypervisors, "b") == ["off.img"]
    assert not maintain(declared, stopped_vms="move", storage="copy").changed


def test_what_can_t_move_is_said_before_anything_is_touched(
    make_pool: MakePool, hypervisors: Hypervisors
) -> None:
    fleet = make_pool(hosts=hypervisors.declared(), policy={"protected": ["gold", "c"]})
    make(hypervisors, "a", ["free", "gold", "shared"])
    make(hypervisors, "a", ["own", "saved"], disk=1)
    with closing(libvirt.open(hypervisors.tcp("a"))) as connection:
        xml = "<domainsnapshot><name>s</name><memory snapshot='no'/></domainsnapshot>"
        flags = libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY
        connection.lookupByName("saved").snapshotCreateXML(xml, flags)
    before = places(hypervisors)
    for check in (True, False):
        refused = maintain(fleet, check=check)
        assert (refused.error_code, refused.changed, refused.moves) == ("conflict", False, [])
        assert sorted(refused.stuck) == ["gold", "own", "saved"]
        assert "protected" in refused.stuck["gold"]
        assert "no host suits: b can't take it" in refused.stuck["own"]
        assert "it has a snapshot" in refused.stuck["saved"]
        assert "Nothing was touched. partial: true moves the others." in str(refused.error)
        assert places(hypervisors) == before
        assert not fleet.hosts.get("a").maintenance
    done = maintain(fleet, partial=True)
    assert (done.error, done.changed, done.drained) == (None, True, False)
    assert targets(done) == {"free": "b", "shared": "c"}
    assert done.plan
    assert len(done.plan.warnings) == 3
    again = maintain(fleet, partial=True)
    assert (again.error, again.changed, sorted(again.stuck)) == (None, False, sorted(done.stuck))
    refused = maintain(fleet, "c")
    assert refused.error_code == "policy"
    over = maintain(fleet, override_protection=True, partial=True)
    assert sorted(over.stuck) == ["own", "saved"]
    assert targets(over) == {"gold": "b"}


def test_where_there_is_no_room(make_pool: MakePool, hypervisors: Hypervisors) -> None:
    hosts = hypervisors.declared("a") | hypervisors.declared("b", cpu_limit=2)
    fleet = make_pool(hosts=hosts | hypervisors.declared("c", cpu_limit=1))
    make(hypervisors, "a", ["v0", "v1", "v2", "v3"])
    refused = maintain(fleet)
    assert refused.stuck == {
        "v3": "no host suits: b has 0 of 2 virtual CPUs left; c has 0 of 1 virtual CPUs left"
    }
    assert set(run_on(hypervisors).values()) == {"a"}
    done = maintain(fleet, partial=True)
    assert sorted(targets(done).values()) == ["b", "b", "c"]
    assert sorted(run_on(hypervisors).values()) == ["a", "b", "b", "c"]


def test_a_host_that_lacks_a_network_is_passed_over(
    declared: Fleet, hypervisors: Hypervisors
) -> None:
    card = "<interface type='network'><source network='default'/></interface>"
    make(hypervisors, "a", ["v0", "v1"], devices=card)
    with closing(libvirt.open(hypervisors.tcp("b"))) as connection:
        network = connection.networkLookupByName("default")
        network.destroy()
        try:
            done = maintain(declared)
        finally:
            network.create()
    assert (done.error, targets(done)) == (None, {"v0": "c", "v1": "c"})
    (move, _) = done.moves
    assert move.placement
    assert "network 'default' does not run" in move.placement.others["b"]


def test_rules_hold_where_a_vm_is_moved_to(declared: Fleet) -> None:
    rules = {"anti_affinity": {"app": "db"}}
    wanted = {**SMALL, "labels": {"app": "db"}, "placement": rules}
    made = declared.vms.run([{"name": name, **wanted} for name in ("db1", "db2", "db3")])
    assert [result.error for result in made] == [None] * 3
    again = declared.vms.run([{"name": name, **wanted} for name in ("db1", "db2", "db3")])
    assert [result.changed for result in again] == [False] * 3
    refused = maintain(declared, stopped_vms="move")
    assert "b has a VM with app=db; c has a VM with app=db" in refused.stuck["db1"]
    declared.vms.run([{"name": "db3", "state": "absent"}])
    assert targets(maintain(declared, stopped_vms="move")) == {"db1": "c"}


def test_none_goes_to_a_host_that_is_drained_too(declared: Fleet, hypervisors: Hypervisors) -> None:
    make(hypervisors, "a", ["v0", "v1"])
    make(hypervisors, "b", ["w0"])
    tasks = [{"host": "a", "state": "drained"}, {"host": "b", "state": "drained"}]
    done = declared.hosts.maintenance.run(tasks)
    assert [(one.error, one.drained) for one in done] == [(None, True)] * 2
    assert run_on(hypervisors) == {"v0": "c", "v1": "c", "w0": "c"}


@pytest.mark.parametrize(
    ("task", "why"),
    [
        ({"host": "a", "state": "drained", "return_vms": True}, "return_vms is for state: active"),
        ({"host": "a", "state": "drained", "persist": False}, "would lose its definition"),
        ({"host": "a", "state": "empty"}, "state: "),
        ({"host": "a"}, "state: "),
    ],
)
def test_bad_input_is_a_sentence(declared: Fleet, task: dict[str, Any], why: str) -> None:
    with pytest.raises(HostlerError, match=why):
        declared.hosts.maintenance.run([task])
    assert declared.hosts.registry.maintenance.find("a") is None


def test_a_host_that_is_not_there(declared: Fleet) -> None:
    result = maintain(declared, "z")
    assert "there is no such host in the pool" in str(result.error)


def test_a_host_in_maintenance_that_is_empty(declared: Fleet) -> None:
    done = maintain(declared)
    assert (done.changed, done.drained, done.moves) == (True, True, [])
    assert declared.hosts.registry.maintenance.find("a") == Record(resting=True)
    assert [info.status for info in declared.hosts.info(["a"])] == ["maintenance"]
