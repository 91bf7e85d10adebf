# SPDX-License-Identifier: Apache-2.0
"""What a hypervisor has for a domain that would come from another one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
        space: bytes that are free in each of these folders.
        networks: names of the running networks.
    """

    free_memory: int | None
    pools: dict[str, str]
    space: dict[str, int]
    networks: frozenset[str]


def read_room(hypervisor: Hypervisor) -> Room:
    """Read what a hypervisor has."""
    connection = hypervisor.read()
    with translated(f"hypervisor {hypervisor.uri}"):
        pools = _pools(connection)
        running = libvirt.VIR_CONNECT_LIST_NETWORKS_ACTIVE
        networks = frozenset(n.name() for n in connection.listAllNetworks(running))
        return Room(
            _free_memory(connection),
            {folder: pool.name() for folder, pool in pools.items()},
            {folder: int(pool.info()[3]) for folder, pool in pools.items()},
            networks,
        )


def look_anew(hypervisor: Hypervisor, folders: Iterable[str]) -> None:
    """Have libvirt read folders of its pools again: it knows what it made itself only."""
    with translated(f"hypervisor {hypervisor.uri}"):
        pools = _pools(hypervisor.write())
    for folder in {*folders} & {*pools}:
        with suppress(libvirt.libvirtError):  # a volume is being made there: what it knows will do
            pools[folder].refresh()


def read_volumes(hypervisor: Hypervisor, paths: Iterable[str]) -> dict[str, VolumeState]:
    """Read the volumes at paths; those that are in no pool are left out."""
    found = {path: hypervisor.volumes.find_path(path) for path in paths}
    return {path: volume for path, volume in found.items() if volume}


def cpu_fits(source: Hypervisor, target: Hypervisor, domain_xml: str) -> bool | None:
    """Whether a target can run a domain's CPU as it runs now; None where libvirt can't tell."""
    domain = etree.fromstring(domain_xml.encode())
    cpu = domain.find("cpu")
    named = cpu is not None and cpu.find("model") is not None
    if cpu is None or (not named and domain.get("type") != "kvm"):
        return True  # what every QEMU has
    try:
        fits = _compared(target, domain, cpu) if named else _compared_whole(source, target)
    except BackendError as error:
        cause = error.__cause__
        if isinstance(cause, libvirt.libvirtError) and cause.get_error_code() in _CANNOT_TELL:
            return None
        raise
    return None if fits is None else fits > libvirt.VIR_CPU_COMPARE_INCOMPATIBLE


def _compared(target: Hypervisor, domain: etree._Element, cpu: etree._Element) -> int:
    """Compare a guest's CPU with what a target's QEMU can give."""
    kind = domain.find("os/type")
    arch, machine = (None, None) if kind is None else (kind.get("arch"), kind.get("machine"))
    text = etree.tostring(cpu, encoding="unicode")
    with translated(f"hypervisor {target.uri}"):
        return int(
            target.write().compareHypervisorCPU(None, arch, machine, domain.get("type"), text)
        )


def _compared_whole(source: Hypervisor, target: Hypervisor) -> int | None:
    """Compare two hosts' CPUs, for a guest that has the whole of its host's."""
    with translated(f"hypervisor {source.uri}"):
        cpu = etree.fromstring(source.read().getCapabilities().encode()).find("host/cpu")
    if cpu is None:
        return None
    with translated(f"hypervisor {target.uri}"):
        return int(target.read().compareCPU(etree.tostring(cpu, encoding="unicode")))


def _pools(connection: libvirt.virConnect) -> dict[str, libvirt.virStoragePool]:
    """Return the running pools by the folder that they hold; those without one are left out."""
    active = libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE
    pools = {}
    for pool in connection.listAllStoragePools(active):
        path = etree.fromstring(pool.XMLDesc().encode()).findtext("target/path")
        if path:
            pools[path] = pool
    return pools


def _free_memory(connection: libvirt.virConnect) -> int | None:
    try:
        stats = connection.getMemoryStats(libvirt.VIR_NODE_MEMORY_STATS_ALL_CELLS)
    except libvirt.libvirtError as error:
        if error.get_error_code() in _CANNOT_TELL:
            return None
        raise
    return sum(int(stats.get(part, 0)) for part in ("free", "buffers", "cached")) * 1024


class _Content:
    """The parts of a volume, as a file to read from."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts

    def read(self, _count: int, /) -> bytes:
        """Return the next part, however long; nothing at the end."""
        return next(self._parts, b"")


def copy_volume(
    source: Hypervisor, path: str, target: Hypervisor, pool: str, report: Callable[[float], None]
) -> None:
    """Make a volume on another host with the bytes, name and format of the one at a path."""
    with translated(f"volume at {path} on {source.uri}"):
        volume = source.write().storageVolLookupByPath(path)
        size = int(volume.infoFlags(libvirt.VIR_STORAGE_VOL_GET_PHYSICAL)[2])
        here, name = volume.storagePoolLookupByVolume().name(), volume.name()
        kind = etree.fromstring(volume.XMLDesc().encode()).find("target/format")
    form = "raw" if kind is None else str(kind.get("type"))
    target.volumes.create(pool, name, capacity=size, format="raw" if form == "iso" else form)
    content = _Content(source.volumes.content(here, name))
    target.volumes.upload(pool, name, content, size, report)
