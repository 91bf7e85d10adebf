# SPDX-License-Identifier: Apache-2.0
"""Figures of Hyperstack's VMs, from the history that it keeps itself.

Source: Hyperstack's API, "Retrieve virtual machine performance metrics": CPU time in ns, bytes of
networks and disks, all of which only grow; memory in MB. What it has no figure for is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from hostler.errors import BackendError, InvalidInput
from hostler.hyperstack.inventory import vm_row
from hostler.metrics.folding import fold, spans
from hostler.metrics.matching import matching
from hostler.metrics.packing import UNKNOWN
from hostler.metrics.past import Range, Thing, range_of
from hostler.metrics.views import moment, nested, over_time, valued
from hostler.models.metrics import Metric, MetricsQuery, VmMetrics

if TYPE_CHECKING:
    from hostler.backends.hyperstack import HyperstackApi
    from hostler.models.hyperstack import HyperstackVm

AT_ONCE = 8

_DURATIONS = {
    "1h": 1,
    "2h": 2,
    "4h": 4,
    "6h": 6,
    "12h": 12,
    "1d": 24,
    "3d": 72,
    "7d": 168,
    "15d": 360,
    "30d": 720,
}
_BYTES = {
    "disk.read": ("disk.read_mbps", 1 / 1e6),
    "disk.write": ("disk.write_mbps", 1 / 1e6),
    "network.in": ("network.rx_mbps", 8 / 1e6),
    "network.out": ("network.tx_mbps", 8 / 1e6),
}
_MEMORY = {"MB": 1024, "MiB": 1024, "GB": 1, "GiB": 1, "B": 1024**3}
"""Units of memory: how many there are in a GiB (OpenStack's MB are MiB)."""

GAP = 3
"""Two values further apart than so many times their granularity or distance are no neighbours."""

Points = list[tuple[float, float]]
"""Times and values."""


def hyperstack_vms(
    api: HyperstackApi, query: MetricsQuery, metrics: Sequence[Metric], now: float
) -> list[VmMetrics]:
    """Return VMs' figures, by name.

    Raises:
        NotFound: a VM that is named is not there.
        InvalidInput: Hyperstack keeps no history so long.
        BackendError: it can't be read, or its answer makes no sense.
    """
    there = {Thing(api.config.url, str(vm.id), vm.name): vm for vm in api.vms.list()}
    chosen = matching(list(there), query.names, "vm", "there is no such VM")
    chosen.sort(key=attrgetter("name", "key"))
    duration = _duration(query)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        told = list(pool.map(lambda one: api.vms.metrics(there[one].id, duration), chosen))
    return [
        _vm(there[one], api.config.url, answer, query, metrics, now)
        for one, answer in zip(chosen, told, strict=True)
    ]


def _duration(query: MetricsQuery) -> str:
    hours = query.hours or (24 if query.interval == "1d" else 1)
    longest = max(_DURATIONS.values())
    if hours > longest:
        what = f"Hyperstack keeps figures for {longest // 24} days"
        raise InvalidInput(what, on="metrics", hint="Ask for fewer hours.")
    # A rate needs the value before.
    wanted = min(hours + 1, longest) if query.hours or query.interval else hours
    return next(name for name, length in _DURATIONS.items() if length >= wanted)


def _vm(
    vm: HyperstackVm,
    url: str,
    answer: Mapping[str, Any],
    query: MetricsQuery,
    metrics: Sequence[Metric],
    now: float,
) -> VmMetrics:
    row = vm_row(vm, None, url)
    points = _points(vm, answer, f"VM {vm.name!r} on Hyperstack {url}")
    fields: dict[str, Any]
    if query.hours or query.interval:
        within = range_of(query, now)
        values = {
            metric.name: _row(points.get(metric.name, []), metric, within) for metric in metrics
        }
        fields = over_time(values, metrics, within, query)
    else:
        fields = _newest(points, metrics)
    return VmMetrics(
        vm_id=str(vm.id),
        name=vm.name,
        host=url,
        status=row["status"],
        source="hyperstack",
        **fields,
    )


def _newest(points: Mapping[str, Points], metrics: Sequence[Metric]) -> dict[str, Any]:
    """Return the newest value of each metric."""
    newest: dict[str, float | None] = {
        metric.name: points[metric.name][-1][1] if points.get(metric.name) else None
        for metric in metrics
    }
    times = [known[-1][0] for known in points.values() if known]
    return {
        "metrics": nested({n: None if v is None else round(v, 5) for n, v in newest.items()}),
        "timestamp": moment(max(times)) if times else None,
    }


def _row(points: Points, metric: Metric, within: Range) -> list[float | None]:
    row: list[float | None] = [None] * within.count
    numbers = [round(value * metric.scale) for _, value in points]
    times = [at for at, _ in points]
    for span in spans(times, within.start, within.step, within.count):
        part = slice(span.first, span.end)
        told = fold(numbers[part], [1] * (span.end - span.first), within.how)
        row[span.number] = None if told == UNKNOWN else valued(told, metric)
    return row


def _points(vm: HyperstackVm, answer: Mapping[str, Any], on: str) -> dict[str, Points]:
    """Return the points of each metric that Hyperstack tells of."""
    found: dict[str, Points] = {}
    cpus, ram = vm.flavor.cpu, vm.flavor.ram
    unit, values = _series(answer, "cpu", on)
    if unit == "ns" and cpus:
        found["cpu.usage_percent"] = [(at, n / 1e9 / cpus * 100) for at, n in _rates(values)]
    elif unit == "%":
        found["cpu.usage_percent"] = values
    unit, values = _series(answer, "memory.usages", on)
    if unit in _MEMORY:
        found |= _memory([(at, n / _MEMORY[unit]) for at, n in values], ram)
    for name, (metric, times) in _BYTES.items():
        unit, values = _series(answer, name, on)
        if unit in ("B", "B/s"):
            rates = _rates(values) if unit == "B" else values
            found[metric] = [(at, n * times) for at, n in rates]
    return found


def _memory(used: Points, ram: float | None) -> dict[str, Points]:
    found = {"memory.used_gb": used}
    if ram:
        found["memory.total_gb"] = [(at, ram) for at, _ in used]
        found["memory.free_gb"] = [(at, max(0.0, ram - n)) for at, n in used]
        found["memory.usage_percent"] = [(at, 100 * n / ram) for at, n in used]
    return found


def _series(answer: Mapping[str, Any], name: str, on: str) -> tuple[str, Points]:
    """Return the unit and the points of a series, by time; empty where there is none."""
    one = answer.get(name)
    if one is None:
        return "", []
    try:
        at, value = one["columns"].index("time"), one["columns"].index("value")
        rows = [(_time(row[at]), row[value]) for row in one["data"]]
        return str(one["unit"]), sorted((t, float(v)) for t, v in rows if v is not None)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        what = f"its answer makes no sense: {name}: {error}"
        raise BackendError(what[:200], on=on) from None


def _time(told: Any) -> float:
    return (
        float(told) if isinstance(told, int | float) else datetime.fromisoformat(told).timestamp()
    )


def _rates(points: Points) -> Points:
    """Return what a counter has grown by in a second; one that went back is a gap."""
    steps = sorted(b - a for (a, _), (b, _) in pairwise(points))
    usual = steps[len(steps) // 2] if steps else 0
    return [
        (then, (new - old) / (then - at))
        for (at, old), (then, new) in pairwise(points)
        if new >= old and 0 < then - at <= GAP * usual
    ]
