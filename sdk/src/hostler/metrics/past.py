# SPDX-License-Identifier: Apache-2.0
"""Figures over time, wherever they are read from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple, Protocol

from hostler.metrics.views import Values, over_time, status_of
from hostler.models.metrics import (
    METRICS,
    SECONDS,
    Aggregation,
    HostMetrics,
    Kind,
    Metric,
    MetricsQuery,
    PoolMetrics,
    Source,
    VmMetrics,
)

STATE = [metric for metric in METRICS["vm"] if metric.name.startswith("state.")]


class Thing(NamedTuple):
    """A VM, host or pool.

    Attributes:
        key: a VM's UUID, a pool's name, '' for a host.
        seen: when it was last there (``time.time()``).
    """

    host: str
    key: str
    name: str
    seen: float = 0


@dataclass(frozen=True)
class Range:
    """Equal spans of time.

    Attributes:
        start: ``time.time()`` of the first. step: seconds of each. count: how many there are.
        how: what is made of the samples in each.
    """

    start: float
    step: int
    count: int
    how: Aggregation

    @property
    def end(self) -> float:
        """Where the last ends."""
        return self.start + self.step * self.count


def range_of(query: MetricsQuery, now: float) -> Range:
    """Return the time that is asked for: a history, or the interval that ends now."""
    step = SECONDS[query.step]
    if query.hours is None:
        return Range(now - step, step, 1, query.aggregation)
    count = max(1, query.points)
    return Range((now // step + 1 - count) * step, step, count, query.aggregation)


class Past(Protocol):
    """Where history is read from."""

    source: Source

    def read(
        self,
        kind: Kind,
        hosts: Collection[str],
        names: Collection[str],
        metrics: Sequence[Metric],
        within: Range,
    ) -> list[tuple[Thing, Values]]:
        """Return the values of what has one of these names; of all where there are none.

        Raises:
            NotFound: there is no history, or none of one that is named.
        """


def vms(
    past: Past, hosts: Collection[str], query: MetricsQuery, metrics: Sequence[Metric], now: float
) -> list[VmMetrics]:
    """Return VMs' figures, by name."""
    within = range_of(query, now)
    wanted = [*metrics, *(metric for metric in STATE if metric not in metrics)]
    found = sorted(past.read("vm", hosts, query.names, wanted, within), key=_key)
    rows = [
        _vm(list(group), past.source, metrics, within, query) for _, group in groupby(found, _key)
    ]
    there = [row for row in rows if row.status != "unknown" or row.name in query.names]
    return sorted(there, key=attrgetter("name", "vm_id"))


def _key(row: tuple[Thing, Values]) -> str:
    return row[0].key


def _vm(
    group: Sequence[tuple[Thing, Values]],
    source: Source,
    metrics: Sequence[Metric],
    within: Range,
    query: MetricsQuery,
) -> VmMetrics:
    """Return a VM's figures; several hosts may know it: it was moved."""
    known = merged([values for _, values in group])
    newest, _ = max(group, key=lambda row: (_last(row[1]["state.up"]), row[0].seen))
    return VmMetrics(
        vm_id=newest.key,
        name=newest.name,
        host=newest.host,
        status=status_of(_last(known["state.code"])),
        source=source,
        **over_time(known, metrics, within, query),
    )


def merged(rows: Sequence[Values]) -> Values:
    """Join what several hosts know of the same VM: at each time, the one where it runs tells."""
    ups = zip(*(row["state.up"] for row in rows), strict=True)
    best = [max(range(len(rows)), key=lambda n: _or_less(up[n])) for up in ups]
    return {name: [rows[n][name][place] for place, n in enumerate(best)] for name in rows[0]}


def _or_less(value: float | None) -> float:
    return -1 if value is None else value


def _last(row: Sequence[float | None]) -> float:
    return next((value for value in reversed(row) if value is not None), -1)


def hosts(
    past: Past, wanted: Collection[str], query: MetricsQuery, metrics: Sequence[Metric], now: float
) -> list[HostMetrics]:
    """Return hosts' figures, with their pools', by id."""
    within = range_of(query, now)
    found = past.read("host", wanted, (), metrics, within)
    names = [thing.host for thing, _ in found]
    pools = past.read("pool", names, (), METRICS["pool"], within)
    return [
        HostMetrics(
            host_id=thing.host,
            source=past.source,
            pools=[
                _pool(pool, values, within, query)
                for pool, values in pools
                if pool.host == thing.host and _known(values)
            ],
            **over_time(values, metrics, within, query),
        )
        for thing, values in sorted(found)
    ]


def _pool(pool: Thing, values: Values, within: Range, query: MetricsQuery) -> PoolMetrics:
    told = over_time(values, METRICS["pool"], within, query)
    return PoolMetrics(name=pool.key, metrics=told["metrics"], history=told.get("history"))


def _known(values: Values) -> bool:
    return any(value is not None for row in values.values() for value in row)
