# SPDX-License-Identifier: Apache-2.0
"""Real guests, seen from inside: one boot serves many checks, in the order of this file."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import libvirt
import libvirt_qemu
import pytest

from hostler import Fleet
from hostler.config import FleetConfig
from hostler.models.vm_task import VmResult

from .conftest import SYSTEM
from .rig import GUEST
from .state import sweep

pytestmark = pytest.mark.slow
STATIC = "192.168.122.251"
SECRET = "S3cret-x"
Inside = Callable[..., str]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """One fleet for all tests of this file."""
    store = f"sqlite:///{tmp_path_factory.mktemp('journal')}/journal.db"
    with Fleet(FleetConfig(store=store), uri=SYSTEM) as fleet:
        yield fleet


@pytest.fixture(scope="module")
def name(run_prefix: str, fleet: Fleet) -> Iterator[str]:
    """A guest that booted from an uploaded image with a seed; gone at the end."""
    prefix = f"{run_prefix}g-"
    sweep(SYSTEM, prefix)
    try:
        [made] = fleet.vms.run([task(f"{prefix}web")])
        assert made.error is None, made.error
        yield f"{prefix}web"
    finally:
        sweep(SYSTEM, prefix)


def task(name: str) -> dict[str, Any]:
    """A VM as a user would write it."""
    return {
        "name": name,
        "cpus": 1,
        "cpus_max": 2,
        "memory": "192MiB",
        "memory_max": "256MiB",
        "disks": [{"image": str(GUEST / "hostler-guest.qcow2"), "size": "80MiB"}],
        "networks": [{"network": "default"}],
        "cloud_init": {
            "hostname": "inside",
            "user_data": {
                "write_files": [{"path": "/run/told", "content": "by the seed\n"}],
                "runcmd": ["echo ran > /run/ran"],
            },
        },
        "graphics": {"type": "vnc", "password": "first"},
        "cdroms": [{"target": "sdc", "bus": "scsi"}],
        "state": "running",
        "wait_for": "agent",
        "wait_timeout": 90,
    }


@pytest.fixture
def inside(name: str) -> Inside:
    """Run a shell command inside the guest, by its agent."""
    return lambda command: ask_inside(name, command)


def ask_inside(name: str, command: str) -> str:
    """Run a shell command inside a guest; returns what it printed."""
    connection = libvirt.open(SYSTEM)
    domain = connection.lookupByName(name)
    arguments = {"path": "/bin/sh", "arg": ["-c", command], "capture-output": True}
    pid = _agent(domain, "guest-exec", arguments)["pid"]
    for _ in range(200):
        done = _agent(domain, "guest-exec-status", {"pid": pid})
        if done["exited"]:
            connection.close()
            return base64.b64decode(done.get("out-data", "")).decode().strip()
        time.sleep(0.05)
    raise AssertionError(f"{command!r} has not ended in the guest")


def _agent(domain: libvirt.virDomain, command: str, arguments: dict[str, Any]) -> Any:
    text = json.dumps({"execute": command, "arguments": arguments})
    return json.loads(libvirt_qemu.qemuAgentCommand(domain, text, 10, 0))["return"]


def soon(inside: Inside, command: str, wanted: str) -> None:
    """Hold that a command inside prints something within some seconds."""
    for _ in range(60):
        if (said := inside(command)) == wanted:
            return
        time.sleep(0.2)
    raise AssertionError(f"{command!r} says {said!r}, not {wanted!r}")


def change(fleet: Fleet, name: str, **wanted: Any) -> VmResult:
    """Change the guest; what check mode says is what happens, and a second run does nothing."""
    [said] = fleet.vms.run([{"name": name, **wanted}], check=True)
    [done] = fleet.vms.run([{"name": name, **wanted}])
    assert done.error is None, done.error
    assert (said.changed, said.restart_required) == (done.changed, done.restart_required)
    [again] = fleet.vms.run([{"name": name, **wanted}])
    assert (again.changed, again.error) == (False, None), again.plan
    return done


def test_cloud_init(inside: Inside) -> None:
    assert inside("hostname") == "inside"
    assert inside("cat /run/told") == "by the seed"
    soon(inside, "cat /run/ran", "ran")


def test_address(fleet: Fleet, name: str, inside: Inside) -> None:
    [waited] = fleet.vms.run([{"name": name, "state": "running", "wait_for": "ip"}])
    assert waited.error is None
    assert waited.vm
    address = waited.vm.network.ip_address
    assert address
    assert address.startswith("192.168.122.")
    assert address in inside("ip -o address show eth0")
    vm = fleet.vms.get(name, fields=["addresses"])
    assert (vm.network.source, vm.agent_connected) == ("agent", True)
    assert vm.warnings == []


def test_agent_that_hangs(fleet: Fleet, name: str, inside: Inside) -> None:
    """The lease tells the address; that the agent says nothing is told too."""
    stop = "p=$(pidof qemu-ga); (sleep 1; kill -STOP $p; sleep 8; kill -CONT $p) >/dev/null 2>&1 &"
    inside(stop)
    for _ in range(30):  # a guest under load may stop it later, or between two questions
        time.sleep(0.2)
        vm = fleet.vms.get(name, fields=["addresses"], agent_timeout=1)
        if vm.warnings and vm.network.source == "lease":
            break
    assert vm.warnings
    assert (vm.network.source, vm.agent_connected) == ("lease", True), vm.warnings
    assert vm.network.ip_address
    [warning] = vm.warnings
    assert warning.startswith("addresses by agent: ")
    time.sleep(8)
    assert inside("echo back") == "back"


@pytest.mark.parametrize("what", [{"wait_for": "ssh"}, {"wait_for": "port", "wait_port": 8080}])
def test_wait_for_a_port(fleet: Fleet, name: str, what: dict[str, Any]) -> None:
    [waited] = fleet.vms.run([{"name": name, "state": "running", "wait_timeout": 30, **what}])
    assert (waited.changed, waited.error) == (False, None)


def test_wait_for_a_port_that_nobody_opens(fleet: Fleet, name: str) -> None:
    what = {"wait_for": "port", "wait_port": 9, "wait_timeout": 1}
    began = time.monotonic()
    [waited] = fleet.vms.run([{"name": name, "state": "running", **what}])
    assert time.monotonic() - began < 8
    assert waited.error_code == "timeout"
    assert "port 9" in str(waited.error)


def test_second_run_is_unchanged(fleet: Fleet, name: str) -> None:
    [again] = fleet.vms.run([task(name)])
    assert (again.changed, again.error) == (False, None), again.plan


def test_snapshot_with_memory_and_back(fleet: Fleet, name: str, inside: Inside) -> None:
    inside("echo before > /run/when; echo before > /persist/when; sync")
    wanted = {"vm": name, "name": "s1", "memory": True}
    for changed in (True, False):
        [made] = fleet.snapshots.run([wanted])
        assert (made.changed, made.error) == (changed, None)
    inside("echo after > /run/when; echo after > /persist/when; sync")
    [back] = fleet.snapshots.run([{**wanted, "state": "reverted"}])
    assert back.error is None
    soon(inside, "cat /run/when", "before")
    assert inside("cat /persist/when") == "before"
    [gone] = fleet.snapshots.run([{**wanted, "state": "absent"}])
    assert (gone.changed, gone.error) == (True, None)


def test_more_cpus(fleet: Fleet, name: str, inside: Inside) -> None:
    assert inside("nproc") == "1"
    result = change(fleet, name, cpus=2)
    assert not result.restart_required
    soon(inside, "nproc", "2")


def test_more_memory(fleet: Fleet, name: str, inside: Inside) -> None:
    before = int(inside("awk '/MemTotal/ { print $2 }' /proc/meminfo"))
    result = change(fleet, name, memory="256MiB")
    assert not result.restart_required
    after = int(inside("awk '/MemTotal/ { print $2 }' /proc/meminfo"))
    assert after - before == 64 * 1024


def test_memory_beyond_the_maximum_waits(fleet: Fleet, name: str) -> None:
    result = change(fleet, name, memory="320MiB")
    assert result.restart_required
    assert {"memory", "memory_max"} <= set(result.changes_pending)
    assert result.plan
    assert any("restart" in warning for warning in result.plan.warnings)


def test_disk_grows(fleet: Fleet, name: str, inside: Inside) -> None:
    change(fleet, name, disks=[{"target": "vda", "size": "96MiB"}])
    soon(inside, "cat /sys/block/vda/size", str(96 * 2048))


def test_new_disk_and_card(fleet: Fleet, name: str, inside: Inside) -> None:
    disks = [{"target": "vda"}, {"target": "vdb", "size": "4MiB", "serial": "data-1"}]
    cards = [{"network": "default"}, {"network": "default", "mac": "52:54:00:0a:0b:0c"}]
    result = change(fleet, name, disks=disks, networks=cards)
    assert not result.restart_required
    soon(inside, "cat /sys/block/vdb/size", str(4 * 2048))
    soon(inside, "cat /sys/class/net/eth1/address", "52:54:00:0a:0b:0c")
    disks[1] = {"target": "vdb", "state": "absent"}
    cards[1] = {"mac": "52:54:00:0a:0b:0c", "state": "absent"}
    change(fleet, name, disks=disks, networks=cards)
    soon(inside, "ls /sys/block | grep -c vdb", "0")
    soon(inside, "ls /sys/class/net | grep -c eth1", "0")


def test_graphics_password(fleet: Fleet, name: str, tmp_path: Path) -> None:
    assert password(name) == "first"
    graphics = {"type": "vnc", "password": SECRET}
    result = change(fleet, name, graphics=graphics)
    assert result.after["graphics_password"] == "(new)"
    assert password(name) == SECRET
    assert SECRET not in result.model_dump_json()
    assert SECRET not in str(fleet.journal.log(limit=500))
    assert fleet.config.store
    journal = Path(fleet.config.store.removeprefix("sqlite:///"))
    files = list(journal.parent.iterdir())
    assert all(SECRET.encode() not in file.read_bytes() for file in files)
    assert not list(tmp_path.iterdir())


def password(name: str) -> str:
    """Return the VNC password of a running domain."""
    from lxml import etree

    connection = libvirt.open(SYSTEM)
    xml = connection.lookupByName(name).XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE)
    connection.close()
    return str(etree.fromstring(xml).xpath("string(devices/graphics/@passwd)"))


def test_cdrom_medium(fleet: Fleet, name: str, inside: Inside) -> None:
    connection = libvirt.open(SYSTEM)
    pool = connection.storagePoolLookupByName("default")
    volume = f"{name}-medium.iso"
    pool.createXML(f"<volume><name>{volume}</name><capacity>1048576</capacity></volume>")
    connection.close()
    sectors = "for d in /sys/block/sr*; do cat $d/size; done | sort -n | tail -n 1"
    change(fleet, name, cdroms=[{"target": "sdc", "pool": "default", "volume": volume}])
    soon(inside, "dd if=/dev/sr1 of=/dev/null bs=1M 2>/dev/null || dd if=/dev/sr0 of=/dev/null", "")
    soon(inside, sectors, "2048")
    change(fleet, name, cdroms=[{"target": "sdc", "eject": True}])


def test_pause_and_go_on(fleet: Fleet, name: str, inside: Inside) -> None:
    result = change(fleet, name, state="paused")
    assert result.vm
    assert result.vm.status == "paused"
    change(fleet, name, state="running")
    assert inside("echo here") == "here"


def test_snapshot_that_could_not_be_reverted_to(fleet: Fleet, name: str) -> None:
    """A CPU was plugged in above: libvirt would lose the VM at the revert."""
    [said] = fleet.snapshots.run([{"vm": name, "name": "s2", "memory": True}])
    assert said.error_code == "invalid_input"
    assert "external: true" in str(said.error)


def test_external_snapshot(fleet: Fleet, name: str, inside: Inside) -> None:
    [made] = fleet.snapshots.run([{"vm": name, "name": "e1", "external": True}])
    assert (made.changed, made.error) == (True, None)
    vm = fleet.vms.get(name, fields=["snapshots", "hardware"])
    assert vm.snapshots
    assert (vm.snapshots[0].name, vm.snapshots[0].external) == ("e1", True)
    assert inside("echo writes > /persist/w && sync && cat /persist/w") == "writes"


def test_reset(fleet: Fleet, name: str, inside: Inside) -> None:
    inside("touch /run/mark")
    [done] = fleet.vms.run([{"name": name, "state": "reset", "wait_for": "agent"}])
    assert (done.changed, done.error) == (True, None)
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        try:
            if inside("ls /run/mark; echo up") == "up":
                return
        except libvirt.libvirtError:
            time.sleep(0.3)
    raise AssertionError("the guest has not booted again")


def test_stop_waits_until_it_has_stopped(fleet: Fleet, name: str) -> None:
    [done] = fleet.vms.run([{"name": name, "state": "stopped", "timeout": 60}])
    assert (done.changed, done.error) == (True, None)
    assert done.vm
    assert done.vm.status == "stopped"
    [again] = fleet.vms.run([{"name": name, "state": "stopped"}])
    assert (again.changed, again.error) == (False, None)


def test_static_address_after_a_cold_change(fleet: Fleet, name: str) -> None:
    """A new seed with a static address, more of everything; the old seed goes."""
    wanted = task(name) | {
        "cpus": 2,
        "memory": "320MiB",
        "memory_max": "320MiB",
        "disks": [{"target": "vda"}],
        "graphics": {"type": "vnc"},
        "networks": [{"network": "default", "address": f"{STATIC}/24", "gateway": "192.168.122.1"}],
    }
    mac = fleet.vms.get(name).network.mac_address
    [done] = fleet.vms.run([wanted])
    assert done.error is None, done.error
    assert ask_inside(name, "nproc") == "2"
    assert STATIC in ask_inside(name, "ip -o -4 address show eth0")
    vm = fleet.vms.get(name, fields=["hardware", "addresses"])
    assert (vm.network.mac_address, vm.network.ip_address) == (mac, STATIC)
    assert vm.hardware
    assert len([d for d in vm.hardware.cdroms if "-seed-" in str(d.path)]) == 1
    connection = libvirt.open(SYSTEM)
    volumes = connection.storagePoolLookupByName("default").listVolumes()
    connection.close()
    assert len([v for v in volumes if v.startswith(f"{name}-seed-")]) == 1


def test_guest_that_does_not_stop(fleet: Fleet, name: str) -> None:
    """A timeout is an error that says so; with force the power is cut after it."""
    ask_inside(name, "for p in $(pidof acpid) ; do kill -STOP $p; done; echo")
    began = time.monotonic()
    [late] = fleet.vms.run([{"name": name, "state": "stopped", "timeout": 2}])
    assert late.error_code == "plan_failed"
    assert "has not shut down in 2 s" in str(late.error)
    assert fleet.vms.get(name).status == "running"
    [done] = fleet.vms.run([{"name": name, "state": "stopped", "timeout": 1, "force": True}])
    assert (done.changed, done.error) == (True, None)
    assert fleet.vms.get(name).status == "stopped"
    assert time.monotonic() - began < 15


def test_delete_takes_all_of_it(fleet: Fleet, name: str) -> None:
    wanted = {"name": name, "state": "absent", "delete_disks": True, "force": True}
    [said] = fleet.vms.run([wanted], check=True)
    [done] = fleet.vms.run([wanted])
    assert (done.changed, done.error) == (True, None), said.plan
    connection = libvirt.open(SYSTEM)
    left = connection.storagePoolLookupByName("default").listVolumes()
    connection.close()
    assert f"{name}-seed-" not in " ".join(left)
    [again] = fleet.vms.run([wanted])
    assert (again.changed, again.error) == (False, None)
