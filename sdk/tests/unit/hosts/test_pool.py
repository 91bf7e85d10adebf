# SPDX-License-Identifier: Apache-2.0
"""The pool: hosts are registered, changed, removed; what is refused, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hostler import Fleet
from hostler.errors import Conflict, HostlerError, InvalidInput, NoRoom, NotFound
from hostler.models.host import Host, HostResult, HostSettings
from hostler.models.host_maintenance import Away, Record

from .conftest import MakeFleet
from .nodes import node, vm

UUID = "1f1f1f1f-0000-4000-8000-000000000001"


def run(fleet: Fleet, *, check: bool = False, **task: Any) -> HostResult:
    (result,) = fleet.hosts.run([{"id": "one", **task}], check=check)
    return result


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return node(tmp_path / "one.xml", vm("theirs"), vm("ours", labels={}))


def test_life_of_a_host(fleet: Fleet, uri: str) -> None:
    predicted = run(fleet, uri=uri, labels={"rack": "r1"}, check=True)
    assert fleet.hosts.list() == []
    added = run(fleet, uri=uri, labels={"rack": "r1"})
    assert predicted.plan
    assert added.plan
    assert (predicted.changed, predicted.after) == (added.changed, added.after)
    command = f"hostler host set one --uri={uri} --label=rack=r1"
    assert predicted.plan.commands == added.plan.commands == (command,)
    assert added.after == {
        "uri": uri,
        "labels": {"rack": "r1"},
        "cpu_overcommit": 4.0,
        "memory_overcommit": 1.0,
        "enabled": True,
    }
    assert not run(fleet, uri=uri, labels={"rack": "r1"}).changed
    changed = run(fleet, memory_limit="8GiB", enabled=False, labels={"rack": None, "tier": "x"})
    assert changed.plan
    assert changed.plan.commands == (
        "hostler host set one --label=tier=x --label=rack= --memory-limit=8GiB --disable",
    )
    assert changed.host
    assert changed.host.settings == HostSettings.model_validate(
        {"uri": uri, "labels": {"tier": "x"}, "memory_limit": "8GiB", "enabled": False}
    )
    assert not run(fleet, memory_limit="8192MiB", labels={"rack": None}).changed
    assert not run(fleet, state="absent", force=True, check=True).error
    removed = run(fleet, state="absent", force=True)
    assert (removed.changed, removed.host, removed.after) == (True, None, {})
    assert not run(fleet, state="absent").changed
    assert fleet.hosts.list() == []


def test_each_change_can_be_taken_back(fleet: Fleet, uri: str) -> None:
    tasks: list[dict[str, Any]] = [
        {"uri": uri},
        {"cpu_limit": 3},
        {"state": "absent", "force": True},
    ]
    before: list[list[Host]] = []
    plans = []
    for task in tasks:
        before.append([*fleet.hosts.list()])
        plans.append(fleet.hosts.plan({"id": "one", **task}))
        plans[-1].apply()
    for plan, hosts in zip(reversed(plans), reversed(before), strict=True):
        plan.undo()
        shown = [host.settings for host in fleet.hosts.list()]
        assert shown == [host.settings for host in hosts]


def test_vms_of_ours_keep_a_host_in_the_pool(fleet: Fleet, uri: str) -> None:
    run(fleet, uri=uri)
    refused = run(fleet, state="absent")
    assert refused.error == (
        "host 'one': VMs on it are managed here: ours. "
        "Move them first, or say force: true; they stay as they are."
    )
    removed = run(fleet, state="absent", force=True)
    assert removed.plan
    assert removed.plan.warnings == ("These VMs stay on it, and are in the pool no more: ours",)


def test_only_vms_of_others_don_t(fleet: Fleet, tmp_path: Path) -> None:
    run(fleet, uri=node(tmp_path / "two.xml", vm("theirs")))
    assert run(fleet, state="absent").changed


def test_a_host_that_is_down_is_removed_by_force_only(fleet: Fleet, uri: str) -> None:
    run(fleet, uri=uri)
    Path(uri.removeprefix("test://")).unlink()
    refused = run(fleet, state="absent")
    assert refused.error
    assert "it can't be asked about its VMs" in refused.error
    assert "force: true" in refused.error
    assert run(fleet, state="absent", force=True).changed


def test_what_needs_no_connection_works_while_a_host_is_down(fleet: Fleet, uri: str) -> None:
    run(fleet, uri=uri)
    Path(uri.removeprefix("test://")).unlink()
    assert run(fleet, enabled=False).changed


def test_the_same_host_twice_is_refused(fleet: Fleet, uri: str) -> None:
    run(fleet, uri=uri)
    again = run(fleet, id="two", uri=uri)
    assert again.error_code == "conflict"
    assert again.error == (
        "host 'two': it is in the pool already, as 'one'. Use 'one', or remove it first."
    )


def test_two_that_register_one_machine_at_once(fleet: Fleet, uri: str) -> None:
    """Both have looked before either has written."""
    one = fleet.hosts.plan({"id": "one", "uri": uri})
    two = fleet.hosts.plan({"id": "two", "uri": uri})
    one.apply()
    with pytest.raises(HostlerError, match="in the pool already, as 'one'"):
        two.apply()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("qemu+ssh://a/system", UUID), ("qemu+tcp://10.0.0.1/system", UUID), True),
        (("qemu:///system", UUID), ("lxc:///system", UUID), False),
        (("qemu:///system", UUID), ("qemu:///session", None), False),
        (("test:///a", None), ("test:///a", None), True),
        (("test:///a", None), ("test:///b", None), False),
    ],
)
def test_what_the_same_host_is(
    one: tuple[str, str | None], other: tuple[str, str | None], same: bool
) -> None:
    assert Host(id="x", settings=HostSettings(uri=one[0]), uuid=one[1]).is_at(*other) == same


BAD = [
    ({"id": "auto", "uri": "test:///default"}, "'auto' can't be a host's id"),
    ({"id": "a b", "uri": "test:///default"}, "'a b' can't be a host's id"),
    ({}, "it is not in the pool yet, and needs a uri"),
    ({"uri": "foo:///system"}, "uri: libvirt knows no 'foo'; one of qemu, xen"),
    ({"uri": "qemu+carrier://x/system"}, "uri: libvirt knows no way 'carrier'; one of ssh, tls"),
    ({"uri": "kvm1"}, "uri: 'kvm1' is not a libvirt URI such as qemu+ssh://root@host/system"),
    ({"uri": "test:///default", "cpu_overcommit": 0}, "cpu_overcommit: "),
    ({"uri": "test:///default", "memory_limit": "64"}, "memory_limit: '64' has no unit"),
    ({"uri": "test:///default", "rack": "r1"}, "rack: there is no such option"),
    ({"uri": "test:///nowhere.xml"}, "nowhere.xml"),
    ({"uri": "qemu+tcp://127.0.0.1:1/system"}, "Connection refused"),
]


@pytest.mark.parametrize(("task", "words"), BAD)
def test_bad_input_is_a_sentence(fleet: Fleet, task: dict[str, Any], words: str) -> None:
    result = run(fleet, **task)
    assert result.error
    assert words in result.error
    assert "\n" not in result.error
    assert fleet.hosts.list() == []


def test_hosts_of_fleet_yml(make_fleet: MakeFleet, uri: str) -> None:
    fleet = make_fleet(hosts={"one": {"uri": uri, "labels": {"rack": "r1"}}})
    (host,) = fleet.hosts.list()
    assert (host.id, host.source, host.settings.labels) == ("one", "fleet.yml", {"rack": "r1"})
    assert not run(fleet, uri=uri, labels={"rack": "r1"}).changed
    for task in ({"enabled": False}, {"state": "absent", "force": True}):
        refused = run(fleet, **task)
        assert refused.error == (
            "host 'one': it is declared in fleet.yml. Change it there; it is not kept in the store."
        )
    assert run(fleet, id="two", uri=uri).error_code == "conflict"


def test_a_read_only_fleet_registers_nothing(make_fleet: MakeFleet, uri: str) -> None:
    fleet = make_fleet(policy={"read_only": True})
    assert run(fleet, uri=uri).error_code == "policy"


def test_a_host_stands_for_its_uri(make_fleet: MakeFleet, tmp_path: Path, uri: str) -> None:
    other = node(tmp_path / "two.xml", vm("elsewhere"))
    fleet = make_fleet(hosts={"two": {"uri": other}}, uri=uri)
    assert fleet.uri_of() == uri
    assert fleet.uri_of(host="two") == fleet.hypervisor(host="two").uri == other
    with Fleet(fleet.config, host="two") as named:
        assert [one.name for one in named.vms.list()] == ["elsewhere"]
    with pytest.raises(InvalidInput, match="both name a hypervisor"):
        fleet.uri_of(uri, "two")
    with pytest.raises(InvalidInput, match="both name a hypervisor"):
        Fleet(fleet.config, uri=uri, host="two")
    with pytest.raises(NotFound, match="Did you mean 'two'"):
        fleet.uri_of(host="tow")


def test_maintenance(fleet: Fleet, uri: str) -> None:
    run(fleet, uri=uri)
    maintenance = fleet.hosts.registry.maintenance
    assert maintenance.find("one") is None
    maintenance.rest("one")
    assert fleet.hosts.get("one").maintenance
    assert [info.status for info in fleet.hosts.info()] == ["maintenance"]
    away = Away(vm="web", host="two")
    maintenance.note("one", "uuid", away)
    maintenance.wake("one", keep=["uuid"])
    assert maintenance.find("one") == Record(resting=False, away={"uuid": away})
    assert [info.status for info in fleet.hosts.info()] == ["active"]
    maintenance.rest("one")
    assert maintenance.find("one") == Record(resting=True, away={"uuid": away})
    maintenance.wake("one", keep=["uuid"])
    maintenance.note("one", "uuid", None)
    assert maintenance.find("one") is None


def test_two_hosts_can_t_be_drained_onto_each_other(fleet: Fleet) -> None:
    maintenance = fleet.hosts.registry.maintenance
    maintenance.rest("one", onto=["two", "three"])
    with pytest.raises(NoRoom, match="host one is in maintenance itself by now"):
        maintenance.rest("two", onto=["one"])
    assert maintenance.find("two") is None
    maintenance.rest("two", onto=["three"])


def test_plans_of_hosts_are_in_the_journal(fleet: Fleet, uri: str) -> None:
    result = run(fleet, uri=uri)
    (stored,) = fleet.journal.list()
    assert result.plan
    assert (stored.plan.id, stored.status) == (result.plan.id, "done")
    with pytest.raises(Conflict, match="in the pool already"):
        fleet.hosts.registry.save("two", HostSettings(uri=uri), None)


def test_an_empty_pool_makes_no_database(make_fleet: MakeFleet, tmp_path: Path, uri: str) -> None:
    for fleet in (make_fleet(), make_fleet(hosts={"one": {"uri": uri}})):
        fleet.hosts.list()
        fleet.places()
        assert not (tmp_path / "pool.db").exists()
