# SPDX-License-Identifier: Apache-2.0
"""Events of a real hypervisor: what VMs do, and what happens while nobody can listen."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import libvirt
import libvirt_qemu
import pytest

from hostler import Fleet
from hostler.config import FleetConfig
from hostler.events.stream import EventStream
from hostler.models.event import Event

from .rig import GUEST_INSIDE, Rig
from .state import sweep

XML = f"""
<domain type='qemu'>
  <name>{{name}}</name><memory unit='MiB'>32</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type>
    <loader type='rom'>{GUEST_INSIDE}/halt.rom</loader></os>
  <devices><controller type='scsi' model='virtio-scsi'/></devices>
</domain>
"""
DISK = """
<disk type='file' device='disk'><driver name='qemu' type='raw'/>
  <source file='/var/lib/libvirt/images/extra.raw'/><target dev='sdb' bus='scsi'/></disk>
"""
Wanted = Callable[[Event], bool]


@pytest.fixture
def stream(fleet: Fleet) -> Iterator[EventStream]:
    """A stream that listens already."""
    with fleet.events() as stream:
        until(stream, host_is("active"))
        yield stream


def until(stream: EventStream, wanted: Wanted, seconds: float = 60) -> list[Event]:
    """Read events up to the one that is wanted."""
    told = []
    while event := stream.get(seconds):
        told.append(event)
        if wanted(event):
            return told
    raise AssertionError(f"it was not told; only {told}")


def host_is(status: str) -> Wanted:
    return lambda e: e.type == "host.status.changed" and e.data["new_status"] == status


def vm_is(name: str, status: str) -> Wanted:
    return lambda e: (
        (e.type, e.vm) == ("vm.status.changed", name) and e.data["new_status"] == status
    )


def started(connection: libvirt.virConnect, name: str) -> libvirt.virDomain:
    domain = connection.defineXML(XML.format(name=name))
    domain.create()
    return domain


def kill_qemu(host: Rig, name: str) -> None:
    pid = host.inside("cat", f"/run/libvirt/qemu/{name}.pid").strip()
    host.inside("kill", "-KILL", pid)


def changes(told: list[Event], vm: str) -> list[tuple[Any, ...]]:
    return [
        (e.data["old_status"], e.data["new_status"], e.data["reason"], e.missed)
        for e in told
        if (e.type, e.vm) == ("vm.status.changed", vm)
    ]


def test_what_a_vm_does(host: Rig, stream: EventStream, connection: libvirt.virConnect) -> None:
    domain = started(connection, "web")
    domain.reset(0)
    host.inside("truncate", "-s", "1M", "/var/lib/libvirt/images/extra.raw")
    domain.attachDeviceFlags(DISK, libvirt.VIR_DOMAIN_AFFECT_LIVE)
    domain.managedSave()
    told = until(stream, vm_is("web", "stopped"))
    kinds = [e.type for e in told]
    assert kinds[0] == "vm.defined"
    assert {"vm.rebooted", "vm.device.added", "vm.job.completed"} <= {*kinds}
    assert changes(told, "web")[0] == (
        "stopped",
        "running",
        "booted",
        False,
    )
    assert changes(told, "web")[-1][2] == "saved"


@pytest.mark.fault
def test_a_qemu_that_is_killed(
    host: Rig, stream: EventStream, connection: libvirt.virConnect
) -> None:
    started(connection, "web")
    until(stream, vm_is("web", "running"))
    kill_qemu(host, "web")
    told = until(stream, vm_is("web", "stopped"))
    assert changes(told, "web") == [("running", "stopped", "crashed", False)]


@pytest.mark.fault
def test_libvirtd_restarts_while_we_follow(
    host: Rig, stream: EventStream, connection: libvirt.virConnect
) -> None:
    """What happened meanwhile is found out: a VM that died, and none that lives on."""
    started(connection, "dies")
    lives = started(connection, "lives")
    until(stream, vm_is("lives", "running"))
    host.kill_daemon()
    told = until(stream, host_is("unreachable"))
    assert "hung up" in told[-1].data["reason"]
    kill_qemu(host, "dies")
    host.restart_daemon()
    told = until(stream, host_is("active"))
    assert [(e[:2], e[3]) for e in changes(told, "dies")] == [(("running", "stopped"), True)]
    assert changes(told, "lives") == []
    with libvirt.open(host.uri) as again:
        again.lookupByUUIDString(lives.UUIDString()).suspend()
        told = until(stream, vm_is("lives", "paused"))
    assert changes(told, "lives") == [("running", "paused", "user", False)]


@pytest.mark.fault
def test_a_host_is_gone_and_back_with_other_vms(
    host: Rig, stream: EventStream, connection: libvirt.virConnect
) -> None:
    started(connection, "was")
    connection.defineXML(XML.format(name="off"))
    until(stream, lambda e: e.vm == "off")
    host.hosts("crash")
    until(stream, host_is("unreachable"))
    host.hosts("up")
    with libvirt.open(host.uri) as again:
        again.lookupByName("off").create()
        started(again, "new")
        told = until(stream, host_is("active"))
        told += until(stream, vm_is("new", "running")) if not changes(told, "new") else []
    assert changes(told, "was")[0][:2] == ("running", "stopped")
    assert (changes(told, "off")[0][0], changes(told, "off")[-1][1]) == ("stopped", "running")
    assert changes(told, "new")[-1][1] == "running"


GUEST = f"""
<domain type='qemu'>
  <name>guest</name><memory unit='MiB'>192</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{GUEST_INSIDE}/vmlinuz</kernel><initrd>{GUEST_INSIDE}/initrd.img</initrd>
    <cmdline>quiet panic=1 tsc=reliable</cmdline></os><features><acpi/></features>
  <devices>
    <disk type='file' device='disk'><driver name='qemu' type='raw' cache='none'/>
      <source file='/var/lib/libvirt/images/tiny/disk.raw'/><target dev='vda' bus='virtio'/></disk>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
  </devices>
</domain>
"""


@pytest.mark.slow
@pytest.mark.fault
def test_what_a_guest_does(host: Rig, stream: EventStream, connection: libvirt.virConnect) -> None:
    """Its agent connects, its memory shrinks, its disk can't be written."""
    tiny = "/var/lib/libvirt/images/tiny"
    host.inside("mkdir", "-p", tiny)
    host.inside("mount", "-t", "tmpfs", "-o", "size=1M", "tmpfs", tiny)
    try:
        host.inside("truncate", "-s", "64M", f"{tiny}/disk.raw")
        domain = connection.defineXML(GUEST)
        domain.create()
        told = until(stream, lambda e: e.data.get("state") == "connected")
        assert (told[-1].type, told[-1].data["reason"]) == ("vm.agent.changed", "channel")
        domain.setMemory(160 * 1024)
        told = until(stream, lambda e: e.data.get("memory_mb") == 160)
        assert told[-1].type == "vm.balloon.changed"
        write = {"path": "dd", "arg": ["if=/dev/zero", "of=/dev/vda", "bs=1M", "count=8"]}
        command = json.dumps({"execute": "guest-exec", "arguments": write})
        libvirt_qemu.qemuAgentCommand(domain, command, 10, 0)
        failed = until(stream, lambda e: e.type == "vm.io_error")[-1].data
        assert (failed["action"], failed["reason"]) == ("pause", "enospc")
        assert failed["path"] == f"{tiny}/disk.raw"
        domain.destroy()
    finally:
        host.inside("umount", "-l", tiny)


def test_many_hosts_at_once(host: Rig, tmp_path: Path) -> None:
    """One that can't be reached says so, and holds nobody up."""
    hosts = {
        "real": {"uri": host.uri},
        "tester": {"uri": "test:///default"},
        "nowhere": {"uri": "qemu+unix:///system?socket=/nowhere"},
    }
    config = {"hosts": hosts, "store": f"sqlite:///{tmp_path}/pool.db"}
    with Fleet(FleetConfig.model_validate(config)) as fleet, fleet.events() as stream:
        told = [stream.get(20) for _ in hosts]
        with libvirt.open(host.uri) as connection:
            started(connection, "web")
        assert until(stream, vm_is("web", "running"))[-1].host == "real"
    statuses = {e.host: (e.data["new_status"], e.data["reason"]) for e in told if e}
    assert statuses["real"] == statuses["tester"] == ("active", None)
    assert statuses["nowhere"][0] == "unreachable"
    assert "/nowhere" in str(statuses["nowhere"][1])


def test_the_command(host: Rig, connection: libvirt.virConnect) -> None:
    command = ["hostler", "--uri", host.uri, "events", "--follow", "--json", "--vm", "web"]
    program = [str(Path(sys.executable).parent / command[0]), *command[1:]]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert json.loads(process.stdout.readline())["data"]["new_status"] == "active"
        started(connection, "db")
        started(connection, "web")
        told = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    assert [(e["type"], e["vm"]) for e in told] == [
        ("vm.defined", "web"),
        ("vm.status.changed", "web"),
    ]
    sweep(host.uri)


def test_the_command_for_people(host: Rig) -> None:
    program = str(Path(sys.executable).parent / "hostler")
    done = subprocess.run(
        [program, "--uri", host.uri, "events", "--seconds", "1"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"{host.uri}  -  host.status.changed  ? -> active" in done.stdout
