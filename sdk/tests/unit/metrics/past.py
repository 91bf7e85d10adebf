# SPDX-License-Identifier: Apache-2.0
"""Writes rounds into a store, and reads them back as a user would."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hostler.errors import Unreachable
from hostler.metrics import past, rounds
from hostler.metrics.compact import compact
from hostler.metrics.raw import Reading
from hostler.metrics.stored import StoredPast
from hostler.models.metrics import HostMetrics, MetricsQuery, VmMetrics, chosen
from hostler.models.metrics_config import MetricsConfig
from hostler.store import Store

from .readings import START, UUID

GAP = 45
CONFIG = MetricsConfig()


def write(store: Store, *readings: Reading, host: str = "kvm1") -> None:
    """Write rounds of a host, one after the other."""
    for one in readings:
        rounds.write(store, {host: one}, now=one.at, gap=GAP)


def down(store: Store, at: float, host: str = "kvm1") -> None:
    """Write that a host does not answer."""
    rounds.write(store, {host: Unreachable("no route")}, now=START + at, gap=GAP)


def vms(
    store: Store,
    *names: str,
    at: float = 3600,
    hosts: Iterable[str] = ("kvm1",),
    config: MetricsConfig = CONFIG,
    **query: Any,
) -> list[VmMetrics]:
    """Ask for VMs' figures, so many seconds after START."""
    asked = MetricsQuery(names=names, **query)
    history = StoredPast(lambda: store, config)
    return past.vms(history, list(hosts), asked, chosen("vm", asked.metrics), START + at)


def hosts(
    store: Store, *, at: float = 3600, wanted: Iterable[str] = ("kvm1",), **query: Any
) -> list[HostMetrics]:
    """Ask for hosts' figures."""
    asked = MetricsQuery(**query)
    history = StoredPast(lambda: store, CONFIG)
    return past.hosts(history, list(wanted), asked, chosen("host", asked.metrics), START + at)


def values(
    store: Store, metric: str = "disk.read_iops", number: int = 1, **query: Any
) -> list[float | None]:
    """Return a metric's history of a VM."""
    asked: dict[str, Any] = {"hours": 1, "interval": "1m", "metrics": [metric], **query}
    found = vms(store, UUID.format(number), **asked)
    assert found[0].history
    return found[0].history.values[metric]


def pack_all(store: Store, at: float) -> int:
    """Pack all full hours up to a time; returns how many packs that were."""
    count = 0
    while compact(store, START + at):
        count += 1
    return count
