# SPDX-License-Identifier: Apache-2.0
"""Serves Prometheus: counters and sizes of hosts, VMs and pools, read when it asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hostler.errors import HostlerError, InvalidInput, MissingLibrary, Unreachable
from hostler.metrics.raw import HOST_COUNTERS, ON, UP, VM_COUNTERS, RawVm, Reading
from hostler.models.host_view import PoolInfo
from hostler.models.size import GIB

if TYPE_CHECKING:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
    from prometheus_client.registry import Collector

    from hostler.fleet import Fleet

VM_LABELS = ("host", "vm", "uuid")

VM_TOTALS = {
    "cpu": ("cpu_seconds", "CPU time", 1e9),
    "user": ("cpu_user_seconds", "CPU time in user mode", 1e9),
    "system": ("cpu_system_seconds", "CPU time in the host's kernel", 1e9),
    "wait": ("cpu_iowait_seconds", "time that vCPUs waited for I/O", 1e9),
    "delay": ("cpu_steal_seconds", "time that vCPUs waited for a CPU", 1e9),
    "read_requests": ("disk_reads", "reads", 1),
    "write_requests": ("disk_writes", "writes", 1),
    "read_bytes": ("disk_read_bytes", "bytes read", 1),
    "write_bytes": ("disk_written_bytes", "bytes written", 1),
    "rx_bytes": ("network_receive_bytes", "bytes received", 1),
    "tx_bytes": ("network_transmit_bytes", "bytes sent", 1),
    "rx_packets": ("network_receive_packets", "packets received", 1),
    "tx_packets": ("network_transmit_packets", "packets sent", 1),
    "errors": ("network_errors", "packets with errors", 1),
    "drops": ("network_drops", "packets dropped", 1),
}
"""By the names of VM_COUNTERS: what each is called, means, and is divided by."""

VM_SIZES = {
    "vcpus": ("vcpus", "vCPUs", 1),
    "memory": ("memory_total_bytes", "memory that it sees", 1024),
    "usable": ("memory_free_bytes", "memory that can be had, caches included", 1024),
    "caches": ("memory_cache_bytes", "memory that holds caches", 1024),
    "resident": ("memory_host_bytes", "memory of the host that it holds", 1024),
    "capacity": ("disk_capacity_bytes", "size of its disks", 1),
    "allocation": ("disk_allocation_bytes", "what its disks take up", 1),
    "state": ("state", "virDomainState", 1),
}
"""By the fields of RawVm: what each is called, means, and is multiplied by."""

Families = Iterator["CounterMetricFamily | GaugeMetricFamily"]


def families(readings: Mapping[str, Reading | HostlerError]) -> Families:
    """Yield what Prometheus is told; of a host that does not answer, only that it is down."""
    good = {name: one for name, one in readings.items() if isinstance(one, Reading)}
    up = _gauge("host_up", "whether the host answers", ("host",))
    for name in readings:
        up.add_metric([name], float(name in good))
    yield up
    yield from _hosts(good)
    yield from _pools(good)
    yield from _vms([(name, vm) for name, one in good.items() for vm in one.vms])


def _hosts(good: Mapping[str, Reading]) -> Families:
    times = _counter("host_cpu_seconds", "time of all CPUs", ("host", "mode"))
    sizes = {
        "cpus": _gauge("host_cpus", "CPUs", ("host",)),
        "total": _gauge("host_memory_total_bytes", "memory", ("host",)),
        "free": _gauge("host_memory_free_bytes", "memory that can be had", ("host",)),
        "cache": _gauge("host_memory_cache_bytes", "memory that holds caches", ("host",)),
        "vcpus": _gauge("host_vcpus_allocated", "vCPUs of VMs that run", ("host",)),
        "given": _gauge("host_memory_allocated_bytes", "memory of VMs that run", ("host",)),
        "storage": _gauge("host_storage_total_bytes", "size of active pools", ("host",)),
        "used": _gauge("host_storage_used_bytes", "what is used of them", ("host",)),
        "vms": _gauge("host_vms", "VMs", ("host",)),
        "running": _gauge("host_vms_running", "VMs that run", ("host",)),
    }
    for name, one in good.items():
        for mode, spent in zip(HOST_COUNTERS, one.cpu, strict=True):
            if spent is not None:
                times.add_metric([name, mode], spent / 1e9)
        for size, value in _sizes(one).items():
            if value is not None:
                sizes[size].add_metric([name], value)
    yield times
    yield from sizes.values()


def _sizes(one: Reading) -> dict[str, float | None]:
    on = [vm for vm in one.vms if vm.state in ON]
    memory, storage = one.memory, one.storage
    caches = memory["buffers"] + memory["cached"] if {"buffers", "cached"} <= set(memory) else None
    free = memory["free"] + (caches or 0) if "free" in memory else None
    return {
        "cpus": one.cpus,
        "total": memory["total"] * 1024 if "total" in memory else None,
        "free": None if free is None else free * 1024,
        "cache": None if caches is None else caches * 1024,
        "vcpus": sum(vm.vcpus or 0 for vm in on),
        "given": sum(vm.current or 0 for vm in on) * 1024,
        "storage": None if storage is None else storage[0] * GIB,
        "used": None if storage is None else storage[1] * GIB,
        "vms": len(one.vms),
        "running": sum(vm.state in UP for vm in on),
    }


def _pools(good: Mapping[str, Reading]) -> Families:
    labels = ("host", "pool")
    total = _gauge("pool_total_bytes", "size", labels)
    used = _gauge("pool_used_bytes", "what is used", labels)
    pools: Iterable[tuple[str, PoolInfo]] = (
        (name, pool) for name, one in good.items() for pool in one.pools or ()
    )
    for name, pool in pools:
        if pool.capacity_gb is not None and pool.allocation_gb is not None:
            total.add_metric([name, pool.name], pool.capacity_gb * GIB)
            used.add_metric([name, pool.name], pool.allocation_gb * GIB)
    yield total
    yield used


def _vms(vms: Sequence[tuple[str, RawVm]]) -> Families:
    up = _gauge("vm_up", "whether it runs", VM_LABELS)
    for host, vm in vms:
        up.add_metric([host, vm.name, vm.uuid], float(vm.state in UP))
    yield up
    for place, counter in enumerate(VM_COUNTERS):
        name, text, parts = VM_TOTALS[counter]
        total = _counter(f"vm_{name}", text, VM_LABELS)
        for host, vm in vms:
            value = vm.counters[place]
            if value is not None:
                total.add_metric([host, vm.name, vm.uuid], value / parts)
        yield total
    for field, (name, text, times) in VM_SIZES.items():
        size = _gauge(f"vm_{name}", text, VM_LABELS)
        for host, vm in vms:
            value = _size(vm, field)
            if value is not None:
                size.add_metric([host, vm.name, vm.uuid], value * times)
        yield size


def _size(vm: RawVm, field: str) -> int | None:
    value = getattr(vm, field)
    if field == "memory" and value is None and vm.state in ON:
        value = vm.current
    return None if value is None else int(value)


def _gauge(name: str, text: str, labels: Sequence[str]) -> GaugeMetricFamily:
    from prometheus_client.core import GaugeMetricFamily

    return GaugeMetricFamily(f"hostler_{name}", text, labels=labels)


def _counter(name: str, text: str, labels: Sequence[str]) -> CounterMetricFamily:
    from prometheus_client.core import CounterMetricFamily

    return CounterMetricFamily(f"hostler_{name}", text, labels=labels)


@contextmanager
def serve(fleet: Fleet, bind: str, port: int) -> Iterator[str]:
    """Serve ``/metrics`` until the end of the block; gives the address. Nothing can be changed.

    Raises:
        MissingLibrary: prometheus_client is not installed.
        Unreachable: the port is taken.
        InvalidInput: the address is none of this machine's.
    """
    try:
        from prometheus_client import start_http_server
        from prometheus_client.registry import CollectorRegistry
    except ImportError as error:
        hint = "Run: pip install 'hostler[metrics]'"
        raise MissingLibrary(str(error), on="the exporter", hint=hint) from error
    registry = CollectorRegistry()
    registry.register(_asking(fleet))
    try:
        server, thread = start_http_server(port, bind, registry)
    except PermissionError as error:
        raise InvalidInput(f"may not listen: {error.strerror}", on=f"port {port}") from error
    except OSError as error:
        hint = "Choose another: --port, --bind."
        raise Unreachable(
            f"can't listen: {error.strerror}", on=f"{bind}:{port}", hint=hint
        ) from None
    try:
        yield f"http://{bind}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _asking(fleet: Fleet) -> Collector:
    from prometheus_client.registry import Collector

    class Asking(Collector):
        def describe(self) -> list[GaugeMetricFamily]:
            return []  # else registering it would read all hosts

        def collect(self) -> Families:
            metrics, timeout = fleet.metrics, fleet.config.metrics.timeout
            return families(metrics.readers.read(metrics.targets(), timeout))

    return Asking()
