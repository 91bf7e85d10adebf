# SPDX-License-Identifier: Apache-2.0
"""VMs move between two real hosts; whatever fails, each is on exactly one of them."""

from __future__ import annotations

import fcntl
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import libvirt
import pytest

from hostler import Fleet
from hostler.models.vm_migration import VmMigrationResult

from .rig import HOSTS, ROOT
from .state import sweep

NET = f"10.92.{crc32(str(ROOT).encode()) % 250}"
LOCK = ROOT / ".cache" / "rigs" / "sdk-migration.lock"
A, B = (f"qemu+tcp://{NET}.{number}/system" for number in (1, 2))
IMAGES = "/var/lib/libvirt/images"
MakeFleet = Callable[..., Fleet]


def hosts(*words: str) -> str:
    environment = {**os.environ, "HOSTLER_RIG_NET": NET}
    done = subprocess.run(
        [HOSTS, *words], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def _two() -> Iterator[None]:
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        hosts("down")  # what a run that was killed has left
        hosts("up", "a", "b")
        yield
        hosts("down")


@pytest.fixture
def pair(_two: None) -> Iterator[tuple[libvirt.virConnect, libvirt.virConnect]]:
    """Writing connections to both hosts, empty before and after."""
    for uri in (A, B):
        sweep(uri)
    a, b = libvirt.open(A), libvirt.open(B)
    yield a, b
    a.close()
    b.close()
    if " libvirtd down" in hosts("status"):
        hosts("restart-daemon", "b")
    for uri in (A, B):
        sweep(uri)


@pytest.fixture
def fleet(pair: object, make_fleet: MakeFleet) -> Fleet:  # noqa: ARG001 - sweeps
    return make_fleet(A)


def make(a: libvirt.virConnect, *, disk: int = 0, start: bool = True, network: str = "") -> str:
    """Make VM m1, which halts; its disk (MiB) is in the pool that each host has for itself."""
    path = f"{IMAGES}/m1.qcow2"
    devices = ""
    if disk:
        a.storagePoolLookupByName("default").createXML(
            f"<volume><name>m1.qcow2</name><capacity unit='MiB'>{disk}</capacity>"
            f"<allocation unit='MiB'>{disk}</allocation>"
            "<target><format type='raw'/></target></volume>"
        )
        devices = (
            "<disk type='file' device='disk'><driver name='qemu' type='raw'/>"
            f"<source file='{path}'/><target dev='vda' bus='virtio'/></disk>"
        )
    if network:
        devices += f"<interface type='network'><source network='{network}'/></interface>"
    domain = a.defineXML(
        "<domain type='kvm'><name>m1</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>"
        "<os><type arch='x86_64' machine='q35'>hvm</type>"
        "<loader type='rom'>/var/lib/libvirt/guest/halt.rom</loader></os>"
        f"<devices>{devices}</devices></domain>"
    )
    if start:
        domain.create()
    return str(domain.UUIDString())


def move(fleet: Fleet, **options: Any) -> VmMigrationResult:
    told = options.pop("told", None)
    check = options.pop("check", False)
    task = {"vm": "m1", "target_uri": B, **options}
    return fleet.migrations.run([task], check=check, on_progress=told)[0]


def places() -> dict[str, tuple[int, bool]]:
    """Return state and persistence of m1 on each host where it is."""
    found = {}
    for uri in (A, B):
        connection = libvirt.open(uri)
        for domain in connection.listAllDomains():
            found[uri] = (domain.state()[0], bool(domain.isPersistent()))
        connection.close()
    return found


def volumes() -> list[str]:
    """Return what pool default of the target holds."""
    connection = libvirt.open(B)
    pool = connection.storagePoolLookupByName("default")
    pool.refresh()
    return [str(name) for name in pool.listVolumes()]


RUNNING = (libvirt.VIR_DOMAIN_RUNNING, True)
STOPPED = (libvirt.VIR_DOMAIN_SHUTOFF, True)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"peer_to_peer": True},
        {"mode": "paused"},
        {"parallel_connections": 2, "bandwidth": 50},
        {"compression": True, "auto_converge": True},
    ],
    ids=str,
)
def test_a_running_vm_moves(pair: tuple[Any, Any], fleet: Fleet, options: dict[str, Any]) -> None:
    make(pair[0], network="default")
    percent: list[float] = []
    planned = move(fleet, check=True, **options)
    assert (planned.status, places()) == ("planned", {A: RUNNING})
    done = move(fleet, told=lambda _, f: percent.append(f.percent if f else 0), **options)
    assert (done.status, done.runs_on, done.error) == ("migrated", B, None)
    assert done.plan
    assert planned.plan
    assert done.plan.commands == planned.plan.commands
    assert done.downtime is not None
    assert done.data
    assert max(percent) == 100
    assert places() == {B: RUNNING}
    again = move(fleet, **options)
    assert (again.status, again.changed, places()) == ("unchanged", False, {B: RUNNING})


@pytest.mark.parametrize("start", [True, False])
def test_disks_are_copied(pair: tuple[Any, Any], fleet: Fleet, start: bool) -> None:
    make(pair[0], disk=16, start=start)
    with Path(f"{ROOT}/.cache/rigs/libvirt/{NET}/a/lib/images/m1.qcow2").open("r+b") as disk:
        disk.write(b"marked")
    done = move(fleet, storage="copy")
    assert (done.status, done.error) == ("migrated", None)
    assert places() == {B: RUNNING if start else STOPPED}
    copied = Path(f"{ROOT}/.cache/rigs/libvirt/{NET}/b/lib/images/m1.qcow2")
    assert copied.read_bytes()[:6] == b"marked"
    assert copied.stat().st_size == 16 << 20


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"target_uri": A}, "is the same host"),
        ({"mode": "offline"}, "moves only the definition of a stopped VM"),
        ({"vm": "m2"}, "there is no such VM"),
    ],
)
def test_nothing_is_touched(
    pair: tuple[Any, Any], fleet: Fleet, options: dict[str, Any], why: str
) -> None:
    make(pair[0])
    done = move(fleet, **options)
    assert done.error
    assert why in done.error
    assert places() == {A: RUNNING}


def test_shared_storage_that_is_not_is_refused(pair: tuple[Any, Any], fleet: Fleet) -> None:
    make(pair[0], disk=1)
    done = move(fleet)
    assert done.error
    assert "storage: copy" in done.error
    assert (places(), done.runs_on) == ({A: RUNNING}, A)


def test_a_name_that_is_taken(pair: tuple[Any, Any], fleet: Fleet) -> None:
    make(pair[0])
    make(pair[1], start=False)
    done = move(fleet)
    assert done.error_code == "conflict"
    assert places() == {A: RUNNING, B: STOPPED}


def test_a_pool_or_network_that_is_missing_is_named(pair: tuple[Any, Any], fleet: Fleet) -> None:
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


def during(fleet: Fleet, act: Callable[[], object], **options: Any) -> VmMigrationResult:
    """Move a VM slowly, and do something once it is on its way."""
    began = threading.Event()

    def told(_progress: object, figures: Any) -> None:
        if figures and figures.total and figures.remaining:
            began.set()

    def fault() -> None:
        assert began.wait(30)
        act()

    thread = threading.Thread(target=fault)
    thread.start()
    done = move(fleet, storage="copy", bandwidth=1, told=told, **options)
    thread.join()
    return done


@pytest.mark.fault
@pytest.mark.parametrize("peer_to_peer", [False, True])
def test_aborted(pair: tuple[Any, Any], fleet: Fleet, peer_to_peer: bool) -> None:
    make(pair[0], disk=64)
    done = during(fleet, lambda: fleet.migrations.abort("m1"), peer_to_peer=peer_to_peer)
    assert done.status == "failed"
    assert f"still on {A}" in str(done.error)
    assert (places(), done.runs_on) == ({A: RUNNING}, A)
    assert volumes() == []
    assert move(fleet, storage="copy").status == "migrated"


@pytest.mark.fault
def test_too_slow_is_aborted(pair: tuple[Any, Any], fleet: Fleet) -> None:
    make(pair[0], disk=64)
    done = move(fleet, storage="copy", bandwidth=1, timeout=2)
    assert done.error_code == "plan_failed"
    assert "aborted after 2 s" in str(done.error)
    assert (places(), done.runs_on) == ({A: RUNNING}, A)
    assert volumes() == []


@pytest.mark.fault
def test_the_target_s_daemon_dies(pair: tuple[Any, Any], fleet: Fleet) -> None:
    make(pair[0], disk=64)
    done = during(fleet, lambda: hosts("kill-daemon", "b"))
    assert done.status == "failed"
    assert done.runs_on == A
    hosts("restart-daemon", "b")
    wait_for(lambda: places() == {A: RUNNING})
    assert done.plan
    assert "Still in effect: create volume" in str(done.error)
    fleet.runner.undo(done.plan.id)  # what could not be removed while nobody answered
    assert volumes() == []
    assert move(fleet, storage="copy").status == "migrated"


@pytest.mark.fault
@pytest.mark.slow
def test_the_network_is_cut(pair: tuple[Any, Any], fleet: Fleet) -> None:
    make(pair[0], disk=64)
    rules = (
        "add table inet cut; add chain inet cut coming { type filter hook input priority 0 ; }; "
        f"add rule inet cut coming ip saddr {NET}.2 drop"
    )

    def cut() -> None:
        hosts("exec", "a", "nft", rules)  # we still reach both

    try:
        done = during(fleet, cut, timeout=8)
    finally:
        hosts("exec", "a", "nft", "delete table inet cut")
    # QEMU can't stop copying while the other end is silent: nothing is removed that may be needed
    assert (done.status, done.runs_on) == ("failed", A)
    assert "where it runs could not be found out" in str(done.error)
    assert volumes() == ["m1.qcow2"]
    assert done.plan
    wait_for(
        lambda: places() == {A: RUNNING} and not fleet.hypervisor(A).migrations.is_moving("m1")
    )
    fleet.runner.undo(done.plan.id)
    assert volumes() == []


def wait_for(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not true():
        assert time.monotonic() < until, places()
        time.sleep(0.2)
