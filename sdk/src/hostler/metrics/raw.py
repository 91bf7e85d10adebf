# SPDX-License-Identifier: Apache-2.0
"""What a host told at one time: counters and sizes, as libvirt has them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hostler.hosts.facts import storage
from hostler.models.host_view import PoolInfo

UP = (0, 1, 2)
"""virDomainStates of a VM that runs: no state (some drivers), running, blocked."""

ON = (*UP, 3, 4, 7)
"""Those of a VM whose QEMU is there: paused, shutting down, suspended too."""

VM_COUNTERS = (
    *("cpu", "user", "system", "wait", "delay"),
    *("read_requests", "write_requests", "read_bytes", "write_bytes"),
    *("rx_bytes", "tx_bytes", "rx_packets", "tx_packets", "errors", "drops"),
)
"""Times in nanoseconds; ``wait``: vCPUs for I/O, ``delay``: vCPUs for a CPU."""

HOST_COUNTERS = ("user", "kernel", "iowait", "idle")
"""Nanoseconds of all CPUs together."""

STALE = 300
"""Seconds after which a guest's own figures of its memory are no longer believed."""

Counters = tuple[int | None, ...]


class RawVm(NamedTuple):
    """A VM.

    Attributes:
        epoch: libvirt's number of this run of it; counters start again with a new one.
        state: virDomainState.
        counters: see VM_COUNTERS.
        memory: KiB that it sees; ``usable``, ``caches``: as the guest says; ``resident``: that its
            QEMU holds.
        current: KiB that it was given.
        capacity, allocation: bytes of its disks.
    """

    uuid: str
    name: str
    epoch: int
    state: int
    vcpus: int | None
    counters: Counters
    current: int | None = None
    memory: int | None = None
    usable: int | None = None
    caches: int | None = None
    resident: int | None = None
    capacity: int | None = None
    allocation: int | None = None

    @property
    def key(self) -> str:
        """What it goes by in the store."""
        return self.uuid


@dataclass(frozen=True)
class Reading:
    """A host.

    Attributes:
        at: when (``time.time()``); ``clock``: the same on a clock that nobody sets, which starts
            anew with ``boot``.
        cpu: see HOST_COUNTERS. memory: KiB: total, free, buffers, cached.
    """

    at: float
    clock: float
    boot: str
    cpus: int | None = None
    cpu: Counters = (None,) * len(HOST_COUNTERS)
    memory: Mapping[str, int] = field(default_factory=dict)
    vms: Sequence[RawVm] = ()
    pools: Sequence[PoolInfo] | None = None

    @property
    def storage(self) -> tuple[float, float] | None:
        """Size and use of all pools in GiB; folders of one file system count once."""
        if self.pools is None:
            return None
        places = storage(self.pools)
        return sum(place.capacity for place in places), sum(place.used for place in places)


_NOTHING: Counters = (None,) * len(VM_COUNTERS)


def raw_vm(uuid: str, name: str, epoch: int, stats: Mapping[str, Any], at: float) -> RawVm:
    """Read one domain's statistics.

    Of a VM that is off only its size counts: libvirt tells others' CPU time then.
    Source: virConnectGetAllDomainStats.
    """
    state = int(stats.get("state.state", -1))
    get = stats.get
    if state not in ON:
        size, taken = _disks(stats)
        given = get("balloon.current")
        return RawVm(
            *(uuid, name, epoch, state, get("vcpu.current"), _NOTHING, given),
            capacity=size,
            allocation=taken,
        )
    fresh = abs(at - (get("balloon.last-update") or 0)) <= STALE
    return RawVm(
        *(uuid, name, epoch, state, get("vcpu.current"), _counters(stats)),
        get("balloon.current"),
        get("balloon.available") if fresh else None,
        get("balloon.usable") if fresh else None,
        get("balloon.disk_caches") if fresh else None,
        get("balloon.rss"),
        *_disks(stats),
    )


def _counters(stats: Mapping[str, Any]) -> Counters:
    get = stats.get
    vcpus = range(int(get("vcpu.maximum") or 0))
    disks = range(int(get("block.count") or 0)) if "block.count" in stats else None
    cards = range(int(get("net.count") or 0)) if "net.count" in stats else None
    return (
        *(get("cpu.time"), get("cpu.user"), get("cpu.system")),
        # Hosts whose kernel does not count it say 0 for ever.
        _sum(get(f"vcpu.{n}.wait") for n in vcpus) or None,
        _sum(get(f"vcpu.{n}.delay") for n in vcpus),
        *_totals(stats, "block", disks, ("rd.reqs", "wr.reqs", "rd.bytes", "wr.bytes")),
        *_totals(stats, "net", cards, ("rx.bytes", "tx.bytes", "rx.pkts", "tx.pkts")),
        *_both(stats, cards, "errs"),
        *_both(stats, cards, "drop"),
    )


def _totals(
    stats: Mapping[str, Any], kind: str, numbers: Sequence[int] | None, names: Sequence[str]
) -> list[int | None]:
    """Sum devices up; None where one of them is not told of: QEMU was busy."""
    if numbers is None:
        return [None] * len(names)
    return [_all([stats.get(f"{kind}.{n}.{name}") for n in numbers]) for name in names]


def _both(stats: Mapping[str, Any], cards: Sequence[int] | None, what: str) -> list[int | None]:
    found = _totals(stats, "net", cards, (f"rx.{what}", f"tx.{what}"))
    return [None if None in found else sum(n for n in found if n is not None)]


def _disks(stats: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Return size and use of all disks; None where one of them is not told of."""
    if "block.count" not in stats:
        return None, None
    disks = [n for n in range(stats["block.count"]) if f"block.{n}.path" in stats]
    sizes = [stats.get(f"block.{n}.capacity") for n in disks]
    taken = [stats.get(f"block.{n}.physical") for n in disks]
    return _all(sizes), _all(taken)


def _all(values: Sequence[int | None]) -> int | None:
    return None if None in values else sum(value for value in values if value is not None)


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
