# SPDX-License-Identifier: Apache-2.0
"""What stands against a move, seen on real hosts: a sentence each, and nothing half done."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hostler import Fleet

from .moves import (
    ACCESS,
    B_SSH,
    C_TLS,
    IMAGES,
    NET,
    RUNNING,
    STATE,
    STOPPED,
    A,
    B,
    Pair,
    disk_of,
    hosts,
    inside,
    make,
    move,
    places,
    small_pool,
    volumes,
)
from .terminal import on_terminal


def refused(fleet: Fleet, **options: Any) -> str:
    """Hold that check mode and the run say the same, and that nothing was touched."""
    before = places(), volumes(A), volumes(B)
    planned, done = move(fleet, check=True, **options), move(fleet, **options)
    assert (planned.status, done.status) == ("failed", "failed")
    assert planned.error == done.error
    assert done.plan is None
    assert (places(), volumes(A), volumes(B)) == before
    assert done.error
    assert "\n" not in done.error
    return done.error


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"target_uri": A}, "is the same host"),
        ({"mode": "offline"}, "moves only the definition of a stopped VM"),
        ({"vm": "m2"}, "there is no such VM"),
        ({"target_host": "kvm9"}, "there is no such host in the pool"),
        ({"target_uri": "qemu+tcp://127.0.0.1:1/system"}, "Connection refused"),
        ({"target_uri": "foo:///system"}, "foo"),
        ({"target_uri": f"qemu+ssh://reader@{B_SSH.split('@')[1]}"}, "may only read there"),
        ({"target_uri": B_SSH.replace("access/ssh", "access/ssh-wrong")}, "without a password"),
    ],
)
def test_bad_input(pair: Pair, fleet: Fleet, options: dict[str, Any], why: str) -> None:
    make(pair[0], disk=1)
    assert why in refused(fleet, storage="copy", **options)


def test_itself_by_another_way(pair: Pair, fleet: Fleet) -> None:
    make(pair[1])
    done = fleet.migrations.run([{"vm": "m1", "target_uri": B_SSH}], uri=B)[0]
    assert f"{B_SSH} is the same host" in str(done.error)
    assert places() == {B: RUNNING}


def test_a_source_that_may_only_be_read(pair: Pair, fleet: Fleet) -> None:
    make(pair[1])
    reader = B_SSH.replace("root@", "reader@")
    done = fleet.migrations.run([{"vm": "m1", "target_uri": A}], uri=reader)[0]
    assert done.error_code == "denied"
    assert "This user may only read there" in str(done.error)
    assert places() == {B: RUNNING}


def test_the_certificate_of_another_host(pair: Pair, fleet: Fleet) -> None:
    make(pair[0])
    hosts("tls", "c", "b")
    try:
        said = refused(fleet, target_uri=C_TLS)
    finally:
        hosts("tls", "c")
    assert "certificate must carry the name or address that the URI has" in said


def test_a_name_that_is_taken(pair: Pair, fleet: Fleet) -> None:
    make(pair[0])
    make(pair[1], start=False)
    assert "the name is taken by another VM" in refused(fleet)
    assert places() == {A: RUNNING, B: STOPPED}


def test_a_uuid_that_is_taken(pair: Pair, fleet: Fleet) -> None:
    uuid = make(pair[0])
    make(pair[1], "m2", start=False, more=f"<uuid>{uuid}</uuid>")
    said = refused(fleet)
    assert f"VM 'm2' on {B}: it is there too" in said


def test_a_pool_or_network_that_is_missing_is_named(pair: Pair, fleet: Fleet) -> None:
    make(pair[0], disk=1, network="default")
    pool = pair[1].storagePoolLookupByName("default")
    network = pair[1].networkLookupByName("default")
    pool.destroy()
    network.destroy()
    try:
        done = move(fleet, storage="copy")
    finally:
        pool.create()
        network.create()
    assert done.error
    assert f"no running pool at {IMAGES} (pool 'default'" in done.error
    assert "network 'default' does not run on the target" in done.error
    assert places() == {A: RUNNING}


def test_files_that_are_missing_or_in_the_way(pair: Pair, fleet: Fleet) -> None:
    make(pair[0], disk=1)
    assert f"the target has no {IMAGES}/m1.qcow2: mount it there" in refused(fleet)
    assert "it has no backing file" in refused(fleet, storage="incremental")
    disk_of("b", "m1.qcow2").write_bytes(b"of somebody else")  # libvirt does not know it yet
    said = refused(fleet, storage="copy")
    assert f"the target has a volume 'm1.qcow2' at {IMAGES} already" in said
    assert disk_of("b", "m1.qcow2").read_bytes() == b"of somebody else"


def test_a_backing_file_that_the_target_lacks(pair: Pair, fleet: Fleet) -> None:
    disk_of("a", "mbase").write_bytes(b"\0" * 65536)
    new = ["qemu-img", "create", "-q", "-u", "-f", "qcow2", "-F", "raw", "-b", f"{IMAGES}/mbase"]
    subprocess.run([*new, disk_of("a", "m1.qcow2"), "64K"], check=True)
    disk_of("a", "m1.qcow2").chmod(0o666)
    disk = (
        f"<disk type='file'><driver name='qemu' type='qcow2'/><source file='{IMAGES}/m1.qcow2'/>"
        "<target dev='vda' bus='virtio'/></disk>"
    )
    make(pair[0], devices=disk)
    said = refused(fleet, storage="incremental")
    assert f"the target has no {IMAGES}/mbase, which is its backing file" in said


def test_a_target_without_room(pair: Pair, fleet: Fleet) -> None:
    make(pair[0], disk=16)
    with small_pool("8m"):
        said = refused(fleet, storage="copy")
    assert f"the copies take 16 MiB, and {IMAGES} on the target has 8 MiB free" in said


def test_devices_of_the_host(pair: Pair, fleet: Fleet) -> None:
    inside("a", "mount", "-t", "tmpfs", "tmpfs", "/sys/bus")  # a host with USB, and nothing in it
    try:
        inside("a", "mkdir", "-p", "/sys/bus/usb/devices")
        device = "<vendor id='0x1234'/><product id='0x5678'/>"
        make(
            pair[0],
            devices="<hostdev mode='subsystem' type='usb'>"
            f"<source startupPolicy='optional'>{device}</source></hostdev>",
        )
        said = refused(fleet)
    finally:
        inside("a", "umount", "/sys/bus")
    assert "it uses devices of its host (usb): unplug them" in said


def test_a_cpu_that_the_target_lacks(pair: Pair, fleet: Fleet) -> None:
    make(pair[0])
    with cpu_without("x2apic"):
        said = refused(fleet)
    assert "the target's CPU lacks what the VM's CPU has" in said
    assert move(fleet).status == "migrated"


@contextmanager
def cpu_without(feature: str) -> Iterator[None]:
    """Have B's libvirt take its CPUs for ones that lack a feature, as it had seen it of QEMU."""
    known = {
        file: file.read_text()
        for file in (STATE / "b" / "cache" / "qemu" / "capabilities").glob("*.xml")
    }
    pattern = re.compile(rf"\s*<property name='{feature}'[^>]*/>")
    assert any(pattern.search(text) for text in known.values())
    try:
        _learn({file: pattern.sub("", text) for file, text in known.items()})
        yield
    finally:
        _learn(known)


def _learn(known: dict[Path, str]) -> None:
    hosts("kill-daemon", "b")
    for file, text in known.items():
        file.write_text(text)
    hosts("restart-daemon", "b")


ASKED = "Are you sure you want to continue connecting"
OPENS = (
    "import sys; from hostler import Fleet; from hostler.config import FleetConfig\n"
    "try: Fleet(FleetConfig(connect_timeout=3), uri=sys.argv[1]).vms.list()\n"
    "except Exception as error: print('said:', error)"
)


@pytest.mark.parametrize("silent", [True, False])
@pytest.mark.usefixtures("three")
def test_ssh_asks_nothing_on_the_terminal(tmp_path: Path, silent: bool) -> None:
    """A host that ssh has never seen; with no_tty=0, somebody is there to be asked."""
    ssh = tmp_path / "ssh"
    ssh.write_text(
        f"#!/bin/sh\nexec ssh -F none -i {ACCESS}/key -o UserKnownHostsFile={tmp_path}/known"
        ' -o GlobalKnownHostsFile=none "$@"\n'
    )
    ssh.chmod(0o755)
    uri = f"qemu+ssh://root@{NET}.2/system?command={ssh}{'' if silent else '&no_tty=0'}"
    shown = on_terminal([sys.executable, "-c", OPENS, uri], typed=b"no\n")[1]
    assert (ASKED in shown) is not silent
    if silent:
        assert "Host key verification failed" in shown
        assert "compare it, then mend known_hosts" in shown
