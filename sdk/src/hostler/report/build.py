# SPDX-License-Identifier: Apache-2.0
"""Makes ReportData of what was read. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Any

from hostler.gpu import overview
from hostler.gpu.world import GpuWorld
from hostler.models.alert import SEVERITIES, Alert, Severity
from hostler.models.gpu_config import POOLS
from hostler.models.host_view import HostInfo
from hostler.models.metrics import HostMetrics, SystemMetrics
from hostler.models.report import ReportChart, ReportHost, ReportPool, ReportVm, Use

CHARTS = {
    "cpu.usage_percent": ("CPU", "%", 100),
    "memory.usage_percent": ("Memory", "%", 100),
    "disk.read_mbps": ("Disk read", "MB/s", None),
    "disk.write_mbps": ("Disk written", "MB/s", None),
    "network.rx_mbps": ("Network received", "Mbit/s", None),
    "network.tx_mbps": ("Network sent", "Mbit/s", None),
}
"""What is drawn of all hosts: title, unit, and the most that there can be."""
SPARK = 48
"""Points of a sparkline at most."""


def report_hosts(
    hosts: Iterable[HostInfo],
    live: Iterable[HostMetrics],
    past: SystemMetrics | None,
    alerts: Sequence[Alert],
) -> list[ReportHost]:
    """Return hosts with their use, of late and now."""
    now = {one.host_id: one.metrics.get("cpu", {}).get("usage_percent") for one in live}
    histories = {one.host_id: one.history for one in past.hosts if one.history} if past else {}
    worst = worst_of(alerts)
    found = []
    for info in hosts:
        name = info.id or info.uri
        history = histories.get(name)
        values = history.values.get("cpu.usage_percent", []) if history else []
        found.append(
            ReportHost(
                name=name,
                status=info.status,
                reason=info.reason,
                labels=info.labels,
                worst=worst.get(("", name)),
                history=thinned(values, SPARK) if any(v is not None for v in values) else [],
                **({} if info.status == "unreachable" else _uses(info, now.get(name))),
            )
        )
    return found


def _uses(info: HostInfo, busy: float | None) -> dict[str, Any]:
    gpus = info.gpus or []
    memory = None if info.memory_used_mb is None else info.memory_used_mb / 1024
    return {
        "cpu": Use(total=info.cpu_cores, percent=busy),
        "memory": use(memory, info.memory_gb),
        "storage": use(info.storage_used_gb, info.storage_gb),
        "vcpus": use(info.used.cpus if info.used else None, info.cpu_cores),
        "gpus": use(sum(bool(gpu.used_by) for gpu in gpus), len(gpus)) if gpus else Use(),
        "vms_running": info.vms_by_status.get("running", 0),
        "vms_total": info.vm_count,
    }


def report_vms(hosts: Iterable[HostInfo], alerts: Sequence[Alert]) -> list[ReportVm]:
    """Return the VMs of hosts; those of one that does not answer as they were last seen."""
    worst = worst_of(alerts)
    return [
        ReportVm(
            name=vm.name,
            host=info.id or info.uri,
            status=vm.status,
            worst=worst.get((info.id or info.uri, vm.name)),
            cpu_cores=vm.cpu_cores,
            memory_gb=vm.memory_mb / 1024,
            seen_at=vm.seen_at if info.status == "unreachable" else None,
        )
        for info in hosts
        for vm in info.vms or ()
    ]


def report_pools(world: GpuWorld) -> list[ReportPool]:
    """Return the pools of all GPU types."""
    aggregates = overview.aggregate_views(world)
    found = []
    for gpu_type in overview.gpu_types(world):
        for pool in POOLS:
            mine = [a for a in aggregates if a.gpu_type == gpu_type.name and a.pool == pool]
            hosts = {host.hostname: host for one in mine for host in one.hosts}.values()
            if mine:
                total = overview.summary(hosts)
                idle = [h for h in hosts if h.status == "active" and not (h.has_vms or h.gpu_used)]
                found.append(
                    ReportPool(
                        gpu_type=gpu_type.name,
                        pool=pool,
                        hosts=len(hosts),
                        free_hosts=len(idle),
                        gpus=use(total.gpu_used, total.gpu_capacity),
                    )
                )
    return found


def report_charts(past: SystemMetrics | None) -> list[ReportChart]:
    """Return the history of all hosts together; nothing of what was never collected."""
    history = past.history if past else None
    if history is None:
        return []
    return [
        ReportChart(
            title=title,
            unit=unit,
            top=top,
            timestamps=history.timestamps,
            values=history.values[metric],
        )
        for metric, (title, unit, top) in CHARTS.items()
        if any(value is not None for value in history.values.get(metric, ()))
    ]


def worst_of(alerts: Iterable[Alert]) -> dict[tuple[str, str], Severity]:
    """Return the worst severity of each VM, and of each host, whose key has no host."""
    found: dict[tuple[str, str], Severity] = {}
    for alert in sorted(alerts, key=lambda one: SEVERITIES.index(one.severity)):
        of_vm = alert.resource_type == "vm"
        key = (alert.host or "", alert.resource) if of_vm else ("", alert.host or alert.resource)
        found.setdefault(key, alert.severity)
    return found


def use(used: float | None, total: float | None) -> Use:
    """Return how much of something is in use."""
    known = used is not None and total
    return Use(used=used, total=total, percent=100 * (used or 0) / (total or 1) if known else None)


def thinned(values: Sequence[float | None], most: int) -> list[float | None]:
    """Return at most so many values: means of as many; a gap where there is nothing but gaps."""
    each = max(1, -(-len(values) // most))
    found: list[float | None] = []
    for first in range(0, len(values), each):
        known = [value for value in values[first : first + each] if value is not None]
        found.append(round(fmean(known), 2) if known else None)
    return found
