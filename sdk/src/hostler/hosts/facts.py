# SPDX-License-Identifier: Apache-2.0
"""Pools, networks, devices, NUMA nodes and capabilities, from libvirt's XML. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from hostler.backends.libvirt.host_reader import Machine, NetFacts, PoolFacts
from hostler.models.host_view import CpuInfo, NetworkInfo, NumaCell, PciDevice, PoolInfo
from hostler.models.size import GIB, MIB
from hostler.vms.domain.tree import Element, attr, parse

GPU_KINDS = {"0300": "vga", "0301": "vga", "0302": "3d", "0380": "display", "1200": "accelerator"}
"""Classes of GPUs. Source: PCI Code and ID Assignment Specification, display controllers and
processing accelerators."""

_SCREENS = {"0x1013", "0x102b", "0x1234", "0x1414", "0x15ad", "0x1a03", "0x1af4", "0x1b36"}
"""Makers of screens that servers' management boards (ASPEED, Matrox) and VMs have: no GPUs."""

NEAR_GIB = 0.1

BEST_TYPES = ("kvm", "xen", "hvf", "qemu")


def pool_info(facts: PoolFacts) -> PoolInfo:
    """Read a storage pool."""
    tree = parse(facts.xml, f"XML of pool {facts.name!r}")
    sizes = (facts.capacity, facts.allocation, facts.available)
    capacity, allocation, available = (gib(size) if facts.active else None for size in sizes)
    return PoolInfo(
        name=facts.name,
        type=tree.get("type"),
        active=facts.active,
        autostart=facts.autostart,
        path=tree.findtext("target/path"),
        source=_source(tree),
        capacity_gb=capacity,
        allocation_gb=allocation,
        available_gb=available,
    )


def _source(tree: Element) -> str | None:
    """Return what several hosts may have in common: a server's export, volume or pool."""
    servers = [name for e in tree.iterfind("source/host") if (name := e.get("name"))]
    if not servers:
        return None
    where = attr(tree, "source/dir", "path") or attr(tree, "source/device", "path")
    return f"{','.join(sorted(servers))}:{where or tree.findtext('source/name') or ''}"


class Stored(NamedTuple):
    """A place where volumes are; ``source`` is what other hosts may have too. Sizes in GiB."""

    source: str | None
    capacity: float
    used: float


def storage(pools: Iterable[PoolInfo]) -> list[Stored]:
    """Return the different places that active pools are in.

    Folders of one file system are pools that each have all of it: it counts once.
    """
    found: list[Stored] = []
    folders: list[PoolInfo] = []
    for pool in pools:
        if pool.capacity_gb is None or pool.allocation_gb is None:
            continue
        if pool.type in ("dir", "fs"):
            if any(_same_file_system(pool, other) for other in folders):
                continue
            folders.append(pool)
        found.append(Stored(pool.source, pool.capacity_gb, pool.allocation_gb))
    return found


def _same_file_system(one: PoolInfo, other: PoolInfo) -> bool:
    """Whether two folders' sizes are so near that they have one disk: somebody writes to it."""
    used = abs((one.allocation_gb or 0) - (other.allocation_gb or 0))
    return one.capacity_gb == other.capacity_gb and used <= NEAR_GIB


def network_info(facts: NetFacts) -> NetworkInfo:
    """Read a virtual network."""
    tree = parse(facts.xml, f"XML of network {facts.name!r}")
    forward = tree.find("forward")
    return NetworkInfo(
        name=facts.name,
        active=facts.active,
        autostart=facts.autostart,
        bridge=attr(tree, "bridge", "name"),
        mode="isolated" if forward is None else forward.get("mode", "nat"),
    )


def pci_devices(xmls: Iterable[str], users: Mapping[str, Sequence[str]]) -> list[PciDevice]:
    """Read PCI devices; ``users`` are the VMs that have one, by its address."""
    devices = [_pci(parse(xml, "XML of a device"), users) for xml in xmls]
    return sorted(devices, key=lambda device: device.address)


def _pci(tree: Element, users: Mapping[str, Sequence[str]]) -> PciDevice:
    facts = tree.find("capability")
    domain, bus, slot, function = (
        int(facts.findtext(name, "0"), 0) for name in ("domain", "bus", "slot", "function")
    )
    address = f"{domain:04x}:{bus:02x}:{slot:02x}.{function:x}"
    pci_class = (facts.findtext("class") or "").removeprefix("0x") or None
    vendor_id = attr(facts, "vendor", "id")
    kind = GPU_KINDS.get((pci_class or "")[:4])
    group, node = attr(facts, "iommuGroup", "number"), attr(facts, "numa", "node")
    return PciDevice(
        address=address,
        pci_class=pci_class,
        kind=None if vendor_id in _SCREENS else kind,
        vendor=facts.findtext("vendor") or None,
        vendor_id=vendor_id,
        model=facts.findtext("product") or None,
        model_id=attr(facts, "product", "id"),
        iommu_group=None if group is None else int(group),
        numa_node=None if node is None else int(node),
        driver=tree.findtext("driver/name"),
        used_by=sorted(users.get(address, ())),
    )


def gpu_name(gpu: PciDevice) -> str:
    """Return a GPU's name as it is sold: what a PCI database has in brackets, else all of it.

    >>> gpu_name(PciDevice(address="0000:01:00.0", model="AD102GL [L40S]"))
    'L40S'
    """
    name = gpu.model or f"{gpu.vendor_id}:{gpu.model_id}".replace("0x", "")
    sold = re.search(r"\[([^]]+)\]", name)
    return sold[1] if sold else name


def cpu_info(machine: Machine, capabilities: Element) -> CpuInfo:
    """Read the processors."""
    _, _, cpus, mhz, cells, sockets, cores, threads = machine.node
    return CpuInfo(
        model=capabilities.findtext("host/cpu/model"),
        vendor=capabilities.findtext("host/cpu/vendor"),
        cpus=cpus,
        mhz=mhz or None,
        sockets=sockets * cells,
        cores_per_socket=cores,
        threads_per_core=threads,
    )


def numa_cells(capabilities: Element, free: Sequence[int] | None) -> list[NumaCell]:
    """Read the NUMA nodes; ``free`` are bytes of each."""
    cells = list(capabilities.iterfind("host/topology/cells/cell"))
    known = free if free is not None and len(free) == len(cells) else [None] * len(cells)
    return [
        NumaCell(
            id=int(cell.get("id")),
            cpus=[int(cpu.get("id")) for cpu in cell.iterfind("cpus/cpu")],
            memory_mb=None if not cell.findtext("memory") else int(cell.findtext("memory")) // 1024,
            memory_free_mb=None if left is None else left // MIB,
        )
        for cell, left in zip(cells, known, strict=True)
    ]


def domain_types(capabilities: Element) -> dict[str, list[str]]:
    """Return what a host runs VMs by (kvm, qemu ...), by guest architecture."""
    found: dict[str, list[str]] = {}
    for arch in capabilities.iterfind("guest/arch"):
        types = found.setdefault(str(arch.get("name")), [])
        types += [t for d in arch.iterfind("domain") if (t := str(d.get("type"))) not in types]
    return found


def best_type(types: Mapping[str, Sequence[str]]) -> str | None:
    """Return the best of domain types, for an inventory's ``hypervisor``."""
    known = {name for names in types.values() for name in names}
    return next((name for name in BEST_TYPES if name in known), min(known, default=None))


def capabilities_of(capabilities: Element, domain: str | None) -> dict[str, Any]:
    """Return what a host can run: its own capabilities, and the domain's where they were read.

    ``domain_types`` (by architecture), ``cpu_features`` and ``migration_transports`` are the
    host's; ``cpu_modes``, ``cpu_models`` (those that are usable), ``machine``, ``emulator`` and
    ``values`` (``devices.disk.bus``: [virtio, ...]) are those of new domains.
    """
    transports = capabilities.iterfind("host/migration_features/uri_transports/uri_transport")
    found: dict[str, Any] = {
        "domain_types": domain_types(capabilities),
        "cpu_features": sorted(
            str(f.get("name")) for f in capabilities.iterfind("host/cpu/feature")
        ),
        "migration_transports": [t.text for t in transports],
    }
    if domain is None:
        return found
    tree = parse(domain, "domain capabilities")
    modes = [m for m in tree.iterfind("cpu/mode") if m.get("supported") == "yes"]
    models = tree.iterfind("cpu/mode[@name='custom']/model")
    return {
        **found,
        "emulator": tree.findtext("path"),
        "machine": tree.findtext("machine"),
        "cpu_modes": [str(mode.get("name")) for mode in modes],
        "cpu_models": sorted(str(m.text) for m in models if m.get("usable") == "yes"),
        "values": dict(_values(tree, "")),
    }


def _values(element: Element, path: str) -> Iterable[tuple[str, list[str]]]:
    for child in element:
        if child.tag == "enum":
            yield f"{path}.{child.get('name')}", [str(v.text) for v in child.iterfind("value")]
        elif child.tag != "cpu":
            yield from _values(child, f"{path}.{child.tag}" if path else str(child.tag))


def gib(size: int) -> float:
    """Turn bytes into GiB."""
    return round(size / GIB, 3)


def version(number: int) -> str | None:
    """Write libvirt's number of a version: 7002022 is 7.2.22."""
    return f"{number // 1000000}.{number // 1000 % 1000}.{number % 1000}" if number else None
