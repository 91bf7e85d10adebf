# SPDX-License-Identifier: Apache-2.0
"""Tables of hypervisors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from hostler.cli import render

if TYPE_CHECKING:
    from hostler.models.host import Host
    from hostler.models.host_maintenance import HostMove
    from hostler.models.host_view import FleetStats, HostInfo, HostVm


def registered(hosts: Iterable[Host]) -> Table:
    """Return the table of registered hosts."""
    rows = [
        (
            host.id,
            host.uri,
            labels(host.settings.labels),
            "" if host.settings.enabled else "disabled",
            "maintenance" if host.maintenance else "",
            "" if host.source == "store" else host.source,
        )
        for host in hosts
    ]
    columns = ("host", "uri", "labels", "disabled", "maintenance", "from")
    return render.table(*columns, rows=rows, wide="uri")


def figures(hosts: Iterable[HostInfo]) -> Table:
    """Return the table of hosts' use."""
    rows = [
        (
            host.id or host.uri,
            render.word(host.status),
            host.hypervisor_type or "",
            of(has.cpus, room.cpus) if has and room else "",
            gib(has.memory_mb, room.memory_mb) if has and room else "",
            of(host.storage_used_gb, host.storage_gb),
            "" if host.vm_count is None else str(host.vm_count),
            gpus(host),
        )
        for host in hosts
        for has, room in [(host.allocated, host.capacity)]
    ]
    columns = ("host", "status", "type", "vcpus", "memory gib", "storage gib", "vms", "gpus")
    return render.table(*columns, rows=rows)


def one(host: HostInfo) -> Iterable[tuple[Any, ...]]:
    """Return the parts of a host's page."""
    yield (render.facts([*_identity(host), *_use(host)]),)
    if host.pools:
        rows = [(p.name, p.type or "", of(p.allocation_gb, p.capacity_gb)) for p in host.pools]
        yield "", render.table("pool", "type", "used gib", rows=rows)
    if host.networks:
        nets = [(n.name, n.mode, n.bridge or "") for n in host.networks]
        yield "", render.table("network", "mode", "bridge", rows=nets)
    if host.gpus:
        cards = [
            (
                g.address,
                g.vendor or "",
                g.model or "",
                str(g.iommu_group or ""),
                " ".join(g.used_by),
            )
            for g in host.gpus
        ]
        columns = ("gpu", "vendor", "model", "iommu group", "used by")
        yield "", render.table(*columns, rows=cards, wide="model")


def _identity(host: HostInfo) -> list[tuple[str, str | Text | None]]:
    cpu = host.cpu
    return [
        ("Host", host.id or host.uri),
        ("Status", render.word(host.status)),
        ("Why", host.reason),
        ("URI", host.uri),
        ("Host name", host.hostname),
        ("UUID", host.uuid),
        ("Labels", labels(host.labels)),
        ("Hypervisor", words(host.hypervisor_type, host.hypervisor_version)),
        ("libvirt", host.libvirt_version),
        ("CPUs", words(cpu.cpus, cpu.vendor, cpu.model) if cpu else None),
        ("Memory", f"{host.memory_gb} GiB" if host.memory_gb else None),
    ]


def _use(host: HostInfo) -> list[tuple[str, str | Text | None]]:
    load, memory = host.load, host.memory_used_mb
    busy = load.cpu_percent if load else None
    return [
        ("Memory in use", None if memory is None else f"{memory} MiB"),
        ("Used by VMs", used(host.utilization)),
        ("CPU load", None if busy is None else f"{busy} %"),
        ("VMs", ", ".join(f"{n} {status}" for status, n in host.vms_by_status.items())),
    ]


def vms(found: Sequence[HostVm], *, stored: bool) -> Table:
    """Return the table of a host's VMs; with their age where they were not just read."""
    rows = [
        (
            vm.name,
            render.word(vm.status),
            str(vm.cpu_cores),
            render.memory(vm.memory_mb),
            f"{vm.age_seconds:.0f} s ago" if stored else "",
        )
        for vm in found
    ]
    return render.table("vm", "status", "cpus", "memory", "seen", rows=rows)


def moves(found: Iterable[HostMove]) -> Table:
    """Return the table of VMs that are moved."""
    rows = [
        (
            move.name,
            move.source,
            move.target,
            render.word(move.status),
            "" if move.downtime is None else f"{move.downtime} ms",
            move.runs_on or "",
        )
        for move in found
    ]
    return render.table("vm", "from", "to", "status", "stood still", "runs on", rows=rows)


def stats(found: FleetStats) -> Table:
    """Return the sums of all hosts."""
    return render.facts(
        [
            ("Hosts", f"{found.active_hosts} of {found.total_hosts} active"),
            ("CPUs", of(found.used_cpu_cores, found.total_cpu_cores)),
            ("Memory", f"{of(found.used_memory_gb, found.total_memory_gb)} GiB"),
            ("Storage", f"{of(found.used_storage_gb, found.total_storage_gb)} GiB"),
            ("GPUs", of(found.used_gpus, found.total_gpus)),
            ("Use", f"{found.utilization_percentage} %"),
            ("VMs", ", ".join(f"{n} {status}" for status, n in found.vms_by_status.items())),
        ]
    )


def of(part: float | None, whole: float | None) -> str:
    """Write how much of something is used."""
    return "" if part is None or whole is None else f"{part:g}/{whole:g}"


def gib(part: int, whole: int) -> str:
    """Write how much memory is used, of MiB in GiB."""
    return f"{part / 1024:.1f}/{whole / 1024:.1f}"


def gpus(host: HostInfo) -> str:
    """Write how many GPUs are used."""
    return f"{sum(bool(g.used_by) for g in host.gpus)}/{len(host.gpus)}" if host.gpus else ""


def labels(found: dict[str, str]) -> str:
    """Write labels."""
    return " ".join(f"{key}={value}" for key, value in found.items())


def used(use: Any) -> str | None:
    """Write what VMs use of a host."""
    if use is None:
        return None
    parts = {"CPU": use.cpu_percent, "memory": use.memory_percent, "storage": use.storage_percent}
    return ", ".join(f"{name} {value} %" for name, value in parts.items() if value is not None)


def words(*parts: object) -> str:
    """Join what is known."""
    return " ".join(str(part) for part in parts if part is not None)
