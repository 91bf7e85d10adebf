# SPDX-License-Identifier: Apache-2.0
"""Makes a host's figures, and the fleet's, of what was read. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from hostler.errors import HostlerError
from hostler.hosts import facts
from hostler.hosts.observe import Seen
from hostler.models.host import Host, HostSettings
from hostler.models.host_view import (
    Amount,
    FleetStats,
    HostInfo,
    HostStatus,
    HostVm,
    Load,
    Utilization,
)
from hostler.models.size import MIB
from hostler.vms.domain.tree import parse
from hostler.vms.inventory import ONLINE
from hostler.vms.inventory_row import VmRow


def host_info(
    host: Host,
    seen: Seen | HostlerError,
    *,
    registered: bool = True,
    fields: Collection[str] = (),
    reserved: Amount | None = None,
) -> HostInfo:
    """Return what is known of a host."""
    info = HostInfo(
        id=host.id if registered else None,
        uri=host.uri,
        ip_address=urlsplit(host.uri).hostname,
        status=_status(host),
        labels=dict(host.settings.labels),
        enabled=host.settings.enabled,
        maintenance=host.maintenance,
        source=host.source if registered else None,
        uuid=host.uuid,
    )
    if isinstance(seen, HostlerError):
        return info.model_copy(update={"status": "unreachable", "reason": str(seen)})
    found = {
        **_machine(seen),
        **_devices(seen, every="devices" in fields),
        **_vm_figures(seen.vms),
        "reserved": reserved or Amount(),
        "notes": [f"{host.id}: {note}" for note in seen.machine.notes],
        "read_seconds": round(seen.seconds, 3),
    }
    info = info.model_copy(update=found)
    info.capacity = capacity(info, host.settings)
    info.utilization = _utilization(info)
    if "load" in fields:
        busy = None if seen.busy is None else round(100 * seen.busy, 1)
        info.load = Load(cpu_percent=busy, average=seen.machine.average)
    if "capabilities" in fields:
        tree = parse(seen.machine.capabilities, "capabilities")
        info.capabilities = facts.capabilities_of(tree, seen.machine.domain_capabilities)
    return info


def _status(host: Host) -> HostStatus:
    if host.maintenance:
        return "maintenance"
    return "active" if host.settings.enabled else "disabled"


def _machine(seen: Seen) -> dict[str, Any]:
    machine = seen.machine
    tree = parse(machine.capabilities, "capabilities")
    cpu, memory = facts.cpu_info(machine, tree), machine.memory or {}
    total = memory["total"] // 1024 if "total" in memory else int(machine.node[1])
    free, used = _free_and_used(memory)
    return {
        "hostname": machine.hostname,
        "uuid": tree.findtext("host/uuid"),
        "driver": machine.driver,
        "hypervisor_type": facts.best_type(facts.domain_types(tree)),
        "hypervisor_version": facts.version(machine.version),
        "libvirt_version": facts.version(machine.libvirt),
        "arch": tree.findtext("host/cpu/arch"),
        "cpu": cpu,
        "cpu_cores": cpu.cpus,
        "memory_mb": total,
        "memory_gb": round(total / 1024, 3),
        "memory_free_mb": free,
        "memory_used_mb": used,
        "numa": facts.numa_cells(tree, machine.cells_free),
        "uptime_seconds": machine.uptime,
    }


def _free_and_used(memory: dict[str, int]) -> tuple[int | None, int | None]:
    """Return MiB that are free or hold caches, and MiB in use, of libvirt's KiB."""
    if not {"total", "free"} <= set(memory):
        return None, None
    free = memory["free"] + memory.get("buffers", 0) + memory.get("cached", 0)
    return free // 1024, (memory["total"] - free) // 1024


def _devices(seen: Seen, *, every: bool) -> dict[str, Any]:
    machine = seen.machine
    found: dict[str, Any] = {"pools": None, "networks": None, "gpus": None}
    if machine.pools is not None:
        pools = sorted(map(facts.pool_info, machine.pools), key=lambda pool: pool.name)
        places = facts.storage(pools)
        found["pools"] = pools
        found["storage_gb"] = round(sum(place.capacity for place in places), 3)
        found["storage_used_gb"] = round(sum(place.used for place in places), 3)
    if machine.networks is not None:
        networks = map(facts.network_info, machine.networks)
        found["networks"] = sorted(networks, key=lambda network: network.name)
    if machine.pci is not None:
        devices = facts.pci_devices(machine.pci, seen.devices)
        found["gpus"] = [device for device in devices if device.kind]
        found |= {"devices": devices} if every else {}
    return found


def _vm_figures(vms: Sequence[VmRow]) -> dict[str, Any]:
    on = [vm for vm in vms if vm["status"] in ONLINE]
    return {
        "vm_count": len(vms),
        "vms_by_status": dict(sorted(Counter(vm["status"] for vm in vms).items())),
        "used": total(on),
        "allocated": total(vms),
    }


def total(vms: Iterable[VmRow]) -> Amount:
    """Sum up what VMs were given."""
    listed = list(vms)
    return Amount(
        cpus=sum(vm["cpu_cores"] for vm in listed), memory_mb=sum(vm["memory_mb"] for vm in listed)
    )


def capacity(info: HostInfo, settings: HostSettings) -> Amount | None:
    """Return what may be allocated on a host."""
    if info.cpu_cores is None or info.memory_mb is None:
        return None
    cpus = info.cpu_cores * settings.cpu_overcommit
    memory = int(info.memory_mb * settings.memory_overcommit)
    limit = settings.memory_limit
    return Amount(
        cpus=min(cpus, settings.cpu_limit or cpus),
        memory_mb=min(memory, limit // MIB if limit else memory),
    )


def _utilization(info: HostInfo) -> Utilization:
    used = info.used or Amount()
    return Utilization(
        cpu_percent=percent(used.cpus, info.cpu_cores),
        memory_percent=percent(used.memory_mb, info.memory_mb),
        storage_percent=percent(info.storage_used_gb, info.storage_gb),
    )


def percent(part: float | None, whole: float | None) -> float | None:
    """Return a percentage with one decimal; None where either is not known or there is nothing."""
    return round(100 * part / whole, 1) if part is not None and whole else None


def host_vms(host_id: str | None, vms: Iterable[VmRow], seen: float, now: float) -> list[HostVm]:
    """Return VMs as they were seen at a time, and how long that is ago."""
    return [
        HostVm(
            host_id=host_id,
            name=vm["name"],
            uuid=vm["uuid"],
            status=vm["status"],
            cpu_cores=vm["cpu_cores"],
            memory_mb=vm["memory_mb"],
            seen_at=datetime.fromtimestamp(seen, UTC),
            age_seconds=round(max(0.0, now - seen), 1),
            vm=dict(vm),
        )
        for vm in vms
    ]


def fleet_stats(hosts: Sequence[HostInfo]) -> FleetStats:
    """Sum hosts up; storage that several have in common counts once."""
    reached = [host for host in hosts if host.status != "unreachable"]
    places = [place for host in reached for place in facts.storage(host.pools or ())]
    shared = {place.source: place for place in places if place.source}
    places = [place for place in places if not place.source] + [*shared.values()]
    figures: dict[str, tuple[Any, Any]] = {
        "cpu_cores": (sum(h.cpu_cores or 0 for h in reached), _used(reached, "cpus")),
        "memory_gb": (
            round(sum(h.memory_mb or 0 for h in reached) / 1024, 3),
            round(_used(reached, "memory_mb") / 1024, 3),
        ),
        "storage_gb": (
            round(sum(place.capacity for place in places), 3),
            round(sum(place.used for place in places), 3),
        ),
    }
    percents = [p for whole, part in figures.values() if (p := percent(part, whole)) is not None]
    statuses: Counter[str] = Counter()
    for host in reached:
        statuses.update(host.vms_by_status)
    gpus = [gpu for host in reached for gpu in host.gpus or ()]
    return FleetStats(
        total_hosts=len(hosts),
        active_hosts=sum(host.status == "active" for host in hosts),
        **{f"total_{name}": whole for name, (whole, _) in figures.items()},
        **{f"used_{name}": part for name, (_, part) in figures.items()},
        utilization_percentage=round(sum(percents) / len(percents), 1) if percents else 0.0,
        total_vms=sum(statuses.values()),
        vms_by_status=dict(sorted(statuses.items())),
        total_gpus=len(gpus),
        used_gpus=sum(bool(gpu.used_by) for gpu in gpus),
        unreachable_hosts={
            h.id or h.uri: h.reason or "" for h in hosts if h.status == "unreachable"
        },
    )


def _used(hosts: Iterable[HostInfo], what: str) -> Any:
    return sum(int(getattr(host.used, what)) for host in hosts if host.used)
