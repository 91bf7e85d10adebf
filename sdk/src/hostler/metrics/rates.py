# SPDX-License-Identifier: Apache-2.0
"""Makes samples of two readings of a host. Pure.

A sample has a whole number for each metric of ``models.metrics``, in that order, times its scale;
UNKNOWN where there is none. A rate needs the same run of a VM, or start of a host, in both
readings, no counter that went back, and no gap between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hostler.metrics.packing import UNKNOWN
from hostler.metrics.raw import HOST_COUNTERS, ON, UP, Counters, RawVm, Reading
from hostler.models.host_view import PoolInfo
from hostler.models.metrics import COUNT, GB, HOST_METRICS, MBPS, PERCENT, VM_METRICS

Sample = tuple[int, ...]

LEAST_SECONDS = 0.1
"""Between two readings that rates are made of."""

_MIB, _KIB = 1024**2, 1024
_PLACE = {metric.name: place for place, metric in enumerate(VM_METRICS)}
_SUMMED = range(_PLACE["disk.read_iops"], _PLACE["disk.write_mbps"] + 1)
_SUMMED_TOO = range(_PLACE["network.rx_mbps"], _PLACE["network.tx_packets"] + 1)
_UP = _PLACE["state.up"]

DOWN: Sample = (*(UNKNOWN,) * (len(HOST_METRICS) - 1), 0)
"""A host that does not answer."""


@dataclass(frozen=True)
class Before:
    """The counters of a reading, which the next one's rates are made from.

    Attributes:
        vms: run and counters of VMs, by UUID.
    """

    at: float
    clock: float
    boot: str
    cpu: Counters
    vms: Mapping[str, tuple[int, Counters]] = field(default_factory=dict)


def before(reading: Reading) -> Before:
    """Return what is to be kept of a reading."""
    vms = {vm.uuid: (vm.epoch, vm.counters) for vm in reading.vms if vm.state in ON}
    return Before(reading.at, reading.clock, reading.boot, reading.cpu, vms)


def seconds_between(first: Before | None, reading: Reading, gap: float) -> float | None:
    """Return the time that rates are measured over; None where there is a gap.

    The clock that nobody sets is what counts, so that one that was set makes no wrong rates.
    """
    if first is None or first.boot != reading.boot:
        return None
    passed = reading.clock - first.clock
    return passed if LEAST_SECONDS <= passed <= gap else None


def vm_samples(reading: Reading, first: Before | None, seconds: float | None) -> list[Sample]:
    """Return a sample of each VM."""
    known = first.vms if first and seconds else {}
    return [_vm_sample(vm, known.get(vm.uuid), seconds) for vm in reading.vms]


def _vm_sample(vm: RawVm, first: tuple[int, Counters] | None, seconds: float | None) -> Sample:
    rates = _rates(vm, first, seconds)
    cpu, (ops_r, ops_w, by_r, by_w), (rx, tx, rx_p, tx_p, errors, drops) = (
        rates[:5],
        rates[5:9],
        rates[9:],
    )
    total = vm.memory if vm.memory is not None else vm.current
    on = vm.state in ON
    return (
        *(_share(nanoseconds, vm.vcpus) for nanoseconds in cpu),
        UNKNOWN if vm.vcpus is None else vm.vcpus,
        *_memory(total if on else None, vm.usable, vm.caches),
        UNKNOWN if vm.resident is None else vm.resident // _KIB,
        *(_times(ops_r, COUNT), _times(ops_w, COUNT)),
        *(_times(by_r, MBPS / 1e6), _times(by_w, MBPS / 1e6)),
        *(_size(vm.capacity), _size(vm.allocation)),
        *(_times(rx, 8 * MBPS / 1e6), _times(tx, 8 * MBPS / 1e6)),
        *(_times(each, COUNT) for each in (rx_p, tx_p, errors, drops)),
        UNKNOWN if vm.state == UNKNOWN else int(vm.state in UP),
        vm.state,
    )


def _rates(
    vm: RawVm, first: tuple[int, Counters] | None, seconds: float | None
) -> list[float | None]:
    """Return what each counter has grown by in a second."""
    if first is None or not seconds or first[0] != vm.epoch or vm.state not in ON:
        return [None] * len(vm.counters)
    return [
        None if new is None or old is None or new < old else (new - old) / seconds
        for old, new in zip(first[1], vm.counters, strict=True)
    ]


def _times(value: float | None, scale: float) -> int:
    return UNKNOWN if value is None else round(value * scale)


def _share(nanoseconds: float | None, vcpus: int | None) -> int:
    if nanoseconds is None or not vcpus:
        return UNKNOWN
    return round(nanoseconds / 1e9 / vcpus * 100 * PERCENT)


def _size(size: int | None) -> int:
    return UNKNOWN if size is None else size // _MIB


def _memory(total: int | None, free: int | None, caches: int | None) -> Sample:
    """Return the figures of ``memory`` of KiB."""
    used = None if total is None or free is None else max(0, total - free)
    kept = tuple(UNKNOWN if k is None else k // _KIB for k in (total, used, free, caches))
    percent = UNKNOWN if used is None or not total else round(100 * PERCENT * used / total)
    return (*kept, percent)


def host_sample(
    reading: Reading, vms: Sequence[Sample], first: Before | None, seconds: float | None
) -> Sample:
    """Return a host's sample; ``vms`` are those of its VMs."""
    running = [vm for vm in reading.vms if vm.state in ON]
    memory, pools = reading.memory, reading.storage
    caches = memory.get("buffers", 0) + memory.get("cached", 0) if "cached" in memory else None
    free = None if "free" not in memory else memory["free"] + (caches or 0)
    return (
        *_host_cpu(reading, first, seconds),
        reading.cpus or UNKNOWN,
        sum(vm.vcpus or 0 for vm in running),
        *_memory(memory.get("total"), free, caches),
        sum(vm.current or 0 for vm in running) // _KIB,
        *(_summed(vms, place) for place in _SUMMED),
        *(_summed(vms, place) for place in _SUMMED_TOO),
        *_storage(pools),
        len(reading.vms),
        sum(vm.state in UP for vm in running),
        1,
    )


def _host_cpu(reading: Reading, first: Before | None, seconds: float | None) -> Sample:
    """Return use, user, system and waiting in percent of the time that all CPUs had."""
    if first is None or seconds is None or None in first.cpu or None in reading.cpu:
        return (UNKNOWN,) * 4
    spent = dict(zip(HOST_COUNTERS, _differences(first.cpu, reading.cpu), strict=True))
    for idle in ("iowait", "idle"):  # the kernel lets them go back a little
        spent[idle] = max(0, spent[idle])
    total = sum(spent.values())
    if total <= 0 or min(spent.values()) < 0:
        return (UNKNOWN,) * 4
    used = spent["user"] + spent["kernel"]
    parts = (used, spent["user"], spent["kernel"], spent["iowait"])
    return tuple(round(100 * PERCENT * part / total) for part in parts)


def _differences(old: Counters, new: Counters) -> Iterable[int]:
    pairs = zip(old, new, strict=True)
    return [b - a for a, b in pairs if a is not None and b is not None]


def _summed(vms: Sequence[Sample], place: int) -> int:
    """Sum VMs that run up; UNKNOWN where some run and none of them is known."""
    known = [vm[place] for vm in vms if vm[place] != UNKNOWN]
    return sum(known) if known or not any(vm[_UP] == 1 for vm in vms) else UNKNOWN


def _storage(sizes: tuple[float, float] | None) -> Sample:
    if sizes is None:
        return (UNKNOWN,) * 4
    return _sizes(*sizes)


def _sizes(total: float, used: float) -> Sample:
    percent = round(100 * PERCENT * used / total) if total else UNKNOWN
    return (*(round(max(0.0, n) * GB) for n in (total, used, total - used)), percent)


def pool_sample(pool: PoolInfo) -> Sample:
    """Return a pool's sample."""
    if pool.capacity_gb is None or pool.allocation_gb is None:
        return (UNKNOWN,) * 4
    return _sizes(pool.capacity_gb, pool.allocation_gb)
