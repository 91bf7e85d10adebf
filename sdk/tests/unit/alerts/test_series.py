# SPDX-License-Identifier: Apache-2.0
"""Series of what was read: VMs that should run, GPU pools, hosts of a cloud."""

from __future__ import annotations

from typing import Any

import pytest

from hostler.alerts.evaluate import evaluate
from hostler.alerts.series import gpu_series, host_series, metric_series
from hostler.gpu.world import GpuWorld
from hostler.models.alert import AlertPage
from hostler.models.alert_config import DEFAULTS
from hostler.models.host_view import HostInfo
from hostler.models.metrics import HostMetrics

from ..gpu.worlds import aggregate, compute, server, world

NOW = 1e9
RULES = list(DEFAULTS.values())


def info(status: str, vms: list[dict[str, Any]]) -> HostInfo:
    base = {"uri": "qemu:///system", "id": "kvm1", "status": status, "reason": "no answer"}
    seen = {"host_id": "kvm1", "cpu_cores": 1, "memory_mb": 1, "seen_at": NOW, "age_seconds": 0}
    rows = [
        {**seen, "name": "web", "uuid": "u", "status": one.pop("status"), "vm": one} for one in vms
    ]
    return HostInfo.model_validate({**base, "vms": rows})


def told(host: HostInfo) -> AlertPage:
    return evaluate(RULES, list(host_series([host], "keep_running", NOW)), NOW)


SHOULD_RUN: list[tuple[dict[str, Any], list[str]]] = [
    ({"status": "stopped", "autostart": False}, []),
    ({"status": "stopped", "autostart": True}, ["vm_down"]),
    ({"status": "running", "autostart": True}, []),
    ({"status": "paused", "autostart": True}, []),
    ({"status": "stopped", "autostart": False, "labels": {"keep_running": "true"}}, ["vm_down"]),
    ({"status": "stopped", "autostart": True, "labels": {"keep_running": "False"}}, []),
    ({"status": "stopped", "autostart": True, "labels": {"keep_running": "?"}}, ["vm_down"]),
    ({"status": "crashed", "autostart": False}, ["vm_crashed"]),
    ({"status": "stopped", "autostart": False, "crashed": True}, ["vm_crashed"]),
    ({"status": "crashed", "autostart": True}, ["vm_crashed", "vm_down"]),
]


@pytest.mark.parametrize(("vm", "rules"), SHOULD_RUN)
def test_vms_that_should_run(vm: dict[str, Any], rules: list[str]) -> None:
    page = told(info("active", [dict(vm)]))
    assert sorted(alert.rule for alert in page.alerts) == rules
    assert page.unknown == []


def test_a_vm_in_an_unknown_state() -> None:
    page = told(info("active", [{"status": "unknown", "autostart": True}]))
    assert page.alerts == []
    assert {(u.rule, u.reason) for u in page.unknown} == {
        ("vm_down", "its state is not known"),
        ("vm_crashed", "its state is not known"),
    }


def test_vms_of_a_host_that_does_not_answer_are_not_known() -> None:
    page = told(info("unreachable", [{"status": "crashed", "autostart": True}]))
    assert [(a.rule, a.message) for a in page.alerts] == [
        ("host_unreachable", "kvm1: does not answer: no answer")
    ]
    assert {(u.rule, u.host, *u.resources) for u in page.unknown} == {
        ("vm_down", "kvm1", "web"),
        ("vm_crashed", "kvm1", "web"),
    }


@pytest.mark.parametrize(("total", "unknown"), [(0.0, 0), (None, 1)])
def test_storage_that_is_not_there_is_not_full(total: float | None, unknown: int) -> None:
    storage = {"storage": {"total_gb": total, "usage_percent": None}}
    now = [HostMetrics(host_id="kvm1", source="live", metrics=storage)]
    known = metric_series("host", now, (), ["storage.usage_percent"], {}, "above")
    page = evaluate(RULES, list(known), NOW)
    assert (page.alerts, len(page.unknown)) == ([], unknown)


def cloud(found: GpuWorld | None, error: str = "") -> AlertPage:
    return evaluate(RULES, list(gpu_series("prod", found, error, NOW)), NOW)


def test_gpu_pools() -> None:
    found = world(
        aggregate("L40-n3-spot", "a", "b"),
        aggregate("L40-n3", "c"),
        aggregate("L40-n3-runpod"),
        aggregate("Contract-Acme-8xL40", "d"),
        servers=(server("a", "n3-L40x8"), server("b", "n3-L40x8"), server("d", "n3-L40x8")),
        amounts={host: {"CUSTOM_L40_GPU": (8, 8 if host != "c" else 0)} for host in "abcd"},
    )
    page = cloud(found)
    assert {(a.rule, a.resource, a.value) for a in page.alerts} == {
        ("gpu_pool_full", "L40 spot", 0),
        ("aggregate_no_free_host", "L40-n3-spot", 0),
    }
    assert page.alerts[0].message == "L40 spot: no GPU is free: 0 GPUs, below 1 GPUs"
    assert page.unknown == []


def test_a_capacity_that_nobody_knows() -> None:
    page = cloud(world(aggregate("L40-n3-spot", "a"), servers=(server("a", "n3-L40x8"),)))
    assert [(u.rule, *u.resources, u.reason) for u in page.unknown] == [
        ("gpu_pool_full", "L40 spot", "nobody says how many GPUs its hosts have")
    ]


def test_drift_and_hosts_astray() -> None:
    found = world(
        aggregate("L40-n3-spot", "a", "b"),
        aggregate("L40-n3", "b"),
        servers=(server("a", "n3-L40x2"),),
        amounts={"a": {"CUSTOM_L40_GPU": (8, 5)}, "b": {"CUSTOM_L40_GPU": (8, 0)}},
        computes=(compute("a"), compute("b"), compute("none")),
    )
    page = cloud(found)
    drift = next(a for a in page.alerts if a.rule == "placement_drift")
    assert (drift.resource, drift.value, drift.unit) == ("a", 3, "GPUs")
    assert [a.resource for a in page.alerts if a.rule == "gpu_host_astray"] == ["b"]


def test_a_cloud_that_can_not_be_read() -> None:
    page = cloud(None, "Keystone does not answer")
    (alert,) = page.alerts
    assert alert.message == "prod: can't be read: Keystone does not answer"
    assert {u.rule: u.resources for u in page.unknown} == {
        name: ["*"]
        for name in (
            "gpu_pool_full",
            "aggregate_no_free_host",
            "placement_drift",
            "gpu_host_astray",
        )
    }
