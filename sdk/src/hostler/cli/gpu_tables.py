# SPDX-License-Identifier: Apache-2.0
"""Tables of GPU types, pools, hosts and targets, at home in 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from hostler.cli.render import facts, table, word

if TYPE_CHECKING:
    from rich.table import Table

    from hostler.models.gpu import (
        AggregateView,
        GpuHost,
        GpuOverview,
        GpuSummary,
        GpuType,
        HostServer,
        PoolView,
        TargetAdvice,
    )

WIDTH = 10
BUSY, FULL = 50, 80


def use(used: int, capacity: int | None) -> Text:
    """Draw how much is in use; nothing where there is nothing, or its size is not known."""
    if not capacity:
        return Text("" if capacity == 0 else "?", style="dim")
    percent = 100 * used / capacity
    style = "red" if percent >= FULL else "yellow" if percent >= BUSY else "green"
    filled = min(WIDTH, round(percent * WIDTH / 100)) or int(used > 0)
    return Text.assemble(("█" * filled, style), ("░" * (WIDTH - filled), "dim"), f" {percent:.0f}%")


def types(found: Iterable[GpuType]) -> Table:
    """Return each type's aggregates by pool."""
    rows = []
    for one in found:
        pools = [(p, names) for p, names in one.aggregates.model_dump().items() if names]
        for number, (pool, names) in enumerate(pools):
            rows.append(("" if number else one.name, pool, ", ".join(names)))
    return table("type", "pool", "aggregates", rows=rows, wide="aggregates")


def overviews(found: Iterable[GpuOverview]) -> Table:
    """Return the pools of types, and the sum of each type."""
    rows = [row for one in found for row in _pools(one)]
    return table("type", "pool", "hosts", "vms", "gpus", "use", rows=rows, wide="pool")


def hosts_of(found: GpuOverview) -> list[GpuHost]:
    """Return the hosts of a type, by pool; one in several pools once."""
    parts = [view.hosts for _, view in _views(found)] + [one.hosts for one in found.contracts]
    return list({host.hostname: host for part in parts for host in part}.values())


def aggregates(found: Iterable[AggregateView]) -> Table:
    """Return aggregates with their sums, and whose contracts are."""
    rows = [
        (
            one.name,
            one.availability_zone or "",
            *_sums(one.gpu_summary),
            (one.tenant_info.primary_tenant or "") if one.tenant_info else "",
        )
        for one in found
    ]
    return table("aggregate", "zone", "hosts", "gpus", "use", "tenant", rows=rows)


def hosts(found: Iterable[GpuHost], *, of_type: bool) -> Table:
    """Return hosts; with their types or without."""
    rows = [
        (
            host.hostname,
            (host.gpu_type or "?") if of_type else "",
            _place(host),
            word(host.status),
            str(host.vm_count),
            f"{host.gpu_used}/{'?' if host.gpu_capacity is None else host.gpu_capacity}",
            use(host.gpu_used, host.gpu_capacity),
            host.tenant or "",
        )
        for host in found
    ]
    columns = ("host", "type", "pool", "status", "vms", "gpus", "use", "tenant")
    return table(*columns, rows=rows, wide="tenant")


def servers(found: Iterable[HostServer]) -> Table:
    """Return the VMs of a host."""
    rows = [
        (
            one.name,
            word(one.status),
            one.flavor,
            str(one.gpus),
            one.tenant or one.tenant_id,
            one.created[:10],
        )
        for one in found
    ]
    columns = ("vm", "status", "flavor", "gpus", "tenant", "created")
    return table(*columns, rows=rows, wide="tenant")


def advice(found: TargetAdvice) -> Table:
    """Return where a host should go, and why."""
    return facts(
        [
            ("host", f"{found.hostname} ({found.gpu_type or 'GPU type not known'})"),
            ("now in", found.current_aggregate or "no pool, or several"),
            ("best", Text(found.recommended_aggregate or "none", style="bold")),
            ("why", found.reasoning),
        ]
    )


def alternatives(found: TargetAdvice) -> Table:
    """Return what was considered."""
    rows = [
        (
            one.aggregate,
            Text("yes", style="green") if one.suitable else Text("no", style="red"),
            "; ".join(one.reasons),
        )
        for one in found.alternatives
    ]
    return table("aggregate", "suitable", "reasons", rows=rows, wide="reasons")


def _pools(found: GpuOverview) -> Iterator[tuple[str | Text, ...]]:
    parts = {pool: (view.hosts, view.gpu_summary) for pool, view in _views(found)}
    parts |= {one.name: (one.hosts, one.gpu_summary) for one in found.contracts}
    for number, (pool, part) in enumerate(parts.items()):
        yield "" if number else found.gpu_type, pool, *_line(*part)
    if len(parts) > 1:
        yield "", Text("all", style="bold"), *_line(hosts_of(found), found.gpu_overview)


def _line(members: Sequence[GpuHost], summary: GpuSummary) -> tuple[str | Text, ...]:
    number, gpus, bar = _sums(summary)
    return number, str(sum(host.vm_count for host in members)), gpus, bar


def _sums(summary: GpuSummary) -> tuple[str, str, Text]:
    gpus = f"{summary.gpu_used}/{'?' if summary.gpu_capacity is None else summary.gpu_capacity}"
    return str(summary.hosts), gpus, use(summary.gpu_used, summary.gpu_capacity)


def _views(found: GpuOverview) -> list[tuple[str, PoolView]]:
    """Return the pools that there are, contracts left out."""
    pools = {"ondemand": found.ondemand, "spot": found.spot, "runpod": found.runpod}
    return [(name, view) for name, view in pools.items() if view]


def _place(host: GpuHost) -> str | Text:
    if host.pool:
        return f"{host.pool} {host.variant}" if host.variant else host.pool
    return Text(", ".join(host.pools) or "none", style="red")
