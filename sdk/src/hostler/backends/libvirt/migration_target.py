# SPDX-License-Identifier: Apache-2.0
"""What a hypervisor has for a domain that would come from another one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, cast

import libvirt
from lxml import etree

from hostler.backends.libvirt.faults import translated
from hostler.errors import BackendError

if TYPE_CHECKING:
    from hostler.backends.libvirt.hypervisor import Hypervisor
    from hostler.backends.libvirt.volumes import VolumeState

_CANNOT_TELL = {
    libvirt.VIR_ERR_NO_SUPPORT,
    libvirt.VIR_ERR_OPERATION_UNSUPPORTED,
    libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
}


@dataclass(frozen=True)
class Room:
    """What there is.

    Attributes:
        free_memory: bytes that a VM can get; None where the host does not tell.
        pools: names of the running pools by the folder that they hold.
        networks: names of the running networks.
    """

    free_memory: int | None
    pools: dict[str, str]
    networks: frozenset[str]


def read_room(hypervisor: Hypervisor) -> Room:
    """Read what a hypervisor has."""
    connection = hypervisor.read()
    with translated(f"hypervisor {hypervisor.uri}"):
        active = libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE
        pools = {}
        for pool in connection.listAllStoragePools(active):
            path = etree.fromstring(pool.XMLDesc().encode()).findtext("target/path")
            pools[path or ""] = pool.name()
        running = libvirt.VIR_CONNECT_LIST_NETWORKS_ACTIVE
        networks = frozenset(n.name() for n in connection.listAllNetworks(running))
        return Room(_free_memory(connection), pools, networks)


def read_volumes(hypervisor: Hypervisor, paths: Iterable[str]) -> dict[str, VolumeState]:
    """Read the volumes at paths; those that are in no pool are left out."""
    found = {path: hypervisor.volumes.find_path(path) for path in paths}
    return {path: volume for path, volume in found.items() if volume}


def cpu_fits(source: Hypervisor, target: Hypervisor, domain_xml: str) -> bool | None:
    """Whether a target's CPU can run a domain as it runs now; None where libvirt can't tell.

    Emulated guests (``qemu``) use no feature of the host, and fit everywhere.
    """
    tree = etree.fromstring(domain_xml.encode())
    cpu = tree.find("cpu")
    if tree.get("type") != "kvm" or cpu is None:
        return True
    if cpu.get("mode") in ("host-passthrough", "maximum"):
        with translated(f"hypervisor {source.uri}"):
            host = etree.fromstring(source.read().getCapabilities().encode())
        cpu = host.find("host/cpu")
    if cpu is None or (cpu.find("model") is None and not len(cpu)):
        return None
    text = etree.tostring(cpu, encoding="unicode")
    try:
        with translated(f"hypervisor {target.uri}"):
            fits: int = target.read().compareCPU(text, 0)
    except BackendError as error:
        cause = error.__cause__
        if isinstance(cause, libvirt.libvirtError) and cause.get_error_code() in _CANNOT_TELL:
            return None
        raise
    return bool(fits > libvirt.VIR_CPU_COMPARE_INCOMPATIBLE)


def _free_memory(connection: libvirt.virConnect) -> int | None:
    try:
        stats = connection.getMemoryStats(libvirt.VIR_NODE_MEMORY_STATS_ALL_CELLS)
    except libvirt.libvirtError as error:
        if error.get_error_code() in _CANNOT_TELL:
            return None
        raise
    return sum(int(stats.get(part, 0)) for part in ("free", "buffers", "cached")) * 1024


class _Content:
    """The bytes of a volume, as a file to read from."""

    def __init__(self, connection: libvirt.virConnect, volume: libvirt.virStorageVol) -> None:
        self._stream = connection.newStream(0)
        volume.download(self._stream, 0, 0, 0)

    def read(self, size: int) -> bytes:
        """Return the next bytes; none at the end."""
        return bytes(self._stream.recv(size))


def copy_volume(
    source: Hypervisor, path: str, target: Hypervisor, pool: str, report: Callable[[float], None]
) -> None:
    """Make a volume on another host with the bytes, name and format of the one at a path."""
    with translated(f"volume at {path} on {source.uri}"):
        connection = source.write()
        volume = connection.storageVolLookupByPath(path)
        size = int(volume.infoFlags(libvirt.VIR_STORAGE_VOL_GET_PHYSICAL)[2])
        content = _Content(connection, volume)
        name = volume.name()
        kind = etree.fromstring(volume.XMLDesc().encode()).find("target/format")
    form = "raw" if kind is None else str(kind.get("type"))
    target.volumes.create(pool, name, capacity=size, format="raw" if form == "iso" else form)
    target.volumes.upload(pool, name, cast("IO[bytes]", content), size, report)
