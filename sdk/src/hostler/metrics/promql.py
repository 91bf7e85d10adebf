# SPDX-License-Identifier: Apache-2.0
"""What Prometheus computes for each metric, of what ``hostler metrics export`` serves."""

from __future__ import annotations

from collections.abc import Mapping

from hostler.models.metrics import Kind
from hostler.models.size import GIB

LABELS: Mapping[Kind, tuple[str, ...]] = {
    "vm": ("host", "vm", "uuid"),
    "host": ("host",),
    "pool": ("host", "pool"),
}


def _vm(name: str) -> str:
    return f"hostler_vm_{name}{{$which}}"


def _host(name: str) -> str:
    return f"hostler_host_{name}{{$which}}"


def _pool(name: str) -> str:
    return f"hostler_pool_{name}{{$which}}"


def _rate(name: str) -> str:
    return f"rate(hostler_vm_{name}_total{{$which}}[$window])"


def _of_vcpus(name: str) -> str:
    return f"100 * {_rate(name)} / {_vm('vcpus')}"


def _of_cpus(modes: str) -> str:
    some = f'rate(hostler_host_cpu_seconds_total{{$which, mode=~"{modes}"}}[$window])'
    every = "rate(hostler_host_cpu_seconds_total{$which}[$window])"
    return f"100 * sum by (host) ({some}) / sum by (host) ({every})"


def _sum(rate: str) -> str:
    """Sum a host's VMs up; where none runs that is 0."""
    return f"(sum by (host) ({rate}) or 0 * max by (host) ({_host('vms_running')} == 0))"


def _share(part: str, whole: str) -> str:
    return f"100 * ({part}) / {whole}"


_MEGABYTES, _MEGABITS = "/ 1e6", "* 8 / 1e6"
_RATES = {
    "disk.read_iops": _rate("disk_reads"),
    "disk.write_iops": _rate("disk_writes"),
    "disk.read_mbps": f"{_rate('disk_read_bytes')} {_MEGABYTES}",
    "disk.write_mbps": f"{_rate('disk_written_bytes')} {_MEGABYTES}",
    "network.rx_mbps": f"{_rate('network_receive_bytes')} {_MEGABITS}",
    "network.tx_mbps": f"{_rate('network_transmit_bytes')} {_MEGABITS}",
    "network.rx_packets": _rate("network_receive_packets"),
    "network.tx_packets": _rate("network_transmit_packets"),
}
_VM_MEMORY = f"{_vm('memory_total_bytes')} - {_vm('memory_free_bytes')}"
_HOST_MEMORY = f"{_host('memory_total_bytes')} - {_host('memory_free_bytes')}"
_STORAGE = f"{_host('storage_total_bytes')} - {_host('storage_used_bytes')}"
_POOL = f"{_pool('total_bytes')} - {_pool('used_bytes')}"

EXPRESSIONS: Mapping[Kind, Mapping[str, str]] = {
    "vm": {
        "cpu.usage_percent": _of_vcpus("cpu_seconds"),
        "cpu.user_percent": _of_vcpus("cpu_user_seconds"),
        "cpu.system_percent": _of_vcpus("cpu_system_seconds"),
        "cpu.iowait_percent": _of_vcpus("cpu_iowait_seconds"),
        "cpu.steal_percent": _of_vcpus("cpu_steal_seconds"),
        "cpu.count": _vm("vcpus"),
        "memory.total_gb": f"{_vm('memory_total_bytes')} / {GIB}",
        "memory.used_gb": f"({_VM_MEMORY}) / {GIB}",
        "memory.free_gb": f"{_vm('memory_free_bytes')} / {GIB}",
        "memory.cache_gb": f"{_vm('memory_cache_bytes')} / {GIB}",
        "memory.usage_percent": _share(_VM_MEMORY, _vm("memory_total_bytes")),
        "memory.host_gb": f"{_vm('memory_host_bytes')} / {GIB}",
        **_RATES,
        "disk.capacity_gb": f"{_vm('disk_capacity_bytes')} / {GIB}",
        "disk.allocation_gb": f"{_vm('disk_allocation_bytes')} / {GIB}",
        "network.errors": _rate("network_errors"),
        "network.drops": _rate("network_drops"),
        "state.up": _vm("up"),
        "state.code": _vm("state"),
    },
    "host": {
        "cpu.usage_percent": _of_cpus("user|kernel"),
        "cpu.user_percent": _of_cpus("user"),
        "cpu.system_percent": _of_cpus("kernel"),
        "cpu.iowait_percent": _of_cpus("iowait"),
        "cpu.count": _host("cpus"),
        "cpu.allocated": _host("vcpus_allocated"),
        "memory.total_gb": f"{_host('memory_total_bytes')} / {GIB}",
        "memory.used_gb": f"({_HOST_MEMORY}) / {GIB}",
        "memory.free_gb": f"{_host('memory_free_bytes')} / {GIB}",
        "memory.cache_gb": f"{_host('memory_cache_bytes')} / {GIB}",
        "memory.usage_percent": _share(_HOST_MEMORY, _host("memory_total_bytes")),
        "memory.allocated_gb": f"{_host('memory_allocated_bytes')} / {GIB}",
        **{name: _sum(rate) for name, rate in _RATES.items()},
        "storage.total_gb": f"{_host('storage_total_bytes')} / {GIB}",
        "storage.used_gb": f"{_host('storage_used_bytes')} / {GIB}",
        "storage.free_gb": f"({_STORAGE}) / {GIB}",
        "storage.usage_percent": _share(
            _host("storage_used_bytes"), f"({_host('storage_total_bytes')} > 0)"
        ),
        "vms.total": _host("vms"),
        "vms.running": _host("vms_running"),
        "state.up": _host("up"),
    },
    "pool": {
        "pool.total_gb": f"{_pool('total_bytes')} / {GIB}",
        "pool.used_gb": f"{_pool('used_bytes')} / {GIB}",
        "pool.free_gb": f"({_POOL}) / {GIB}",
        "pool.usage_percent": _share(_pool("used_bytes"), f"({_pool('total_bytes')} > 0)"),
    },
}
"""By the metric's name. ``$which`` chooses hosts and VMs, rates are of ``$window``."""
