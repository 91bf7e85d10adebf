# SPDX-License-Identifier: Apache-2.0
"""Where a task is carried out: where its VM is, or where there is room for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hostler import Fleet
from hostler.errors import HostlerError
from hostler.hosts.homes import request_of
from hostler.models.vm_task import VmResult, VmTask
from hostler.vms.home import Home

from .conftest import MakeFleet
from .nodes import gpu, node, vm

pytestmark = pytest.mark.slow


@pytest.fixture
def pool(make_fleet: MakeFleet, tmp_path: Path) -> Fleet:
    one = node(tmp_path / "one.xml", vm("web"), vm("twice"), vm("tpl", cpus=3, memory_mb=2048))
    two = node(tmp_path / "two.xml", vm("db"), vm("twice"), devices=(gpu(1), gpu(2)))
    labels = {"tier": "gold"}
    return make_fleet(hosts={"one": {"uri": one}, "two": {"uri": two, "labels": labels}})


def home(fleet: Fleet, name: str, **fields: Any) -> Home:
    (found,) = fleet.hosts.homes([VmTask.parse({"name": name, **fields})])
    if isinstance(found, HostlerError):
        raise found
    return found


def at(fleet: Fleet, name: str, **fields: Any) -> str:
    return Path(home(fleet, name, **fields).uri).stem


def run(fleet: Fleet, name: str, *, check: bool = True, **fields: Any) -> VmResult:
    (result,) = fleet.vms.run([{"name": name, **fields}], check=check)
    return result


@pytest.mark.parametrize(
    ("name", "fields", "expected"),
    [
        ("web", {}, "one"),
        ("db", {}, "two"),
        ("db", {"state": "absent"}, "two"),
        ("new", {"new_name": "web"}, "one"),
        ("new", {}, "two"),
        ("new", {"placement": {"strategy": "most_free"}}, "two"),
        ("new", {"placement": {"strategy": "pack"}}, "one"),
        ("new", {"placement": {"host_labels": {"tier": "gold"}}}, "two"),
        ("new", {"from_template": {"vm": "tpl"}}, "one"),
        ("gone", {"state": "absent"}, "one"),
    ],
)
def test_homes(pool: Fleet, name: str, fields: dict[str, Any], expected: str) -> None:
    assert at(pool, name, **fields) == expected


def test_one_that_is_on_two_hosts_is_said(pool: Fleet) -> None:
    with pytest.raises(HostlerError, match=r"there is one on hosts one and two\. Say which: host"):
        home(pool, "twice")
    assert run(pool, "twice", host="two").vm


def test_gpus_become_devices_of_the_vm(pool: Fleet) -> None:
    found = home(pool, "new", placement={"gpu": {"model": "*l40s*", "count": 2}})
    addresses = [device.address for device in found.task.spec.host_devices]
    assert addresses == ["0000:01:00.0", "0000:02:00.0"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"cpus": 9}, "one has 8 CPUs, fewer than the VM's 9; two has 8"),
        ({"memory": "15GiB"}, "one has 12288 of 16384 MiB of memory left; two has 14336"),
        ({"from_template": {"vm": "nix"}}, "one has no VM 'nix' to clone"),
        ({"virt_type": "kvm"}, "one has no virt_type kvm; two has no virt_type kvm"),
        ({"arch": "s390x"}, "one runs no VMs of architecture s390x"),
        ({"disks": [{"pool": "fast", "size": "1GiB"}]}, "one has no active storage pool 'fast'"),
        ({"disks": [{"size": "1TiB"}]}, "one has 100.0 GiB left in pool 'default', less than"),
        ({"networks": [{"network": "dmz"}]}, "one has no network 'dmz'"),
    ],
)
def test_why_no_host_suits(pool: Fleet, fields: dict[str, Any], reason: str) -> None:
    result = run(pool, "new", host="auto", **fields)
    assert result.error_code == "no_room"
    assert result.error
    assert result.error.startswith("VM 'new': no host suits: ")
    assert reason in result.error


def test_check_mode_says_where_and_why_and_reserves_nothing(pool: Fleet) -> None:
    result = run(pool, "new", cpus=2)
    assert result.changed
    assert result.placement
    assert (result.placement.host, list(result.placement.others)) == ("two", ["one"])
    assert result.plan
    assert result.plan.commands[0] == "# reserve on host two for VM new: 2 CPUs, 1GiB"
    assert pool.hosts.rooms.reservations.read(["one", "two"]) == []


def test_several_are_placed_after_one_another(pool: Fleet) -> None:
    results = pool.vms.run([{"name": f"v{n}"} for n in range(4)], check=True)
    assert [r.placement.host for r in results if r.placement] == ["two", "two", "one", "two"]


def test_tasks_may_name_their_own_hosts(pool: Fleet) -> None:
    wanted = [{"name": "a", "host": "one"}, {"name": "b", "host": "two"}, {"name": "web"}]
    results = pool.vms.run([*wanted, {"name": "c", "host": "three"}], check=True)
    assert [r.changed for r in results] == [True, True, False, False]
    assert [r.plan and "one.xml" in r.plan.summary for r in results[:2]] == [True, False]
    assert results[3].error
    assert "there is no such host in the pool" in results[3].error


@pytest.mark.parametrize("how", ["named", "environment", "configured", "host"])
def test_who_names_a_hypervisor_gets_it(
    pool: Fleet, how: str, make_fleet: MakeFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = pool.config.hosts["one"].uri
    fields: dict[str, Any] = {"hosts": pool.config.hosts}
    if how == "environment":
        monkeypatch.setenv("LIBVIRT_DEFAULT_URI", one)
    fleet = make_fleet(**fields, **({"uri": one} if how == "configured" else {}))
    named: dict[str, Any] = {"named": {"uri": one}, "host": {"host": "one"}}.get(how, {})
    assert fleet.places() == (how in ("named", "host"))
    (result,) = fleet.vms.run([{"name": "new"}], check=True, **named)
    assert result.plan
    assert result.placement is None
    assert "one.xml" in result.plan.summary


def test_rules_and_a_named_host_contradict(pool: Fleet) -> None:
    one = pool.config.hosts["one"].uri
    rules = {"strategy": "pack"}
    for (result,) in (
        pool.vms.run([{"name": "new", "placement": rules}], check=True, uri=one),
        pool.vms.run([{"name": "new", "placement": rules, "host": "one"}], check=True),
        pool.vms.run([{"name": "new", "placement": rules}], check=True, host="one"),
    ):
        assert result.error
        assert "placement chooses a host" in result.error
    with Fleet(pool.config, host="auto") as fleet:
        assert run(fleet, "new", placement=rules).placement
        with pytest.raises(HostlerError, match="host 'auto' is for tasks that make VMs"):
            fleet.networks.list()
        (nowhere,) = fleet.snapshots.run([{"vm": "new", "name": "s"}], check=True)
        assert "there is no such VM" in str(nowhere.error)


def test_a_fleet_without_a_pool_is_as_ever(fleet: Fleet) -> None:
    assert not fleet.places()
    assert run(fleet, "new", host="auto").error == (
        "VM 'new': the pool has no hosts. Register one: 'hostler host set ID --uri URI'."
    )


def test_a_host_that_is_down_may_have_the_vm(pool: Fleet, tmp_path: Path) -> None:
    (tmp_path / "one.xml").rename(tmp_path / "down")
    never = run(pool, "new")
    assert never.error_code == "unreachable"
    assert never.error
    assert "it may be on host one, never seen so far, which can't be reached" in never.error
    (tmp_path / "down").rename(tmp_path / "one.xml")
    pool.hosts.info()
    (tmp_path / "one.xml").unlink()
    for state in ("running", "absent"):
        last = run(pool, "web", state=state)
        assert last.error
        assert "it was last seen on host one, which can't be reached" in last.error
    placed = run(pool, "new")
    assert placed.placement
    assert placed.placement.host == "two"
    assert "is unreachable" in placed.placement.others["one"]
    assert not run(pool, "nix", state="absent").changed


@pytest.mark.parametrize("how", ["disabled", "maintenance"])
def test_hosts_that_take_no_vms(make_fleet: MakeFleet, pool: Fleet, how: str) -> None:
    hosts = {name: host.dump() for name, host in pool.config.hosts.items()}
    if how == "disabled":
        hosts["two"]["enabled"] = False
    else:
        pool.hosts.registry.maintenance.rest("two")
    fleet = make_fleet(hosts=hosts)
    placed = run(fleet, "new")
    assert placed.placement
    assert placed.placement.host == "one"
    assert how in placed.placement.others["two"]
    assert at(fleet, "db") == "two"


def test_whole_xml_has_its_size() -> None:
    xml = vm("whole", cpus=3, memory_mb=5120)
    wanted = request_of(VmTask.parse({"name": "whole", "xml": xml}), [])
    assert (wanted.cpus, wanted.memory) == (3, 5120 * 2**20)
