# SPDX-License-Identifier: Apache-2.0
"""Metrics: which there are, in which units, and what a question about them is answered with.

Sizes are binary (1 GB = 1024 MiB); ``mbps`` of disks are megabytes (10^6 bytes), those of networks
megabits (10^6 bits) a second; rates are per second. What is not known is None.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, NamedTuple

from pydantic import Field, field_validator, model_validator

from hostler.models.vm import Part
from hostler.models.vm_view import View, VmStatus

Interval = Literal["1m", "5m", "1h", "1d"]
Aggregation = Literal["avg", "min", "max", "last"]
Kind = Literal["vm", "host", "pool"]
MetricsBackend = Literal["store", "prometheus"]
Source = Literal["live", "store", "prometheus", "hyperstack"]

SECONDS: dict[Interval, int] = {"1m": 60, "5m": 300, "1h": 3600, "1d": 86400}
MOST_HOURS = 24 * 366
MOST_POINTS = 10000
"""Of one history: 1m for nearly 7 days. Prometheus answers 11,000 at most."""


class Metric(NamedTuple):
    """A figure.

    Attributes:
        name: its group and itself: ``cpu.usage_percent``.
        unit: of its value.
        scale: its value times this is kept as a whole number.
        text: what it is.
    """

    name: str
    unit: str
    scale: int
    text: str


PERCENT, COUNT, EACH = 100, 100, 1
GB = 1024  # a MiB is the smallest part
MBPS = 10**5

_DISK = (
    Metric("disk.read_iops", "1/s", COUNT, "reads"),
    Metric("disk.write_iops", "1/s", COUNT, "writes"),
    Metric("disk.read_mbps", "MB/s", MBPS, "bytes read"),
    Metric("disk.write_mbps", "MB/s", MBPS, "bytes written"),
)
_NETWORK = (
    Metric("network.rx_mbps", "Mbit/s", MBPS, "bits received"),
    Metric("network.tx_mbps", "Mbit/s", MBPS, "bits sent"),
    Metric("network.rx_packets", "1/s", COUNT, "packets received"),
    Metric("network.tx_packets", "1/s", COUNT, "packets sent"),
)
_MEMORY = (
    Metric("memory.total_gb", "GiB", GB, "memory that it sees"),
    Metric("memory.used_gb", "GiB", GB, "memory in use, caches left out"),
    Metric("memory.free_gb", "GiB", GB, "memory that can be had, caches included"),
    Metric("memory.cache_gb", "GiB", GB, "memory that holds caches"),
    Metric("memory.usage_percent", "% of memory.total_gb", PERCENT, "memory in use"),
)

VM_METRICS = (
    Metric("cpu.usage_percent", "% of all its vCPUs", PERCENT, "time that it ran"),
    Metric("cpu.user_percent", "% of all its vCPUs", PERCENT, "time in user mode"),
    Metric("cpu.system_percent", "% of all its vCPUs", PERCENT, "time in the host's kernel"),
    Metric("cpu.iowait_percent", "% of all its vCPUs", PERCENT, "time that it waited for I/O"),
    Metric("cpu.steal_percent", "% of all its vCPUs", PERCENT, "time that it waited for a CPU"),
    Metric("cpu.count", "", EACH, "its vCPUs"),
    *_MEMORY,
    Metric("memory.host_gb", "GiB", GB, "memory of the host that it holds"),
    *_DISK,
    Metric("disk.capacity_gb", "GiB", GB, "size of its disks"),
    Metric("disk.allocation_gb", "GiB", GB, "what they take up"),
    *_NETWORK,
    Metric("network.errors", "1/s", COUNT, "packets with errors"),
    Metric("network.drops", "1/s", COUNT, "packets dropped"),
    Metric("state.up", "1 or 0", EACH, "whether it runs"),
    Metric("state.code", "virDomainState", EACH, "its state as libvirt counts them"),
)
HOST_METRICS = (
    Metric("cpu.usage_percent", "% of all its CPUs", PERCENT, "time in use"),
    Metric("cpu.user_percent", "% of all its CPUs", PERCENT, "time in user mode, guests included"),
    Metric("cpu.system_percent", "% of all its CPUs", PERCENT, "time in the kernel"),
    Metric("cpu.iowait_percent", "% of all its CPUs", PERCENT, "idle time with I/O under way"),
    Metric("cpu.count", "", EACH, "its CPUs"),
    Metric("cpu.allocated", "", EACH, "vCPUs of its VMs that run"),
    *_MEMORY,
    Metric("memory.allocated_gb", "GiB", GB, "memory of its VMs that run"),
    *_DISK,
    *_NETWORK,
    Metric("storage.total_gb", "GiB", GB, "size of its active pools"),
    Metric("storage.used_gb", "GiB", GB, "what is used of them"),
    Metric("storage.free_gb", "GiB", GB, "what is free in them"),
    Metric("storage.usage_percent", "% of storage.total_gb", PERCENT, "what is used of them"),
    Metric("vms.total", "", EACH, "its VMs"),
    Metric("vms.running", "", EACH, "those that run"),
    Metric("state.up", "1 or 0", EACH, "whether it answers"),
)
POOL_METRICS = (
    Metric("pool.total_gb", "GiB", GB, "its size"),
    Metric("pool.used_gb", "GiB", GB, "what is used of it"),
    Metric("pool.free_gb", "GiB", GB, "what is free in it"),
    Metric("pool.usage_percent", "% of pool.total_gb", PERCENT, "what is used of it"),
)
METRICS: dict[Kind, tuple[Metric, ...]] = {
    "vm": VM_METRICS,
    "host": HOST_METRICS,
    "pool": POOL_METRICS,
}
"""In the order in which samples keep them: a new one comes last."""

Figures = dict[str, dict[str, float | None]]
"""Values by group and name: ``figures["cpu"]["usage_percent"]``."""


def chosen(kind: Kind, wanted: Iterable[str]) -> list[Metric]:
    """Return the metrics of these names or groups; all where there are none.

    Raises:
        ValueError: there is no such metric.
    """
    names = list(wanted)
    known = METRICS[kind]
    for name in names:
        if not any(name in (metric.name, metric.name.partition(".")[0]) for metric in known):
            groups = ", ".join(dict.fromkeys(m.name.partition(".")[0] for m in known))
            raise ValueError(f"there is no metric {name!r} of a {kind} (groups: {groups})")
    return [m for m in known if not names or {m.name, m.name.partition(".")[0]} & set(names)]


class MetricsQuery(Part):
    """Which metrics are asked for.

    Attributes:
        names: VMs (names, globs or UUIDs) or hosts (ids or globs); all where left out.
        metrics: names (``cpu.usage_percent``) or groups (``cpu``); all where left out.
        interval: one figure for the time that has just passed; with ``hours``, the time between
            two points of the history. Left out: what is now, or as fits ``hours``.
        hours: history of this many hours.
        aggregation: what is made of the samples in an interval.
        guest: ask guest agents too, last.
        system: where the VMs are; on Hyperstack its own history is read.
        window: seconds between two looks, where the store has no fresh sample.
        timeout: seconds that each host gets to answer.
        agent_timeout: seconds that a guest agent gets to answer.
    """

    names: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    interval: Interval | None = None
    hours: int | None = Field(None, ge=1, le=MOST_HOURS)
    aggregation: Aggregation = "avg"
    guest: bool = False
    system: Literal["libvirt", "hyperstack"] = "libvirt"
    window: float = Field(1.0, ge=0.1, le=60)
    timeout: float = Field(30, gt=0, le=600)
    agent_timeout: int = Field(2, ge=1, le=60)

    @field_validator("names", "metrics", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        """Take words with commas too, as in an address of the web."""
        words = [value] if isinstance(value, str) else value
        if not isinstance(words, list | tuple) or not all(isinstance(w, str) for w in words):
            return words
        return tuple(part.strip() for word in words for part in word.split(",") if part.strip())

    @model_validator(mode="after")
    def _few_points(self) -> MetricsQuery:
        if self.hours and self.interval and self.points > MOST_POINTS:
            what = f"{self.hours} hours by {self.interval} are {self.points} points"
            raise ValueError(f"{what}, more than {MOST_POINTS}: choose a longer interval")
        return self

    @property
    def step(self) -> Interval:
        """The interval; where left out, one that gives a history of 60 to 370 points."""
        if self.interval or not self.hours:
            return self.interval or "5m"
        return "1m" if self.hours <= 6 else "5m" if self.hours <= 30 else "1h"

    @property
    def points(self) -> int:
        """How many points the history has."""
        return (self.hours or 0) * 3600 // SECONDS[self.step]


class History(View):
    """Figures over time; a gap is None.

    Attributes:
        interval: between two points.
        aggregation: what was made of the samples in each.
        timestamps: where each point's time begins.
        values: by a metric's name, one for each timestamp.
    """

    interval: Interval
    aggregation: Aggregation
    timestamps: list[datetime]
    values: dict[str, list[float | None]]


class FilesystemFigures(View):
    """A guest's file system; sizes in GiB."""

    mountpoint: str
    type: str | None = None
    total_gb: float | None = None
    used_gb: float | None = None
    usage_percent: float | None = None


class GuestFigures(View):
    """What a guest agent tells; a part that it can't is None.

    Attributes:
        users: who is logged in.
        reason: why there is nothing.
    """

    os: str | None = None
    kernel: str | None = None
    hostname: str | None = None
    users: list[str] | None = None
    filesystems: list[FilesystemFigures] | None = None
    reason: str | None = None


class VmMetrics(View):
    """A VM's figures.

    Attributes:
        vm_id: its UUID; Hyperstack's number there.
        host: its host's id, or URI; Hyperstack's address there.
        timestamp: when the newest of it was read.
        interval: what the figures are of; None: of ``seconds`` before ``timestamp``.
        seconds: what rates were measured over; None where there are none.
        source: where they come from.
        guest: what its agent tells, where asked.
        history: where hours were asked for.
    """

    vm_id: str
    name: str
    host: str
    status: VmStatus | None = None
    timestamp: datetime | None = None
    interval: Interval | None = None
    seconds: float | None = None
    source: Source
    metrics: Figures = Field(default_factory=dict)
    guest: GuestFigures | None = None
    history: History | None = None


class PoolMetrics(View):
    """A storage pool's figures, of its host."""

    name: str
    metrics: Figures = Field(default_factory=dict)
    history: History | None = None


class HostMetrics(View):
    """A host's figures; those of disks and networks are the sums of its VMs'.

    Attributes:
        host_id: its id, or URI where it is not registered.
        status: ``unreachable``: it does not answer now, and ``reason`` says why. None: not asked.
        pools: its storage pools.
    """

    host_id: str
    status: Literal["reachable", "unreachable"] | None = None
    reason: str | None = None
    timestamp: datetime | None = None
    interval: Interval | None = None
    seconds: float | None = None
    source: Source
    metrics: Figures = Field(default_factory=dict)
    pools: list[PoolMetrics] = Field(default_factory=list)
    history: History | None = None


class VmMetricsPage(View):
    """VMs' figures, by name; ``unreachable_hosts``: of which there is nothing, and why."""

    vms: list[VmMetrics]
    unreachable_hosts: dict[str, str] = Field(default_factory=dict)


class SystemMetrics(View):
    """All hosts together: percentages are of what they have together, rates are sums.

    Attributes:
        total_hosts, active_hosts: registered hosts; those that answer.
        unreachable_hosts: which are left out, and why.
        hosts: each host's own figures.
        stats: of hosts and clouds, see FleetStats; only of what is now.
    """

    timestamp: datetime
    interval: Interval | None = None
    source: Source
    total_hosts: int
    active_hosts: int
    unreachable_hosts: dict[str, str] = Field(default_factory=dict)
    metrics: Figures = Field(default_factory=dict)
    history: History | None = None
    hosts: list[HostMetrics] = Field(default_factory=list)
    stats: dict[str, Any] | None = None
