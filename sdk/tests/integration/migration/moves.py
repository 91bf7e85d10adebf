# SPDX-License-Identifier: Apache-2.0
"""Hosts to move VMs between, VMs that do nothing, and looks at where they are."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from zlib import crc32

import libvirt

from hostler import Fleet
from hostler.errors import Timeout
from hostler.models.vm_migration import VmMigrationResult

from ..rig import HOSTS, ROOT

NET = f"10.92.{crc32(str(ROOT).encode()) % 250}"
LOCK = ROOT / ".cache" / "rigs" / "sdk-migration.lock"
STATE = ROOT / ".cache" / "rigs" / "libvirt" / NET
ACCESS = STATE / "access"
"""Keys and certificates of the rig's clients."""
A, B, C = (f"qemu+tcp://{NET}.{number}/system" for number in (1, 2, 3))
B_SSH = f"qemu+ssh://root@{NET}.2/system?command={ACCESS}/ssh"
C_TLS = f"qemu+tls://{NET}.3/system?pkipath={ACCESS}/pki"
IMAGES = "/var/lib/libvirt/images"
SHARED = "/var/lib/libvirt/shared"
RUNNING = (libvirt.VIR_DOMAIN_RUNNING, True)
STOPPED = (libvirt.VIR_DOMAIN_SHUTOFF, True)

MakeFleet = Callable[..., Fleet]
Pair = tuple[libvirt.virConnect, libvirt.virConnect]


def hosts(*words: str) -> str:
    """Run the rig's own script."""
    environment = {**os.environ, "HOSTLER_RIG_NET": NET}
    done = subprocess.run(
        [HOSTS, *words], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def inside(host: str, *words: str) -> str:
    """Run a command inside a host."""
    return hosts("exec", host, *words)


def disk_of(host: str, name: str) -> Path:
    """The file of a volume in a host's own pool."""
    return STATE / host / "lib" / "images" / name


def make(  # noqa: PLR0913 - all by name
    connection: libvirt.virConnect,
    name: str = "m1",
    *,
    disk: int = 0,
    memory: int = 64,
    start: bool = True,
    network: str = "",
    shared: bool = False,
    devices: str = "",
    more: str = "",
) -> str:
    """Make a VM that halts; its disk (MiB) is in the pool that each host has for itself."""
    if disk:
        pool = "shared" if shared else "default"
        connection.storagePoolLookupByName(pool).createXML(
            f"<volume><name>{name}.qcow2</name><capacity unit='MiB'>{disk}</capacity>"
            f"<allocation unit='MiB'>{disk}</allocation>"
            "<target><format type='raw'/></target></volume>"
        )
        devices += (
            "<disk type='file' device='disk'><driver name='qemu' type='raw'/>"
            f"<source file='{SHARED if shared else IMAGES}/{name}.qcow2'/>"
            "<target dev='vda' bus='virtio'/></disk>"
        )
    if network:
        devices += f"<interface type='network'><source network='{network}'/></interface>"
    domain = connection.defineXML(
        f"<domain type='kvm'><name>{name}</name><memory unit='MiB'>{memory}</memory>"
        f"<vcpu>1</vcpu>{more}<os><type arch='x86_64' machine='q35'>hvm</type>"
        "<loader type='rom'>/var/lib/libvirt/guest/halt.rom</loader></os>"
        f"<devices>{devices}</devices></domain>"
    )
    if start:
        domain.create()
    return str(domain.UUIDString())


def move(fleet: Fleet, **options: Any) -> VmMigrationResult:
    """Move m1 to B."""
    told = options.pop("told", None)
    check = options.pop("check", False)
    target = {} if "target_host" in options else {"target_uri": B}
    task = {"vm": "m1", **target, **options}
    return fleet.migrations.run([task], check=check, on_progress=told)[0]


def places(name: str = "m1") -> dict[str, tuple[int, bool]]:
    """Return state and persistence of a VM on each host where it is."""
    found = {}
    for uri in (A, B):
        connection = libvirt.open(uri)
        for domain in connection.listAllDomains():
            if domain.name() == name:
                with suppress(libvirt.libvirtError):  # it left meanwhile
                    found[uri] = (domain.state()[0], bool(domain.isPersistent()))
        connection.close()
    return found


def volumes(uri: str = B, start: str = "m") -> list[str]:
    """Return the volumes of a host's pool default whose names start so."""
    connection = libvirt.open(uri)
    pool = connection.storagePoolLookupByName("default")
    pool.refresh()
    return [str(name) for name in pool.listVolumes() if name.startswith(start)]


def is_still(fleet: Fleet, name: str = "m1", uri: str = A) -> bool:
    """Whether nobody moves a VM; no while its QEMU is stuck in that."""
    with suppress(Timeout):
        return not fleet.hypervisor(uri).migrations.is_moving(name)
    return False


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
    done = move(fleet, **{"storage": "copy", "bandwidth": 8, **options}, told=told)
    thread.join()
    return done


@contextmanager
def cut_off(host: str, what: str) -> Iterator[Callable[[], object]]:
    """Give what loses, without a word, packets that come to a host (nftables' words)."""
    rules = (
        "add table inet cut; add chain inet cut coming { type filter hook input priority 0 ; }; "
        f"add rule inet cut coming {what} drop"
    )
    try:
        yield lambda: inside(host, "nft", rules)
    finally:
        inside(host, "nft", "delete table inet cut")
        inside(host, "ss", "--kill", "--tcp", "state", "connected")  # tries again late, else


@contextmanager
def small_pool(size: str) -> Iterator[None]:
    """Give B's pool a small file system of its own."""
    inside("b", "mount", "-t", "tmpfs", "-o", f"size={size},mode=777", "tmpfs", IMAGES)
    try:
        yield
    finally:
        inside("b", "umount", IMAGES)


def wait_for(true: Callable[[], object], seconds: float = 30) -> None:
    """Wait until something is true."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, places()
        time.sleep(0.1)
