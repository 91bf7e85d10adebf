# SPDX-License-Identifier: Apache-2.0
"""libvirt's statistics of a domain, as a real one told them."""

from __future__ import annotations

from typing import Any

import pytest

from hostler.metrics.raw import VM_COUNTERS, RawVm, raw_vm

AT = 1_795_542_290.0
RUNNING: dict[str, Any] = {
    "state.state": 1, "state.reason": 1, "cpu.time": 3_680_000_000, "cpu.user": 3_010_000_000,
    "cpu.system": 670_000_000, "balloon.current": 196608, "balloon.maximum": 196608,
    "balloon.unused": 116440, "balloon.available": 158080, "balloon.usable": 121196,
    "balloon.last-update": 1_795_542_280, "balloon.disk_caches": 12664, "balloon.rss": 265560,
    "vcpu.current": 1, "vcpu.maximum": 1, "vcpu.0.state": 1, "vcpu.0.time": 3_270_000_000,
    "vcpu.0.wait": 0, "vcpu.0.delay": 973_007_612, "net.count": 1, "net.0.name": "vnet0",
    "net.0.rx.bytes": 1485, "net.0.rx.pkts": 13, "net.0.rx.errs": 0, "net.0.rx.drop": 1,
    "net.0.tx.bytes": 1207, "net.0.tx.pkts": 8, "net.0.tx.errs": 2, "net.0.tx.drop": 0,
    "block.count": 1, "block.0.name": "vda", "block.0.path": "/images/g1-vda.qcow2",
    "block.0.rd.reqs": 833, "block.0.rd.bytes": 20443136, "block.0.wr.reqs": 1,
    "block.0.wr.bytes": 512, "block.0.allocation": 393728, "block.0.capacity": 83886080,
    "block.0.physical": 20516864,
}  # fmt: skip
OFF: dict[str, Any] = {
    "state.state": 5, "state.reason": 0, "cpu.time": 200_000_000, "cpu.user": 50_000_000,
    "cpu.system": 150_000_000, "balloon.current": 65536, "balloon.maximum": 65536,
    "vcpu.current": 1, "vcpu.maximum": 1, "block.count": 0,
}  # fmt: skip


def of(stats: dict[str, Any]) -> tuple[RawVm, dict[str, int | None]]:
    vm = raw_vm("u", "g1", 1, stats, AT)
    return vm, dict(zip(VM_COUNTERS, vm.counters, strict=True))


def without(*names: str) -> dict[str, Any]:
    return {key: value for key, value in RUNNING.items() if not key.startswith(names)}


def test_a_running_vm() -> None:
    vm, counters = of(RUNNING)
    assert counters == {
        "cpu": 3_680_000_000, "user": 3_010_000_000, "system": 670_000_000, "wait": None,
        "delay": 973_007_612, "read_requests": 833, "write_requests": 1, "read_bytes": 20443136,
        "write_bytes": 512, "rx_bytes": 1485, "tx_bytes": 1207, "rx_packets": 13, "tx_packets": 8,
        "errors": 2, "drops": 1,
    }  # fmt: skip
    assert (vm.vcpus, vm.current, vm.memory, vm.usable, vm.caches, vm.resident) == (
        *(1, 196608, 158080),
        *(121196, 12664, 265560),
    )
    assert (vm.capacity, vm.allocation) == (83886080, 20516864)


def test_a_vm_that_is_off_has_none_of_the_time_that_libvirt_tells() -> None:
    vm, counters = of(OFF)
    assert set(counters.values()) == {None}
    assert (vm.state, vm.vcpus, vm.resident, vm.capacity) == (5, 1, None, 0)


@pytest.mark.parametrize(
    ("stats", "unknown"),
    [
        (without("block."), {"read_requests", "write_requests", "read_bytes", "write_bytes"}),
        (without("block.0.rd"), {"read_requests", "read_bytes"}),
        (without("net.0.rx.b"), {"rx_bytes"}),
        (without("net."), {"rx_bytes", "tx_bytes", "rx_packets", "tx_packets", "errors", "drops"}),
        (without("vcpu."), {"delay"}),
        (without("cpu."), {"cpu", "user", "system"}),
    ],
    ids=["busy with a job", "a disk", "a card", "no cards told", "no vcpus told", "no cpu told"],
)
@pytest.mark.fault
def test_what_is_not_told_is_none(stats: dict[str, Any], unknown: set[str]) -> None:
    _, counters = of(stats)
    assert {name for name, value in counters.items() if value is None} == unknown | {"wait"}


@pytest.mark.parametrize("last", [0, 1_795_541_000, None])
def test_a_guest_that_does_not_tell_its_memory_has_none(last: int | None) -> None:
    vm, _ = of({**RUNNING, "balloon.last-update": last})
    assert (vm.memory, vm.usable, vm.caches, vm.resident) == (None, None, None, 265560)


def test_waiting_is_counted_where_the_kernel_counts_it() -> None:
    assert of({**RUNNING, "vcpu.0.wait": 5})[1]["wait"] == 5
    assert of({**RUNNING, "vcpu.0.wait": 0})[1]["wait"] is None


def test_several_devices_are_summed_up() -> None:
    second = {key.replace(".0.", ".1."): value for key, value in RUNNING.items() if ".0." in key}
    vm, counters = of({**RUNNING, **second, "block.count": 2, "net.count": 2, "vcpu.maximum": 2})
    assert (counters["read_requests"], counters["rx_bytes"]) == (1666, 2970)
    assert counters["delay"] == 2 * 973_007_612
    assert vm.capacity == 2 * 83886080


def test_an_empty_drive_has_no_size() -> None:
    vm, counters = of({**RUNNING, "block.count": 2, "block.1.name": "sda", "block.1.rd.reqs": 0})
    assert vm.capacity == 83886080
    assert counters["read_requests"] == 833
