# SPDX-License-Identifier: Apache-2.0
"""Makes series for rules of what was read: hosts, VMs, metrics, GPU pools. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from hostler.alerts.evaluate import Sample, Series
from hostler.gpu import overview
from hostler.gpu.world import GpuWorld
from hostler.models.alert import ResourceType
from hostler.models.alert_config import STATES, Operator
from hostler.models.gpu import GpuHost
from hostler.models.gpu_config import POOLS
from hostler.models.host_view import HostInfo, HostVm
from hostler.models.metrics import SECONDS, Figures, History, HostMetrics, Kind, VmMetrics

Measured = Sequence[HostMetrics | VmMetrics]
Labels = Mapping[tuple[str, str], Mapping[str, str]]
"""Labels of resources, by host and name."""

GPU_KINDS: tuple[ResourceType, ...] = ("gpu_pool", "aggregate", "gpu_host")
OFF = ("stopped", "crashed")
SILENT = "its host does not answer"
UNTOLD = "its hypervisor does not tell it"
FRESH = 120.0
"""Seconds for which a look counts as now."""
GAP_STEPS = 1.5
"""Steps of a history from which on one is missing."""


def host_series(hosts: Iterable[HostInfo], keep_running: str, now: float) -> Iterator[Series]:
    """Return what is known of hosts and their VMs; ``keep_running`` is a label of VMs."""
    for info in hosts:
        name = info.id or info.uri
        lost = info.status == "unreachable"
        yield Series(
            "host",
            name,
            "state.unreachable",
            [Sample(now, float(lost))],
            host=name,
            labels=info.labels,
            gap=FRESH,
            reason=info.reason or "",
        )
        for vm in info.vms or ():
            yield from _vm(vm, name, keep_running, None if lost else now)


def _vm(vm: HostVm, host: str, keep_running: str, now: float | None) -> Iterator[Series]:
    """Return what is known of a VM; ``now`` is None where its host does not answer."""
    labels = vm.vm.get("labels", {})
    should = {"true": True, "false": False}.get(str(labels.get(keep_running)).lower())
    should = bool(vm.vm.get("autostart")) if should is None else should
    states = {
        "state.down": float(should and vm.status in OFF),
        "state.crashed": float(vm.status == "crashed" or bool(vm.vm.get("crashed"))),
    }
    reason = SILENT if now is None else ""
    if now is not None and vm.status == "unknown":
        now, reason = None, "its state is not known"
    for metric, value in states.items():
        samples = [] if now is None else [Sample(now, value)]
        yield Series(
            "vm", vm.name, metric, samples, host=host, labels=labels, gap=FRESH, reason=reason
        )


def metric_series(
    kind: Kind, now: Measured, past: Measured, metrics: Sequence[str], labels: Labels, how: Operator
) -> Iterator[Series]:
    """Return series of metrics: their histories, made for rules of an operator, and what is now."""
    histories = {(row.host, row.name): row.history for row in rows(kind, past)}
    for row in rows(kind, now):
        key = (row.host, row.name)
        for metric in metrics:
            samples, gap = history_samples(histories.get(key), metric)
            value = row.value(metric)
            if value is None and row.value(f"{metric.partition('.')[0]}.total_gb") == 0:
                continue  # there is nothing that could be full
            if row.at is not None and value is not None:
                samples.append(Sample(row.at, value))
            told = row.reason or ("" if samples else UNTOLD)
            yield Series(
                kind,
                row.name,
                metric,
                sorted(samples),
                host=row.host,
                labels=labels.get(key, {}),
                gap=gap,
                reason=told,
                operator=how,
            )


class Row(NamedTuple):
    """Figures of a host, a pool or a VM; ``at``: when they were read (``time.time()``)."""

    name: str
    host: str
    figures: Figures
    history: History | None
    at: float | None
    reason: str

    def value(self, metric: str) -> float | None:
        """Return what is now."""
        group, _, name = metric.partition(".")
        return self.figures.get(group, {}).get(name)


def rows(kind: Kind, found: Measured) -> Iterator[Row]:
    """Return figures in one form; pools come with their hosts."""
    for one in found:
        at = one.timestamp.timestamp() if one.timestamp else None
        if isinstance(one, VmMetrics):
            yield Row(one.name, one.host, one.metrics, one.history, at, "")
        elif kind == "pool":
            for pool in one.pools:
                reason = one.reason or ""
                yield Row(pool.name, one.host_id, pool.metrics, pool.history, at, reason)
        else:
            yield Row(one.host_id, one.host_id, one.metrics, one.history, at, one.reason or "")


def history_samples(history: History | None, metric: str) -> tuple[list[Sample], float]:
    """Return the samples of a metric, gaps left out, and the seconds that are a gap."""
    if history is None or metric not in history.values:
        return [], FRESH
    values = zip(history.timestamps, history.values[metric], strict=True)
    samples = [Sample(at.timestamp(), value) for at, value in values if value is not None]
    return samples, GAP_STEPS * SECONDS[history.interval]


def with_past(state: Series, history: History | None) -> Series:
    """Put the time before to a state that holds: it did while the host, or VM, was not up."""
    if history is None or not any(sample.value for sample in state.samples):
        return state
    samples, gap = history_samples(history, "state.up")
    before = [Sample(one.at, 1 - (one.value or 0.0)) for one in samples]
    return replace(state, samples=sorted([*before, *state.samples]), gap=max(gap, state.gap))


def unread(
    kind: Kind, hosts: Iterable[HostInfo], metrics: Sequence[str], how: Operator
) -> Iterator[Series]:
    """Return series without a sample of what hosts have that do not answer."""
    for info in hosts:
        if info.status == "unreachable":
            name = info.id or info.uri
            names = {"host": [name], "pool": ["*"], "vm": [vm.name for vm in info.vms or ()]}
            for one in names[kind]:
                for metric in metrics:
                    yield Series(kind, one, metric, host=name, reason=SILENT, operator=how)


def gpu_series(cloud: str, world: GpuWorld | None, error: str, now: float) -> Iterator[Series]:
    """Return what is known of a cloud, its GPU pools, their aggregates, and GPU hosts."""
    lost = [Sample(now, float(world is None))]
    yield Series("cloud", cloud, "state.unreachable", lost, gap=FRESH, reason=error)
    if world is None:
        reason = f"{cloud} can't be read"
        for kind in GPU_KINDS:
            for metric in STATES[kind]:
                yield Series(kind, "*", metric, reason=reason)
        return
    aggregates = overview.aggregate_views(world)
    for one in overview.gpu_types(world):
        found = overview.gpu_overview(one.name, aggregates)
        for pool in POOLS:
            view = getattr(found, pool, None)
            if view is not None:
                labels = {"gpu_type": one.name, "pool": pool}
                yield from _pool("gpu_pool", f"{one.name} {pool}", view.hosts, labels, now)
    for view in aggregates:
        if view.pool not in (None, "contract"):
            labels = {"gpu_type": view.gpu_type or "", "pool": str(view.pool)}
            yield from _pool("aggregate", view.name, view.hosts, labels, now)
    for host in overview.gpu_hosts(world):
        yield from _gpu_host(world, host, now)


def _pool(
    kind: ResourceType, name: str, hosts: Sequence[GpuHost], labels: Mapping[str, str], now: float
) -> Iterator[Series]:
    """Return what is known of a pool; nothing of one without hosts: nothing in it can run out."""
    if not hosts:
        return
    total = overview.summary(hosts)
    capacity = total.gpu_capacity
    idle = [host for host in hosts if host.status == "active" and not host.has_vms]
    figures: dict[str, float | None] = {
        "gpus.free": None if capacity is None else max(0, capacity - total.gpu_used),
        "gpus.usage_percent": total.gpu_usage_percentage,
        "hosts.free": sum(not host.gpu_used for host in idle),
    }
    for metric, value in figures.items():
        reason = "" if value is not None else "nobody says how many GPUs its hosts have"
        sample = [Sample(now, value)]
        yield Series(kind, name, metric, sample, labels=labels, gap=FRESH, reason=reason)


def _gpu_host(world: GpuWorld, host: GpuHost, now: float) -> Iterator[Series]:
    name = host.hostname
    amounts = world.amounts_of(name)
    held = sum(amount.used for amount in (amounts or {}).values())
    servers = sum(world.gpus(server).number for server in world.servers_of.get(name, ()))
    states = {
        "gpus.unaccounted": float(max(0, held - servers)),
        "state.astray": float(len(world.pool_names(name)) != 1),
    }
    labels = {"gpu_type": host.gpu_type} if host.gpu_type else {}
    for metric, value in states.items():
        sample = [Sample(now, value)]
        yield Series("gpu_host", name, metric, sample, host=name, labels=labels, gap=FRESH)
