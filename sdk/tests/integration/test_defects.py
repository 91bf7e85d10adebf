# SPDX-License-Identifier: Apache-2.0
"""What other tools do wrong with libvirt, each as a test of ours.

Known from issue trackers and proven by running them; the test's name says what goes wrong there.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import libvirt
import pytest
from lxml import etree

from hostler import Fleet
from hostler.errors import HostlerError

from .conftest import MakeFleet
from .rig import GUEST_INSIDE, Rig
from .state import differences, dump

ROM = f"{GUEST_INSIDE}/halt.rom"


def halting(name: str, devices: str = "", memory: int = 64) -> str:
    """Give the XML of a guest that runs and does nothing."""
    return (
        f"<domain type='qemu'><name>{name}</name><memory unit='MiB'>{memory}</memory>"
        "<vcpu>1</vcpu><os><type arch='x86_64' machine='q35'>hvm</type>"
        f"<loader type='rom'>{ROM}</loader></os><features><acpi/></features>"
        f"<devices><controller type='usb' model='none'/>{devices}</devices></domain>"
    )


def run(fleet: Fleet, **wanted: Any) -> Any:
    """Run one task that must not fail."""
    [result] = fleet.vms.run([wanted])
    assert result.error is None, result.error
    return result


def volumes(fleet: Fleet) -> set[str]:
    return set(dump(fleet.uri)["pools"]["default"]["volumes"])


def make(connection: libvirt.virConnect, *names: str, pool: str = "default") -> None:
    for name in names:
        kind = "qcow2" if name.endswith("qcow2") else "raw"
        connection.storagePoolLookupByName(pool).createXML(
            f"<volume><name>{name}</name><capacity unit='MiB'>1</capacity>"
            f"<target><format type='{kind}'/></target></volume>"
        )


@pytest.mark.parametrize(
    "wanted",
    [
        {"state": "absent", "force": True, "delete_disks": True},
        {"state": "stopped", "force": True, "timeout": 0},
        {"state": "paused"},
        {"state": "restarted", "force": True, "timeout": 0},
        {"state": "reset"},
        {"cpus": 3, "memory": "2GiB", "title": "t", "labels": {"a": "b"}, "autostart": True},
        {"disks": [{"size": "1MiB"}], "networks": [{"network": "default"}]},
        {"new_name": "w", "allow_restart": True},
        {"xml": halting("v", memory=128)},
        {"name": "new", "disks": [{"size": "1MiB"}], "cloud_init": {}, "state": "running"},
        {"name": "new", "from_template": {"vm": "stopped", "linked": True}},
    ],
    ids=str,
)
def test_check_mode_touches_nothing(
    fleet: Fleet, connection: libvirt.virConnect, wanted: dict[str, Any]
) -> None:
    make(connection, "v.qcow2")
    run(fleet, name="v", xml=halting("v"), state="running")
    run(fleet, name="stopped", disks=[{"size": "1MiB"}])
    before = dump(fleet.uri)
    [result] = fleet.vms.run([{"name": "v", **wanted}], check=True)
    assert (result.changed, result.error) == (True, None)
    assert differences(before, dump(fleet.uri)) == []


@pytest.mark.parametrize("state", ["present", "reverted", "absent"])
def test_check_mode_of_snapshots_touches_nothing(fleet: Fleet, state: str) -> None:
    run(fleet, name="v", disks=[{"size": "1MiB"}])
    if state != "present":
        fleet.snapshots.run([{"vm": "v", "name": "s"}])
    before = dump(fleet.uri)
    [result] = fleet.snapshots.run([{"vm": "v", "name": "s", "state": state}], check=True)
    assert (result.changed, result.error) == (True, None)
    assert differences(before, dump(fleet.uri)) == []


def test_delete_never_takes_iso_backing_shared_or_others_disks(
    fleet: Fleet, connection: libvirt.virConnect, host: Rig
) -> None:
    make(connection, "install.iso", "base.qcow2", "shared.raw", "readonly.raw", "twice.qcow2")
    host.inside("truncate", "-s", "1M", "/var/lib/libvirt/boot/outside.raw")
    disks = [
        {"size": "1MiB"},
        {"backing": "base.qcow2"},
        {"volume": "shared.raw", "format": "raw", "shared": True},
        {"volume": "readonly.raw", "format": "raw", "readonly": True},
        {"volume": "twice.qcow2"},
        {"path": "/var/lib/libvirt/boot/outside.raw"},
    ]
    run(fleet, name="v", disks=disks, cdroms=[{"volume": "install.iso"}], cloud_init={})
    run(fleet, name="w", disks=[{"volume": "twice.qcow2"}])
    run(fleet, name="x", disks=[{"volume": "v-vda.qcow2"}])
    result = run(fleet, name="v", state="absent", delete_disks=True)
    kept = {"install.iso", "base.qcow2", "shared.raw", "readonly.raw", "twice.qcow2"}
    assert volumes(fleet) == kept | {"v-vda.qcow2"}, "v-vda is w's too"
    assert len(result.plan.warnings) == 5
    host.inside("rm", "/var/lib/libvirt/boot/outside.raw")


def test_backing_file_of_another_vm_is_never_deleted(fleet: Fleet) -> None:
    run(fleet, name="v", disks=[{"size": "1MiB"}])
    run(fleet, name="w", disks=[{"backing": "v-vda.qcow2"}])
    result = run(fleet, name="v", state="absent", delete_disks=True)
    assert volumes(fleet) == {"v-vda.qcow2", "w-vda.qcow2"}
    assert "another VM uses it" in result.plan.warnings[0]


def test_disks_stay_unless_asked(fleet: Fleet) -> None:
    run(fleet, name="v", disks=[{"size": "1MiB"}])
    run(fleet, name="v", state="absent")
    assert volumes(fleet) == {"v-vda.qcow2"}
    run(fleet, name="v", disks=[{"volume": "v-vda.qcow2"}])
    run(fleet, name="v", state="absent", delete_disks=True, preserve_volumes=True)
    assert volumes(fleet) == {"v-vda.qcow2"}


@pytest.mark.parametrize("mode", ["fields", "xml"])
def test_mac_and_uuid_stay_on_repeated_apply(fleet: Fleet, mode: str) -> None:
    card = "<interface type='network'><source network='default'/></interface>"
    first: dict[str, Any] = {"networks": [{}, {"model": "e1000e"}]}
    second: dict[str, Any] = {"networks": [{"link": "down"}, {}], "cpus": 2}
    if mode == "xml":
        first, second = {"xml": halting("v", card * 2)}, {"xml": halting("v", card * 2, 128)}
    run(fleet, name="v", **first)
    vm = fleet.vms.get("v", fields=["hardware"])
    assert vm.hardware
    macs = [card.mac for card in vm.hardware.interfaces]
    assert not run(fleet, name="v", **first).changed
    assert run(fleet, name="v", **second).changed
    again = fleet.vms.get("v", fields=["hardware"])
    assert again.hardware
    assert (again.uuid, [card.mac for card in again.hardware.interfaces]) == (vm.uuid, macs)


def test_start_and_destroy_twice_are_fine(fleet: Fleet) -> None:
    run(fleet, name="v", xml=halting("v"))
    assert run(fleet, name="v", state="running").changed
    assert not run(fleet, name="v", state="running").changed
    hard = {"name": "v", "state": "stopped", "force": True, "timeout": 0}
    assert run(fleet, **hard).changed
    assert not run(fleet, **hard).changed
    assert run(fleet, name="v", state="absent").changed
    assert not run(fleet, name="v", state="absent").changed


def test_stop_waits(fleet: Fleet) -> None:
    """A guest that never stops: it is not called stopped, and not waited for for ever."""
    run(fleet, name="v", xml=halting("v"), state="running")
    began = time.monotonic()
    [late] = fleet.vms.run([{"name": "v", "state": "stopped", "timeout": 1}])
    assert 0.9 < time.monotonic() - began < 5
    assert "force: true" in str(late.error)
    assert run(fleet, name="v", state="stopped", timeout=1, force=True).vm.status == "stopped"


def test_memory_of_a_running_vm_says_what_waits(fleet: Fleet) -> None:
    run(fleet, name="v", xml=halting("v"), state="running")
    result = run(fleet, name="v", memory="128MiB")
    assert (result.changed, result.restart_required) == (True, True)
    assert set(result.changes_pending) == {"memory", "memory_max"}
    again = run(fleet, name="v", memory="128MiB")
    assert not again.changed
    assert set(again.changes_pending) == {"memory", "memory_max"}
    assert set(fleet.vms.get("v").changes_pending) == {"memory", "memory_max"}


def test_uefi_guest_is_defined_and_deleted_cleanly(fleet: Fleet, host: Rig) -> None:
    task = {"name": "v", "firmware": "uefi", "state": "running", "memory": "128MiB"}
    run(fleet, **task)
    assert not run(fleet, **task).changed
    run(fleet, name="v", title="defined in place", state="stopped", force=True, timeout=0)
    nvram = "/var/lib/libvirt/qemu/nvram"
    assert host.inside("ls", nvram).strip()
    run(fleet, name="v", state="absent")
    assert not host.inside("ls", nvram).strip()


def test_managed_save_is_seen_and_goes_with_the_vm(
    fleet: Fleet, connection: libvirt.virConnect
) -> None:
    run(fleet, name="v", xml=halting("v"), state="running")
    connection.lookupByName("v").managedSave()
    assert fleet.vms.get("v").managed_save
    changed = run(fleet, name="v", title="new")
    assert any("saved memory" in w for w in changed.plan.warnings)
    gone = run(fleet, name="v", state="absent")
    assert any("saved memory" in w for w in gone.plan.warnings)


def test_snapshots_do_not_keep_a_vm_from_going(fleet: Fleet) -> None:
    run(fleet, name="v", disks=[{"size": "1MiB"}])
    fleet.snapshots.run([{"vm": "v", "name": "s"}])
    run(fleet, name="v", state="absent", delete_disks=True)
    assert dump(fleet.uri)["domains"] == {}


def test_running_vm_is_deleted_only_with_force(fleet: Fleet) -> None:
    run(fleet, name="v", xml=halting("v"), state="running")
    [result] = fleet.vms.run([{"name": "v", "state": "absent"}])
    assert "must be stopped" in str(result.error)
    run(fleet, name="v", state="absent", force=True)


@pytest.mark.parametrize("state", ["stopped", "absent", "restarted", "reset", "paused"])
def test_protected_vm(host: Rig, make_fleet: MakeFleet, state: str) -> None:
    fleet = make_fleet(host.uri, protected=["prod-*"])
    run(fleet, name="prod-1", xml=halting("prod-1"), state="running")
    task = {"name": "prod-1", "state": state, "force": True, "timeout": 0}
    before = dump(host.uri)
    for check in (True, False):
        [result] = fleet.vms.run([task], check=check)
        assert result.error_code == "policy"
        assert "override_protection" in str(result.error)
    assert differences(before, dump(host.uri)) == []
    assert run(fleet, name="prod-1", title="harmless").changed
    assert run(fleet, **task, override_protection=True).changed


def test_read_only_fleet(host: Rig, make_fleet: MakeFleet) -> None:
    run(make_fleet(host.uri), name="v")
    fleet = make_fleet(host.uri, read_only=True)
    before = dump(host.uri)
    for wanted in ({"name": "w"}, {"name": "v", "title": "x"}, {"name": "v", "state": "absent"}):
        [result] = fleet.vms.run([wanted])
        assert result.error_code == "policy"
    assert not run(fleet, name="v").changed
    [snapshot] = fleet.snapshots.run([{"vm": "v", "name": "s"}])
    assert snapshot.error_code == "policy"
    assert differences(before, dump(host.uri)) == []
    assert [vm.name for vm in fleet.vms.list()] == ["v"]


AGENT = (
    "<controller type='virtio-serial'/><channel type='unix'>"
    "<target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
)


@contextmanager
def frozen(host: Rig, name: str) -> Iterator[None]:
    """Stop the QEMU process of a VM: its monitor and its agent answer nothing."""
    pid = int(host.inside("cat", f"/run/libvirt/qemu/{name}.pid"))
    host.inside("kill", "-STOP", str(pid))
    try:
        yield
    finally:
        host.inside("kill", "-CONT", str(pid))


@pytest.mark.fault
def test_frozen_vm_holds_up_nobody(host: Rig, fleet: Fleet, make_fleet: MakeFleet) -> None:
    names = ["a", "b", "c"]
    for name in names:
        run(fleet, name=name, xml=halting(name), state="running")
    with frozen(host, "b"):
        began = time.monotonic()
        other = make_fleet(host.uri)
        assert [vm.name for vm in other.vms.list(fields=["addresses"])] == names
        assert [vm.name for vm in other.vms.list(fields=["stats", "hardware"])] == names
        results = other.vms.run([{"name": n, "title": "t"} for n in ("a", "c")])
        assert [r.error for r in results] == [None, None]
        assert time.monotonic() - began < 20
    assert [vm.title for vm in fleet.vms.list()] == ["t", None, "t"]


@pytest.mark.fault
def test_agent_that_does_not_answer(fleet: Fleet) -> None:
    """Its channel is connected, but nobody is there: asking takes its own two seconds."""
    run(fleet, name="v", xml=halting("v", AGENT), state="running")
    run(fleet, name="w", xml=halting("w"), state="running")
    began = time.monotonic()
    vms = fleet.vms.list(fields=["addresses"], agent_timeout=2)
    assert [vm.name for vm in vms] == ["v", "w"]
    assert time.monotonic() - began < 10
    assert vms[0].agent_connected is False


@pytest.mark.fault
def test_host_that_accepts_and_never_answers(make_fleet: MakeFleet) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        fleet = make_fleet(f"qemu+tcp://127.0.0.1:{port}/system")
        object.__setattr__(fleet.config, "connect_timeout", 1)
        began = time.monotonic()
        with pytest.raises(HostlerError, match="no answer in 1 s") as caught:
            fleet.vms.list()
        assert caught.value.code == "timeout"
        assert time.monotonic() - began < 5


@pytest.mark.fault
def test_broken_vm_hides_no_others(host: Rig, fleet: Fleet, connection: libvirt.virConnect) -> None:
    """One VM's disk is gone and its pool dead: it is listed, and so are the others."""
    path = "/var/lib/libvirt/boot/dead"
    host.inside("mkdir", path)
    xml = f"<pool type='dir'><name>dead</name><target><path>{path}</path></target></pool>"
    pool = connection.storagePoolCreateXML(xml)
    run(fleet, name="a")
    make(connection, "b.qcow2", pool="dead")
    run(fleet, name="b", disks=[{"pool": "dead", "volume": "b.qcow2"}])
    host.inside("rm", "-r", path)
    pool.destroy()
    assert [vm.name for vm in fleet.vms.list(fields=["hardware", "stats"])] == ["a", "b"]
    results = fleet.vms.run([{"name": "a", "state": "running"}, {"name": "b", "title": "t"}])
    assert [r.error for r in results] == [None, None]
    [bad] = fleet.vms.run([{"name": "b", "state": "running"}])
    assert "b.qcow2" in str(bad.error)
    run(fleet, name="b", state="absent", delete_disks=True)


def test_define_is_in_place(fleet: Fleet) -> None:
    """Never undefine and define: libvirt tells of a redefinition, and of no removal."""
    run(fleet, name="v")
    events: list[tuple[int, int]] = []
    listener = libvirt.open(fleet.uri)
    listener.domainEventRegisterAny(
        None,
        libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE,
        lambda _c, _d, event, detail, _o: events.append((event, detail)),
        None,
    )
    run(fleet, name="v", cpus=2, firmware="uefi")
    deadline = time.monotonic() + 5
    while not events and time.monotonic() < deadline:
        time.sleep(0.05)
    listener.close()
    updated = libvirt.VIR_DOMAIN_EVENT_DEFINED_UPDATED
    assert events == [(libvirt.VIR_DOMAIN_EVENT_DEFINED, updated)]


def test_password_survives_a_change(fleet: Fleet) -> None:
    run(fleet, name="v", graphics={"type": "vnc", "password": "geheim"})
    run(fleet, name="v", cpus=2, title="t")
    assert not run(fleet, name="v", graphics={"type": "vnc", "password": "geheim"}).changed
    xml = dump(fleet.uri)["domains"]["v"]["stored"]
    assert etree.fromstring(xml).xpath("string(devices/graphics/@passwd)") == "geheim"


def test_twenty_vms_in_one_task(fleet: Fleet) -> None:
    tasks = [
        {"name": f"v{n:02}", "xml": halting(f"v{n:02}"), "state": "running"} for n in range(20)
    ]
    results = fleet.vms.run(tasks)
    assert [(r.name, r.changed, r.error) for r in results] == [
        (t["name"], True, None) for t in tasks
    ]
    assert {vm.status for vm in fleet.vms.list()} == {"running"}
    assert not any(r.changed for r in fleet.vms.run(tasks))
    from hostler.models.vm_task import VmQuery

    gone = fleet.vms.batch("delete", VmQuery(names=("v*",)), options={"force": True})
    assert (gone.succeeded, gone.failed, gone.status) == (20, 0, "completed")
    assert fleet.vms.list() == []
