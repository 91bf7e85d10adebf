# SPDX-License-Identifier: Apache-2.0
"""Rates: correct, or a gap. Never negative, never of what was not measured."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostler.metrics import rates
from hostler.metrics.packing import UNKNOWN
from hostler.metrics.raw import RawVm, Reading
from hostler.metrics.rounds import taken
from hostler.metrics.views import figures
from hostler.models.metrics import METRICS, Figures

from .readings import UUID, pool, reading, vm

GAP = 45
BUSY = {"cpu": 3 * 10**9, "user": 2 * 10**9, "system": 10**9, "delay": 5 * 10**8}
MOVED = {
    "read_requests": 150, "write_requests": 15, "read_bytes": 15_000_000, "write_bytes": 1_500_000,
    "rx_bytes": 1_875_000, "tx_bytes": 187_500, "rx_packets": 1500, "tx_packets": 150, "drops": 15,
}  # fmt: skip


def after(first: Reading, second: Reading, number: int = 1) -> Figures:
    """The figures of a VM in the second of two readings."""
    samples = taken(second, rates.before(first), GAP)
    return figures("vm", samples["vm", UUID.format(number)], METRICS["vm"])


def two(old: RawVm, new: RawVm, **when: Any) -> Figures:
    return after(reading(0, [old]), reading(15, [new], **when))


def is_gap(found: Figures) -> bool:
    rows = [found["disk"][f"{way}_iops"] for way in ("read", "write")]
    rows += [found["cpu"]["usage_percent"], found["network"]["rx_mbps"]]
    return rows == [None] * 4


def test_rates() -> None:
    """A VM of two CPUs that has run for 3 of 30 seconds, and moved some data in 15."""
    found = two(vm(), vm(counters={**BUSY, **MOVED}))
    assert found["cpu"] == {
        "usage_percent": 10, "user_percent": 6.67, "system_percent": 3.33, "steal_percent": 1.67,
        "iowait_percent": 0, "count": 2,
    }  # fmt: skip
    disk, network = found["disk"], found["network"]
    assert (disk["read_iops"], disk["write_iops"]) == (10, 1)
    assert (disk["read_mbps"], disk["write_mbps"]) == (1, 0.1)
    assert (network["rx_mbps"], network["tx_mbps"]) == (1, 0.1)
    assert (network["rx_packets"], network["tx_packets"]) == (100, 10)
    assert (network["errors"], network["drops"]) == (0, 1)
    assert found["state"] == {"up": 1, "code": 1}


def test_memory() -> None:
    size: dict[str, Any] = {
        "memory": 4 * 1024**2,
        "usable": 1024**2,
        "caches": 512 * 1024,
        "resident": 2 * 1024**2,
    }
    assert two(vm(), vm(**size))["memory"] == {
        "total_gb": 4, "used_gb": 3, "free_gb": 1, "cache_gb": 0.5, "usage_percent": 75,
        "host_gb": 2,
    }  # fmt: skip
    silent = two(vm(), vm())["memory"]
    assert silent.pop("total_gb") == 1
    assert set(silent.values()) == {None}


@pytest.mark.fault
@pytest.mark.parametrize(
    ("old", "new", "when"),
    [
        (vm(counters=100), vm(counters=50), {}),
        (vm(counters=100), vm(counters=500, epoch=2), {}),
        (vm(counters=0), vm(counters=500), {"boot": "another"}),
        (vm(counters=0), vm(counters=500), {"clock": 990.0}),
        (vm(counters=0), vm(counters=500), {"clock": 1000.01}),
        (vm(counters=0), vm(counters=500), {"clock": 1000 + 3600.0}),
        (vm(2, counters=0), vm(counters=500), {}),
        (vm(counters=0, state=5), vm(counters=500), {}),
        (vm(counters={"cpu": None, "read_requests": None, "write_requests": None,
                      "rx_bytes": None}), vm(counters=500), {}),
        (vm(counters=100), vm(counters=500, state=5), {}),
    ],
    ids=[
        "counters went back", "VM restarted", "collector's machine restarted",
        "another machine's clock", "hardly any time between", "an hour between",
        "VM appeared", "VM was off", "busy the last time", "VM is off now",
    ],
)  # fmt: skip
def test_a_gap(old: RawVm, new: RawVm, when: dict[str, Any]) -> None:
    assert is_gap(two(old, new, **when))


@pytest.mark.fault
@pytest.mark.parametrize("set_to", [-3600.0, -10.0, 5.0, 86400.0])
def test_a_clock_that_was_set_makes_no_difference(set_to: float) -> None:
    found = after(reading(0, [vm()]), reading(15 + set_to, [vm(counters=MOVED)], clock=1015.0))
    assert found["disk"]["read_iops"] == 10


@pytest.mark.fault
def test_one_counter_that_went_back_is_a_gap_of_its_own() -> None:
    """A disk was taken away."""
    old = vm(counters={"read_bytes": 10**9, "rx_bytes": 0})
    found = two(old, vm(counters={"read_bytes": 10, "rx_bytes": 1_875_000}))
    assert found["disk"]["read_mbps"] is None
    assert found["network"]["rx_mbps"] == 1


COUNTER = st.one_of(st.none(), st.integers(0, 2**62))


@given(
    st.lists(st.tuples(COUNTER, COUNTER), min_size=15, max_size=15),
    st.floats(-(10**6), 10**6),
    st.integers(1, 2),
    st.sampled_from([0, 1, 2, 3, 4, 5, 6, 7]),
)
def test_no_rate_is_negative(
    counters: list[tuple[int | None, int | None]], clock: float, epoch: int, state: int
) -> None:
    old, new = vm(), vm(epoch=epoch, state=state)
    first = reading(0, [old._replace(counters=tuple(a for a, _ in counters))])
    second = reading(15, [new._replace(counters=tuple(b for _, b in counters))], clock=1000 + clock)
    for sample in taken(second, rates.before(first), GAP).values():
        assert all(value >= UNKNOWN for value in sample)


def host(first: Reading, second: Reading) -> Figures:
    samples = taken(second, rates.before(first), GAP)
    return figures("host", samples["host", ""], METRICS["host"])


def test_a_host() -> None:
    found = host(
        reading(0, [vm(1), vm(2)], cpu=(0, 0, 0, 0)),
        reading(
            15,
            [vm(1, counters=MOVED), vm(2, counters=MOVED), vm(3, state=5)],
            cpu=(30, 10, 5, 55),
            pools=[pool()],
        ),
    )
    assert found["cpu"] == {
        "usage_percent": 40, "user_percent": 30, "system_percent": 10, "iowait_percent": 5,
        "count": 4, "allocated": 4,
    }  # fmt: skip
    assert found["memory"] == {
        "total_gb": 8, "used_gb": 6, "free_gb": 2, "cache_gb": 1, "usage_percent": 75,
        "allocated_gb": 2,
    }  # fmt: skip
    assert found["disk"]["read_iops"] == 20
    assert found["network"]["rx_mbps"] == 2
    assert found["storage"] == {"total_gb": 100, "used_gb": 25, "free_gb": 75, "usage_percent": 25}
    assert found["vms"] == {"total": 3, "running": 2}
    assert found["state"] == {"up": 1}


def test_a_host_without_vms_moves_nothing() -> None:
    assert host(reading(0), reading(15))["disk"]["read_iops"] == 0


def test_a_host_of_whose_vms_nothing_is_known_moves_nobody_knows_what() -> None:
    assert host(reading(0), reading(15, [vm()]))["disk"]["read_iops"] is None


def test_what_a_driver_does_not_tell_is_none() -> None:
    bare = Reading(0, 0, "b")
    found = host(bare, Reading(15, 15, "b"))
    assert found["cpu"]["usage_percent"] is None
    assert found["memory"]["total_gb"] is None
    assert found["storage"]["total_gb"] is None


def test_an_idle_time_that_went_back_a_little_is_no_gap() -> None:
    found = host(reading(0, cpu=(0, 0, 0, 100)), reading(15, cpu=(10, 10, 0, 99)))
    assert found["cpu"]["usage_percent"] == 100


@pytest.mark.fault
def test_a_host_that_was_restarted_is_a_gap() -> None:
    found = host(reading(0, cpu=(500, 500, 5, 9000)), reading(15, cpu=(20, 10, 5, 9100)))
    assert found["cpu"]["usage_percent"] is None


def test_a_pool() -> None:
    samples = taken(reading(0, pools=[pool()]), None, GAP)
    assert figures("pool", samples["pool", "default"], METRICS["pool"])["pool"] == {
        "total_gb": 100, "used_gb": 25, "free_gb": 75, "usage_percent": 25,
    }  # fmt: skip
