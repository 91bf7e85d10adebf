# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An isolated hypervisor to measure on, the VMs on it, and a way to make it look far away."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import libvirt

ROOT = Path(__file__).resolve().parents[2]
RIGS = ROOT / "tests" / "rigs" / "libvirt"
NET = "10.76.0"
HOST = "bench"
PREFIX = "bench-"
HALT_ROM = "/var/lib/libvirt/guest/halt.rom"

DOMAIN = """
<domain type='{kind}'>
  <name>{name}</name>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type><loader type='rom'>{rom}</loader></os>
  <features><acpi/></features>
  <devices>
    <controller type='usb' model='none'/>
    {devices}
  </devices>
</domain>
"""
DISK_AND_NIC = """
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='/var/lib/libvirt/images/{name}.qcow2'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <interface type='network'><source network='default'/><model type='virtio'/></interface>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <serial type='pty'/>
"""


@contextmanager
def hypervisor() -> Iterator[str]:
    """Start a hypervisor of our own and give its URI; it is taken down afterwards."""
    _hosts("up", HOST)
    status = _hosts("status").split()
    try:
        yield status[status.index(HOST) + 1]
    finally:
        _hosts("down", HOST)


def _hosts(*arguments: str) -> str:
    done = subprocess.run(
        [RIGS / "hosts.sh", *arguments],
        env={**os.environ, "HOSTLER_RIG_NET": NET},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


@contextmanager
def vms(uri: str, count: int, *, running: bool = False, first: int = 0) -> Iterator[list[str]]:
    """Define VMs (disk, NIC, agent channel), or run small ones that halt; give their names."""
    names = [f"{PREFIX}{number:04}" for number in range(first, first + count)]
    kind = "kvm" if os.access("/dev/kvm", os.R_OK) else "qemu"
    with closing(libvirt.open(uri)) as connection:

        def make(name: str) -> None:
            devices = "" if running else DISK_AND_NIC.format(name=name)
            xml = DOMAIN.format(name=name, kind=kind, rom=HALT_ROM, devices=devices)
            domain = connection.defineXML(xml)
            if running:
                domain.create()

        try:
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(make, names))
            yield names
        finally:
            remove(uri, names)


def remove(uri: str, names: Iterable[str] | None = None) -> None:
    """Remove the benchmarks' VMs."""
    wanted = None if names is None else set(names)
    with closing(libvirt.open(uri)) as connection:
        for domain in connection.listAllDomains():
            if domain.name().startswith(PREFIX) and (wanted is None or domain.name() in wanted):
                if domain.isActive():
                    domain.destroy()
                domain.undefine()


@contextmanager
def far_away(uri: str, round_trip_ms: float) -> Iterator[str]:
    """Give a URI of the same hypervisor, behind a proxy that takes its time."""
    there = urlsplit(uri)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    proxy = subprocess.Popen(
        [
            *(sys.executable, RIGS / "delayproxy.py"),
            *(str(port), str(there.hostname), str(there.port or 16509), str(round_trip_ms / 2)),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert proxy.stdout is not None
        proxy.stdout.readline()
        yield f"qemu+tcp://127.0.0.1:{port}{there.path}"
    finally:
        proxy.terminate()
        proxy.communicate()
