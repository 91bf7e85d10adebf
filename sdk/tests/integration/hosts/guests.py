# SPDX-License-Identifier: Apache-2.0
"""VMs that halt at once, so that they cost nothing, and looks at where they are."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable
from contextlib import closing, suppress

import libvirt

from .hypervisors import NAMES, Hypervisors

OURS = "<metadata><hostler:vm xmlns:hostler='https://hostler.dev/vm/1'>{}</hostler:vm></metadata>"
NO_USB = "<controller type='usb' model='none'/>"
PORT = 16509
IMAGES = "/var/lib/libvirt/images"
RUNNING, PAUSED, OFF = (
    libvirt.VIR_DOMAIN_RUNNING,
    libvirt.VIR_DOMAIN_PAUSED,
    libvirt.VIR_DOMAIN_SHUTOFF,
)


def make(  # noqa: PLR0913 - all by name
    hypervisors: Hypervisors,
    host: str,
    names: Iterable[str],
    *,
    start: bool = True,
    disk: int = 0,
    form: str = "raw",
    devices: str = "",
    notes: str = "",
) -> None:
    """Make VMs on a host; ``disk`` is the size in MiB of one in the host's own pool."""
    with closing(libvirt.open(hypervisors.tcp(host))) as connection:
        for name in names:
            own = NO_USB + devices
            if disk:
                connection.storagePoolLookupByName("default").createXML(
                    f"<volume><name>{name}.img</name><capacity unit='MiB'>{disk}</capacity>"
                    f"<allocation unit='MiB'>{disk}</allocation>"
                    f"<target><format type='{form}'/></target></volume>"
                )
                own += (
                    f"<disk type='file' device='disk'><driver name='qemu' type='{form}'/>"
                    f"<source file='{IMAGES}/{name}.img'/><target dev='vda' bus='virtio'/></disk>"
                )
            domain = connection.defineXML(
                f"<domain type='kvm'><name>{name}</name>{OURS.format(notes) if notes else ''}"
                "<memory unit='MiB'>64</memory><vcpu>1</vcpu>"
                "<os><type arch='x86_64' machine='q35'>hvm</type>"
                "<loader type='rom'>/var/lib/libvirt/guest/halt.rom</loader></os>"
                f"<devices>{own}</devices></domain>"
            )
            if start:
                domain.create()


def places(hypervisors: Hypervisors) -> dict[str, list[tuple[str, int]]]:
    """Return each VM's hosts, and its state there; asked of libvirt itself."""
    found: dict[str, list[tuple[str, int]]] = {}
    for host in NAMES:
        try:
            socket.create_connection((hypervisors.address(host), PORT), 1).close()
        except OSError:
            continue  # it has crashed
        with closing(libvirt.open(hypervisors.tcp(host))) as connection:
            for domain in connection.listAllDomains():
                with suppress(libvirt.libvirtError):  # it left meanwhile
                    found.setdefault(domain.name(), []).append((host, domain.state()[0]))
    return dict(sorted(found.items()))


def run_on(hypervisors: Hypervisors) -> dict[str, str]:
    """Return the host of each VM, all of which run on one host, and are nowhere else."""
    found = places(hypervisors)
    assert all([state for _, state in at] == [RUNNING] for at in found.values()), found
    return {name: at[0][0] for name, at in found.items()}


def volumes(hypervisors: Hypervisors, host: str) -> list[str]:
    """Return the volumes in a host's own pool."""
    with closing(libvirt.open(hypervisors.tcp(host))) as connection:
        pool = connection.storagePoolLookupByName("default")
        pool.refresh()
        return sorted(pool.listVolumes())


def wait_for(true: Callable[[], object], seconds: float = 30) -> None:
    """Wait until something is true."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.1)
