# SPDX-License-Identifier: Apache-2.0
"""Figures of Hyperstack's VMs, in the same fields as those of hypervisors."""

from __future__ import annotations

import time
from typing import Any

import pytest

from hostler import Fleet
from hostler.errors import BackendError, InvalidInput, NotFound
from hostler.models.metrics import VmMetrics
from hostler.testing.hyperstack import FakeHyperstack

from .conftest import ENV

pytestmark = pytest.mark.slow

NOW = int(time.time()) // 300 * 300


def add(fake: FakeHyperstack, name: str = "web-1", **fields: Any) -> dict[str, Any]:
    return fake.add_vm(name, ENV, image="Ubuntu 22.04", flavor="n3-L40x1", **fields)


def of(fleet: Fleet, name: str = "web-1", **query: Any) -> VmMetrics:
    [found] = fleet.metrics.vms(name, system="hyperstack", **query).vms
    return found


def counter(*values: float | None, unit: str = "B", every: int = 300) -> dict[str, Any]:
    first = NOW - every * (len(values) - 1)
    rows = [
        [time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(first + n * every)), 60, value]
        for n, value in enumerate(values)
    ]
    return {"unit": unit, "columns": ["time", "granularity", "value"], "data": rows}


def all_of(one: dict[str, Any], **others: dict[str, Any]) -> dict[str, Any]:
    names = ("cpu", "memory.usages", "network.in", "network.out", "disk.read", "disk.write")
    return {**dict.fromkeys(names, one), **others}


def test_now(fleet: Fleet, fake: FakeHyperstack) -> None:
    vm = add(fake)
    found = of(fleet)
    assert (found.vm_id, found.host, found.source) == (str(vm["id"]), fake.url, "hyperstack")
    assert (found.status, found.interval, found.history) == ("running", None, None)
    ram = vm["flavor"]["ram"]
    assert found.metrics["cpu"]["usage_percent"] == pytest.approx(25)
    assert found.metrics["memory"] == {
        "total_gb": ram, "used_gb": ram / 4, "free_gb": ram * 3 / 4, "usage_percent": 25,
        "cache_gb": None, "host_gb": None,
    }  # fmt: skip
    disk, network = found.metrics["disk"], found.metrics["network"]
    assert (disk["read_mbps"], disk["write_mbps"]) == (1, 0.5)
    assert (network["rx_mbps"], network["tx_mbps"]) == (1, 0.5)
    assert disk["read_iops"] is None
    assert found.metrics["state"] == {"up": None, "code": None}


def test_history(fleet: Fleet, fake: FakeHyperstack) -> None:
    add(fake)
    found = of(fleet, hours=24, metrics="cpu.usage_percent,disk.read_iops")
    assert found.history
    row = found.history.values["cpu.usage_percent"]
    assert len(row) == 288
    assert {value for value in row[1:-2] if value is not None} == {25}
    assert row.count(None) <= 3
    assert set(found.history.values["disk.read_iops"]) == {None}


def test_names(fleet: Fleet, fake: FakeHyperstack) -> None:
    for name in ("web-1", "web-2", "db"):
        add(fake, name)
    page = fleet.metrics.vms(system="hyperstack", metrics="cpu")
    assert [vm.name for vm in page.vms] == ["db", "web-1", "web-2"]
    assert [vm.name for vm in fleet.metrics.vms("web-*", system="hyperstack").vms] == [
        *("web-1", "web-2"),
    ]
    with pytest.raises(NotFound, match=r"VM 'web-3': there is no such VM. Did you mean"):
        of(fleet, "web-3")


@pytest.mark.parametrize(
    ("query", "duration"),
    [
        ({}, "1h"),
        ({"interval": "1m"}, "2h"),
        ({"interval": "1d"}, "3d"),
        ({"hours": 1}, "2h"),
        ({"hours": 168, "interval": "1h"}, "15d"),
        ({"hours": 720, "interval": "1d"}, "30d"),
    ],
)
def test_no_more_is_asked_than_is_needed(
    fleet: Fleet, fake: FakeHyperstack, query: dict[str, Any], duration: str
) -> None:
    add(fake)
    of(fleet, **query)
    assert fake.calls[-1].query == {"duration": duration}


def test_more_than_it_keeps(fleet: Fleet, fake: FakeHyperstack) -> None:
    add(fake)
    with pytest.raises(InvalidInput, match="Hyperstack keeps figures for 30 days"):
        of(fleet, hours=721, interval="1d")


@pytest.mark.fault
def test_a_counter_that_goes_back_is_a_gap(fleet: Fleet, fake: FakeHyperstack) -> None:
    """The VM was hibernated and restored: its counters start again."""
    grows = counter(0, 300e6, 600e6, 0, 300e6)
    add(fake, _metrics=all_of(counter(), **{"disk.read": grows}))
    found = of(fleet, hours=1, metrics="disk.read_mbps", interval="5m")
    assert found.history
    row = [value for value in found.history.values["disk.read_mbps"] if value is not None]
    assert row == [1, 1, 1]


@pytest.mark.fault
def test_missing_values_are_gaps(fleet: Fleet, fake: FakeHyperstack) -> None:
    told = all_of(counter(), **{"disk.read": counter(0, None, None, None, None, 600e6, 900e6)})
    add(fake, _metrics=told)
    found = of(fleet, hours=1, metrics="disk", interval="5m")
    assert found.history
    row = [value for value in found.history.values["disk.read_mbps"] if value is not None]
    assert len(row) <= 2
    assert set(found.history.values["disk.write_mbps"]) == {None}


@pytest.mark.fault
def test_unknown_units_are_not_guessed_at(fleet: Fleet, fake: FakeHyperstack) -> None:
    add(fake, _metrics=all_of(counter(1, 2, 3, unit="furlongs")))
    assert {
        value
        for group, row in of(fleet).metrics.items()
        if group != "state"
        for value in row.values()
    } == {None}


@pytest.mark.fault
@pytest.mark.parametrize(
    "series",
    [
        {"unit": "ns", "columns": ["when", "granularity", "value"], "data": [[1, 2, 3]]},
        {"unit": "ns", "columns": ["time", "granularity", "value"], "data": [["x", 60, 1]]},
        {"unit": "ns", "columns": ["time", "granularity", "value"], "data": [[1, 60, "y"]]},
    ],
)
def test_malformed(fleet: Fleet, fake: FakeHyperstack, series: dict[str, Any]) -> None:
    add(fake, _metrics=all_of(series))
    with pytest.raises(BackendError, match=r"VM 'web-1' on Hyperstack .* makes no sense: cpu"):
        of(fleet)
