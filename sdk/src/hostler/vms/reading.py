# SPDX-License-Identifier: Apache-2.0
"""Reads VMs into models, over the read-only connection: bulk calls, then XML side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from hostler.backends.libvirt.domains import DomainState
from hostler.backends.libvirt.hypervisor import Hypervisor
from hostler.errors import NotFound, Unsupported
from hostler.models.size import GIB, MIB
from hostler.models.vm_task import VmQuery
from hostler.models.vm_view import (
    Hardware,
    HypervisorDetails,
    NetworkView,
    Resources,
    SnapshotView,
    Vm,
)
from hostler.vms.addresses import SOURCES, Guest, find_addresses
from hostler.vms.domain.basics import cpus_of
from hostler.vms.domain.metadata import read_notes
from hostler.vms.domain.read import hardware, pending
from hostler.vms.domain.tree import AGENT, Element, memory_of, parse
from hostler.vms.statistics import Statistics, read_statistics

Trees = tuple[Element, Element | None]
"""A domain's stored and running definition, parsed."""


def read_vms(
    hypervisor: Hypervisor, query: VmQuery, states: Mapping[str, DomainState] | None = None
) -> list[Vm]:
    """Read the VMs that a query finds, sorted; paging is the caller's.

    What can't be read of a VM is None, and its ``warnings`` say why. ``states`` are those of the
    domains, where somebody has read them a moment ago.
    """
    if states is None:
        states = hypervisor.domains.read_where(query.names_match)
    trees = {n: (parse(s.inactive_xml), _active(s)) for n, s in states.items()}
    full = "stats" in query.fields
    counted = {n: s for n, s in states.items() if full or _has_disks(trees[n])}
    stats = read_statistics(hypervisor, counted, full=full) if counted else Statistics()
    guests = _guests(hypervisor, states, trees, query)
    vms = [_vm(hypervisor, states[n], trees[n], guests.get(n), stats, query) for n in trees]
    return in_order([vm for vm in vms if _matches(vm, query)], query.sort)


def _has_disks(trees: Trees) -> bool:
    return any(tree is not None and tree.find("devices/disk") is not None for tree in trees)


def _guests(
    hypervisor: Hypervisor,
    states: Mapping[str, DomainState],
    trees: Mapping[str, Trees],
    query: VmQuery,
) -> dict[str, Guest]:
    """Find the addresses of VMs that run: by leases, and by all sources where that is asked."""
    found = {}
    for name, (_, active) in trees.items():
        if active is not None:
            macs = [str(m.get("address")).lower() for m in active.iterfind("devices/interface/mac")]
            agent = agent_connected(active)
            if macs or agent:
                found[name] = Guest(name, macs, agent, states[name].handle)
    if found:
        book = hypervisor.addresses
        find_addresses(
            book,
            list(found.values()),
            book.leases(hypervisor.read()),
            sources=SOURCES if "addresses" in query.fields else ("lease",),
            agent_timeout=query.agent_timeout,
        )
    return found


def agent_connected(tree: Element) -> bool:
    """Whether a running domain's guest agent has its channel open."""
    targets = tree.iterfind("devices/channel/target")
    return any(t.get("name") == AGENT and t.get("state") == "connected" for t in targets)


def _active(state: DomainState) -> Element | None:
    return parse(state.active_xml) if state.active_xml else None


def _matches(vm: Vm, query: VmQuery) -> bool:
    if query.status and vm.status not in query.status:
        return False
    if query.os_type is not None and (vm.os_type or "").lower() != query.os_type.lower():
        return False
    if any(k not in vm.labels or (v != "*" and vm.labels[k] != v) for k, v in query.labels.items()):
        return False
    needle = (query.search or "").lower()
    return needle in vm.name.lower() or needle in vm.uuid.lower()


def in_order(vms: Iterable[Vm], key: str) -> list[Vm]:
    """Sort VMs by a field, and those that are equal by name and hypervisor."""
    by_name = sorted(vms, key=attrgetter("name", "uri"))
    return sorted(by_name, key=attrgetter(key.lstrip("-")), reverse=key.startswith("-"))


def _vm(
    hypervisor: Hypervisor,
    state: DomainState,
    trees: Trees,
    guest: Guest | None,
    statistics: Statistics,
    query: VmQuery,
) -> Vm:
    inactive, active = trees
    stats = statistics.rows.get(state.name, {})
    tree = inactive if active is None else active
    devices = hardware(tree)
    _add_sizes(devices.disks, stats)
    resources = _resources(tree, devices.disks)
    vnc = next((g for g in devices.graphics if g.type == "vnc"), None)
    return Vm(
        **_identity(hypervisor, state, tree),
        resources=resources,
        cpu_cores=resources.cpu_cores,
        memory_mb=resources.memory_mb,
        disk_gb=resources.disk_gb,
        network=_network(devices, guest),
        vnc_enabled=vnc is not None,
        vnc_port=vnc.port if vnc else None,
        autostart=state.autostart,
        persistent=state.persistent,
        managed_save=state.managed_save,
        agent_connected=None if active is None else agent_connected(active),
        changes_pending=pending(inactive, active) if active is not None else [],
        hardware=devices if "hardware" in query.fields else None,
        stats=stats or None if "stats" in query.fields else None,
        snapshots=read_snapshots(hypervisor, state.name) if "snapshots" in query.fields else None,
        xml=(state.active_xml or state.inactive_xml) if "xml" in query.fields else None,
        warnings=_warnings(state.name, guest, statistics, query),
    )


def _warnings(name: str, guest: Guest | None, statistics: Statistics, query: VmQuery) -> list[str]:
    """Say what could not be read. Of a source that nobody asked for only where it would help."""
    said = []
    asked = "addresses" in query.fields
    nothing = guest is not None and guest.best()[0] is None
    for source, error in guest.failed.items() if guest else ():
        if nothing if source == "arp" else asked or not isinstance(error, Unsupported):
            said.append(f"addresses by {source}: {error.what}")
    if name in statistics.failed:
        said.append(f"statistics and sizes of disks: {statistics.failed[name].what}")
    return said


def _identity(hypervisor: Hypervisor, state: DomainState, tree: Element) -> dict[str, Any]:
    """Return who a VM is, where it is, and what was noted about it."""
    notes, facts = read_notes(tree), hypervisor.facts
    return {
        "id": state.uuid,
        "name": state.name,
        "uuid": state.uuid,
        "status": state.status,
        "uri": hypervisor.uri,
        "host": facts.hostname,
        "title": tree.findtext("title"),
        "description": tree.findtext("description"),
        "hypervisor": tree.get("type"),
        "hypervisor_details": HypervisorDetails(
            host=facts.hostname, version=facts.version, uuid=facts.uuid
        ),
        "os_type": notes.os_type,
        "os_version": notes.os_version,
        "os_id": notes.os_id,
        "labels": notes.labels,
        "metadata": notes.metadata,
        "created_at": _time(notes.created),
        "updated_at": _time(notes.updated),
    }


def _network(devices: Hardware, guest: Guest | None) -> NetworkView:
    source, by_mac = guest.best() if guest else (None, {})
    for card in devices.interfaces:
        card.addresses = by_mac.get(card.mac, [])
    ips = [ip for card in devices.interfaces for ip in card.addresses]
    return NetworkView(
        ip_address=_first(ips),
        mac_address=devices.interfaces[0].mac if devices.interfaces else None,
        addresses=ips,
        source=source,
        interfaces=devices.interfaces,
    )


def _first(ips: list[str]) -> str | None:
    """Return the first address; IPv4 before IPv6, as most tools want to connect by it."""
    return next((ip for ip in ips if ":" not in ip), ips[0] if ips else None)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _add_sizes(disks: list[Any], stats: dict[str, Any]) -> None:
    for number in range(int(stats.get("block.count", 0))):
        for disk in disks:
            if disk.target == stats.get(f"block.{number}.name") and disk.capacity is None:
                disk.capacity = stats.get(f"block.{number}.capacity")
                disk.allocation = stats.get(f"block.{number}.allocation")


def _resources(tree: Element, disks: list[Any]) -> Resources:
    cpus, cpus_max = cpus_of(tree)
    maximum = memory_of(tree, "memory") or 0
    memory = memory_of(tree, "currentMemory") or maximum
    known = all(disk.capacity is not None for disk in disks)
    total = round(sum(disk.capacity or 0 for disk in disks) / GIB, 3) if known else None
    return Resources(
        cpu=cpus,
        cpu_cores=cpus,
        cpu_max=cpus_max,
        memory_mb=memory // MIB,
        memory_gb=round(memory / GIB, 3),
        memory_max_mb=maximum // MIB,
        disk_gb=total,
        storage_gb=total,
    )


def read_snapshots(hypervisor: Hypervisor, name: str) -> list[SnapshotView]:
    """Read a VM's snapshots, oldest first."""
    try:
        rows = hypervisor.snapshots.read(name)
    except NotFound:
        return []  # the VM went away between the list and the look
    return sorted(
        (snapshot_view(parse(xml), current=current) for xml, current in rows),
        key=lambda s: (s.created_at or datetime.min.replace(tzinfo=UTC), s.name),
    )


def snapshot_view(tree: Element, *, current: bool) -> SnapshotView:
    """Read a snapshot."""
    created = tree.findtext("creationTime")
    memory = tree.find("memory")
    kinds = {d.get("snapshot") for d in tree.iterfind("disks/disk")}
    return SnapshotView(
        name=str(tree.findtext("name")),
        description=tree.findtext("description"),
        created_at=datetime.fromtimestamp(int(created), UTC) if created else None,
        state=tree.findtext("state"),
        memory=memory is not None and memory.get("snapshot") != "no",
        external="external" in kinds,
        current=current,
        parent=tree.findtext("parent/name"),
    )
