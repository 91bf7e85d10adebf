# SPDX-License-Identifier: Apache-2.0
"""Vm: a VM as it was found. What could not be found out is None, never a made-up value."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from hostler.models.names import some

VmStatus = Literal["running", "paused", "stopping", "stopped", "crashed", "suspended", "unknown"]
"""libvirt's states: shutdown = stopping, shutoff = stopped, pmsuspended = suspended."""


class View(BaseModel):
    """Base of what is observed."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


class Resources(View):
    """What a VM was given. ``cpu`` = ``cpu_cores``; sizes are binary (1 GB = 1024 MiB)."""

    cpu: int
    cpu_cores: int
    cpu_max: int
    memory_mb: int
    memory_gb: float
    memory_max_mb: int
    disk_gb: float | None = None
    storage_gb: float | None = None


class DiskView(View):
    """A disk or CD-ROM drive; sizes in bytes."""

    target: str
    device: str
    bus: str | None = None
    type: str | None = None
    path: str | None = None
    pool: str | None = None
    volume: str | None = None
    format: str | None = None
    capacity: int | None = None
    allocation: int | None = None
    serial: str | None = None
    boot_order: int | None = None
    readonly: bool = False
    shared: bool = False
    cache: str | None = None
    discard: str | None = None
    backing: str | None = None


class InterfaceView(View):
    """A network card; ``addresses`` come from the agent, DHCP leases or the ARP table."""

    mac: str
    type: str
    source: str | None = None
    model: str | None = None
    name: str | None = None
    link: str = "up"
    vlan: list[int] = []
    portgroup: str | None = None
    mtu: int | None = None
    boot_order: int | None = None
    addresses: list[str] = []


class GraphicsView(View):
    """A VNC or SPICE server."""

    type: str
    port: int | None = None
    tls_port: int | None = None
    listen: str | None = None


class NetworkView(View):
    """Addresses of a VM; ``source`` says who told: agent, lease or arp."""

    ip_address: str | None = None
    mac_address: str | None = None
    addresses: list[str] = []
    source: str | None = None
    interfaces: list[InterfaceView] = []


class HypervisorDetails(View):
    """Where a VM is."""

    host: str
    version: str | None = None
    uuid: str | None = None


class Hardware(View):
    """The hardware of a VM in full."""

    arch: str | None = None
    machine: str | None = None
    firmware: str = "bios"
    secure_boot: bool = False
    cpu_mode: str | None = None
    cpu_model: str | None = None
    cpu_topology: dict[str, int] | None = None
    disks: list[DiskView] = []
    cdroms: list[DiskView] = []
    interfaces: list[InterfaceView] = []
    graphics: list[GraphicsView] = []
    video: str | None = None
    tpm: str | None = None
    watchdog: str | None = None
    rng: bool = False
    agent: bool = False
    serial: bool = False
    serial_log: str | None = None
    host_devices: list[str] = []
    kernel: str | None = None
    initrd: str | None = None
    cmdline: str | None = None


class SnapshotView(View):
    """A snapshot."""

    name: str
    description: str | None = None
    created_at: datetime | None = None
    state: str | None = None
    memory: bool = False
    external: bool = False
    current: bool = False
    parent: str | None = None


class Vm(View):
    """A VM with all fields of the specifications.

    ``id`` and ``uuid`` are libvirt's UUID. ``changes_pending`` names what the stored definition
    has and the running VM has not: it comes into effect with the next start.
    ``warnings`` say what could not be read of it, and why. ``host`` is the hypervisor's own name,
    ``host_id`` its id in the pool; None where it was named by its URI.
    """

    id: str
    name: str
    uuid: str
    status: VmStatus
    status_reason: str | None = None
    uri: str
    host: str
    host_id: str | None = None
    title: str | None = None
    description: str | None = None
    hypervisor: str | None = None
    hypervisor_details: HypervisorDetails | None = None
    resources: Resources
    cpu_cores: int
    memory_mb: int
    disk_gb: float | None = None
    network: NetworkView
    os_type: str | None = None
    os_version: str | None = None
    os_id: str | None = None
    vnc_enabled: bool = False
    vnc_port: int | None = None
    autostart: bool | None = None
    persistent: bool = True
    managed_save: bool | None = None
    agent_connected: bool | None = None
    labels: dict[str, str] = {}
    metadata: dict[str, str] = {}
    created_at: datetime | None = None
    updated_at: datetime | None = None
    changes_pending: list[str] = []
    hardware: Hardware | None = None
    stats: dict[str, Any] | None = None
    snapshots: list[SnapshotView] | None = None
    xml: str | None = None
    warnings: list[str] = []


def unread(vms: Iterable[Vm]) -> list[str]:
    """Join the warnings of VMs: one sentence for each, with the VMs that it is about."""
    names: dict[tuple[str, str], list[str]] = {}
    for vm in vms:
        for text in vm.warnings:
            names.setdefault((vm.uri, text), []).append(vm.name)
    return [f"{some(found)} on {uri}: {text}" for (uri, text), found in names.items()]
