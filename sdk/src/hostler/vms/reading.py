# SPDX-License-Identifier: Apache-2.0
"""Reads VMs into models, over the read-only connection: bulk calls, then XML side by side."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from operator import attrgetter
from typing import Any

import libvirt

from hostler.backends.libvirt.connection import bounded
from hostler.backends.libvirt.domains import DomainState
from hostler.backends.libvirt.hypervisor import Hypervisor
from hostler.errors import NotFound, Timeout
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
from hostler.vms.addresses import SOURCES, Addresses, agent_connected, read_addresses
from hostler.vms.domain.basics import cpus_of
from hostler.vms.domain.metadata import read_notes
from hostler.vms.domain.read import hardware, pending
from hostler.vms.domain.tree import Element, memory_of, parse

STATS_SECONDS = 3


def read_vms(hypervisor: Hypervisor, query: VmQuery) -> list[Vm]:
    """Read the VMs that a query finds, sorted; paging is the caller's."""
    states = hypervisor.domains.read_where(query.names_match)
    stats = _bulk_stats(hypervisor, states, full="stats" in query.fields) if states else {}
    trees = {n: (parse(s.inactive_xml), _active(s)) for n, s in states.items()}
    running = {n: active for n, (_, active) in trees.items() if active is not None}
    wanted = SOURCES if "addresses" in query.fields else ("lease",)
    found = read_addresses(hypervisor, running, sources=wanted, agent_timeout=query.agent_timeout)
    vms = [
        _vm(hypervisor, states[n], trees[n], found.get(n, Addresses()), stats.get(n, {}), query)
        for n in trees
    ]
    return _sorted([vm for vm in vms if _matches(vm, query)], query.sort)


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


def _sorted(vms: list[Vm], key: str) -> list[Vm]:
    by_name = sorted(vms, key=attrgetter("name"))
    return sorted(by_name, key=attrgetter(key.lstrip("-")), reverse=key.startswith("-"))


def _bulk_stats(
    hypervisor: Hypervisor, names: Container[str], *, full: bool
) -> dict[str, dict[str, Any]]:
    """Read statistics of these domains in one call; VMs inside a job are not waited for.

    Of these only: the call takes some 2 ms for each domain that runs.
    """
    groups = libvirt.VIR_DOMAIN_STATS_BLOCK
    if full:
        groups |= (
            libvirt.VIR_DOMAIN_STATS_STATE
            | libvirt.VIR_DOMAIN_STATS_CPU_TOTAL
            | libvirt.VIR_DOMAIN_STATS_BALLOON
            | libvirt.VIR_DOMAIN_STATS_VCPU
            | libvirt.VIR_DOMAIN_STATS_INTERFACE
        )
    if hypervisor.facts.driver != "QEMU":
        groups = 0
    flags = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT if groups else 0
    connection = hypervisor.read()
    try:
        domains = [d for d in connection.listAllDomains() if d.name() in names]
        rows = _patiently(partial(connection.domainListGetStats, domains, groups, flags), domains)
    except libvirt.libvirtError:
        return {}  # the driver has none: sizes and statistics are then unknown
    return {domain.name(): dict(values) for domain, values in rows}


def _patiently(call: Callable[[], list[Any]], domains: Sequence[Any]) -> list[Any]:
    """Ask for statistics; a QEMU that is stuck holds the first call up, and the second skips it.

    The first call keeps that VM's job, and what is inside a job is not waited for.
    """
    for _ in range(2):
        with suppress(Timeout):
            return bounded(call, STATS_SECONDS + len(domains) / 50, "statistics of VMs")
    return []


def _vm(
    hypervisor: Hypervisor,
    state: DomainState,
    trees: tuple[Element, Element | None],
    addresses: Addresses,
    stats: dict[str, Any],
    query: VmQuery,
) -> Vm:
    inactive, active = trees
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
        network=_network(devices, addresses),
        vnc_enabled=vnc is not None,
        vnc_port=vnc.port if vnc else None,
        autostart=state.autostart,
        persistent=state.persistent,
        managed_save=state.managed_save,
        agent_connected=None if active is None else agent_connected(active),
        changes_pending=pending(inactive, active) if active is not None else [],
        hardware=devices if "hardware" in query.fields else None,
        stats=stats if "stats" in query.fields else None,
        snapshots=read_snapshots(hypervisor, state.name) if "snapshots" in query.fields else None,
        xml=(state.active_xml or state.inactive_xml) if "xml" in query.fields else None,
    )


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


def _network(devices: Hardware, addresses: Addresses) -> NetworkView:
    source, by_mac = addresses.best()
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
