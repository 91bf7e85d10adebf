# SPDX-License-Identifier: Apache-2.0
"""HostInfo: a hypervisor as it was found. What could not be found out is None."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from hostler.models.gpu import GpuSummary
from hostler.models.vm_view import View

HostStatus = Literal["active", "disabled", "maintenance", "unreachable"]
HostField = Literal["load", "devices", "capabilities", "vms"]


class NumaCell(View):
    """A NUMA node; memory in MiB."""

    id: int
    cpus: list[int]
    memory_mb: int | None = None
    memory_free_mb: int | None = None


class CpuInfo(View):
    """The host's processors. ``cpus`` are logical ones, ``sockets`` count in the whole host."""

    model: str | None = None
    vendor: str | None = None
    cpus: int
    mhz: int | None = None
    sockets: int
    cores_per_socket: int
    threads_per_core: int


class Load(View):
    """How busy a host is.

    Attributes:
        cpu_percent: of all CPUs together, while it was read (some 0.3 s).
        average: of 1, 5 and 15 minutes; only this machine's own is known.
    """

    cpu_percent: float | None = None
    average: tuple[float, float, float] | None = None


class PoolInfo(View):
    """A storage pool; sizes in GiB, None while it is not active.

    Attributes:
        source: what it is made of, where that is not the host's own (``server:/path``).
    """

    name: str
    type: str | None = None
    active: bool
    autostart: bool | None = None
    path: str | None = None
    source: str | None = None
    capacity_gb: float | None = None
    allocation_gb: float | None = None
    available_gb: float | None = None


class NetworkInfo(View):
    """A virtual network; ``mode`` is nat, route, bridge ..., or isolated."""

    name: str
    active: bool
    autostart: bool | None = None
    bridge: str | None = None
    mode: str = "isolated"


class PciDevice(View):
    """A PCI device.

    Attributes:
        pci_class: six hex digits: class, subclass, interface.
        kind: ``vga``, ``3d``, ``display`` or ``accelerator`` for a GPU; None for other devices.
        used_by: the VMs that are given it, running or not.
    """

    address: str
    pci_class: str | None = None
    kind: str | None = None
    vendor: str | None = None
    vendor_id: str | None = None
    model: str | None = None
    model_id: str | None = None
    iommu_group: int | None = None
    numa_node: int | None = None
    driver: str | None = None
    used_by: list[str] = Field(default_factory=list)


class Amount(View):
    """CPUs and memory (MiB)."""

    cpus: float = 0
    memory_mb: int = 0


class Utilization(View):
    """Percentages of what the host has: CPUs and memory of VMs that run, storage in use."""

    cpu_percent: float | None = None
    memory_percent: float | None = None
    storage_percent: float | None = None


class HostVm(View):
    """A VM as its host last told of it.

    Attributes:
        host_id: the host's id.
        seen_at: when; ``age_seconds`` ago.
        vm: the fields of an inventory's VM.
    """

    host_id: str | None
    name: str
    uuid: str
    status: str
    cpu_cores: int
    memory_mb: int
    seen_at: datetime
    age_seconds: float
    vm: dict[str, Any]


class HostInfo(View):
    """A hypervisor; all but the first fields are None or empty where it can't be reached.

    Sizes are binary (1 GB = 1024 MiB).

    Attributes:
        id: its id in the pool; None where it is not registered.
        reason: why it is unreachable.
        notes: what could not be read of it.
        ip_address: the address or name in its URI; None for this machine.
        hypervisor_type: the best that it runs VMs by (kvm, qemu, xen ...).
        memory_used_mb: in use by all that runs there, caches left out.
        used: of VMs that are not off. allocated: of all VMs that it has.
        reserved: of VMs that are being placed on it.
        capacity: what may be allocated: overcommitted, within the limits.
        uptime_seconds: only this machine's own is known.
        capabilities: what it can run, see ``hostler.hosts``.
    """

    id: str | None = None
    uri: str
    status: HostStatus
    reason: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    enabled: bool = True
    maintenance: bool = False
    source: str | None = None
    notes: list[str] = Field(default_factory=list)
    hostname: str | None = None
    ip_address: str | None = None
    uuid: str | None = None
    driver: str | None = None
    hypervisor_type: str | None = None
    hypervisor_version: str | None = None
    libvirt_version: str | None = None
    arch: str | None = None
    cpu: CpuInfo | None = None
    cpu_cores: int | None = None
    memory_mb: int | None = None
    memory_gb: float | None = None
    memory_free_mb: int | None = None
    memory_used_mb: int | None = None
    numa: list[NumaCell] = Field(default_factory=list)
    storage_gb: float | None = None
    storage_used_gb: float | None = None
    pools: list[PoolInfo] | None = None
    networks: list[NetworkInfo] | None = None
    gpus: list[PciDevice] | None = None
    devices: list[PciDevice] | None = None
    vm_count: int | None = None
    vms_by_status: dict[str, int] = Field(default_factory=dict)
    used: Amount | None = None
    allocated: Amount | None = None
    reserved: Amount | None = None
    capacity: Amount | None = None
    utilization: Utilization | None = None
    load: Load | None = None
    uptime_seconds: int | None = None
    capabilities: dict[str, Any] | None = None
    vms: list[HostVm] | None = None
    read_seconds: float | None = None


class CloudStats(View):
    """The GPUs of an OpenStack, by type; ``reason`` says why they are not known."""

    name: str
    status: Literal["active", "unreachable"]
    reason: str | None = None
    gpu_types: dict[str, GpuSummary] = Field(default_factory=dict)


class FleetStats(View):
    """All hosts of the pool together, in the specification's words; sizes in GiB.

    What hosts that can't be reached have is not in it; ``unreachable_hosts`` names them.

    Attributes:
        active_hosts: those that were reached and take VMs.
        used_cpu_cores, used_memory_gb: of VMs that are not off.
        utilization_percentage: the mean of CPU, memory and storage.
        clouds: the OpenStack that is configured, where there is one.
    """

    total_hosts: int
    active_hosts: int
    total_cpu_cores: int
    total_memory_gb: float
    total_storage_gb: float
    used_cpu_cores: int
    used_memory_gb: float
    used_storage_gb: float
    utilization_percentage: float
    total_vms: int
    vms_by_status: dict[str, int] = Field(default_factory=dict)
    total_gpus: int
    used_gpus: int
    unreachable_hosts: dict[str, str] = Field(default_factory=dict)
    clouds: list[CloudStats] = Field(default_factory=list)
