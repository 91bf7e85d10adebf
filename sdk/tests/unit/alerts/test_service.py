# SPDX-License-Identifier: Apache-2.0
"""fleet.alerts on hosts of libvirt's test driver, with samples that were collected and not."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest

from hostler import Fleet
from hostler.errors import NotFound
from hostler.metrics import rounds
from hostler.metrics.raw import ON, VM_COUNTERS, RawVm, Reading
from hostler.models.host_view import PoolInfo

from ..hosts.nodes import node, vm
from .conftest import MakeFleet

pytestmark = pytest.mark.slow

DOWN = "qemu+tcp://127.0.0.1:1/system"
NOTHING = (None,) * len(VM_COUNTERS)
ALWAYS = {"threshold": 0, "duration": "10m"}
RUNS = {"keep_running": "true"}


@pytest.fixture
def fleet(make_fleet: MakeFleet, tmp_path: Path) -> Fleet:
    """Host ``kvm1`` has a VM that is off and should run; ``lost`` does not answer."""
    vms = [
        vm("db", labels={**RUNS, "tier": "gold"}, running=False),
        vm("web", labels=RUNS),
        vm("spare", labels={"keep_running": "false"}, running=False),
        vm("other", running=False),
    ]
    hosts = {"kvm1": {"uri": node(tmp_path / "kvm1.xml", *vms)}, "lost": {"uri": DOWN}}
    return make_fleet(hosts=hosts)


def collected(fleet: Fleet, minutes: int, *, cpu: float, db_up: int, lost_up: int) -> None:
    """Write samples of the last minutes: one each 15 s, as ``hostler metrics collect`` does."""
    now = time.time()
    for number in range(minutes * 4, -1, -1):
        at = now - 15 * number
        spent = int((at - now + 10**6) * 1e9)
        busy = int(spent * cpu)
        reading = Reading(
            at=at,
            clock=at,
            boot="one",
            cpus=1,
            cpu=(busy, 0, 0, spent - busy),
            memory={"total": 1000, "free": 100, "buffers": 0, "cached": 0},
            vms=[_raw("db", 1 if number / 4 > db_up else 5)],
            pools=[PoolInfo(name="default", active=True, capacity_gb=100, allocation_gb=91)],
        )
        lost: Any = replace(reading, vms=[]) if number / 4 > lost_up else NotFound("gone")
        rounds.write(fleet.store, {"kvm1": reading, "lost": lost}, now=at, gap=45)


def _raw(name: str, state: int) -> RawVm:
    return RawVm(str(uuid5(NAMESPACE_URL, name)), name, 1 if state in ON else -1, state, 1, NOTHING)


def test_without_a_history(fleet: Fleet) -> None:
    page = fleet.alerts.read(timeout=5)
    told = {alert.id: alert for alert in page.alerts}
    assert sorted(told) == ["host_unreachable:lost", "vm_down:kvm1/db"]
    assert "Connection refused" in told["host_unreachable:lost"].message
    down = told["vm_down:kvm1/db"]
    assert (down.resource, down.host, down.labels["tier"]) == ("db", "kvm1", "gold")
    assert (down.since, down.value, down.threshold, down.severity) == (None, 1, 0, "critical")
    unknown = {(u.rule, *u.resources): u.reason for u in page.unknown}
    assert unknown["host_cpu", "lost"] == "its host does not answer"
    assert unknown["host_cpu", "kvm1"] == "its hypervisor does not tell it"
    assert ("host_storage", "kvm1") not in unknown
    assert page.counts == {"critical": 2, "warning": 0, "info": 0}


def test_filters(fleet: Fleet) -> None:
    def ids(**filters: Any) -> list[str]:
        return [alert.id for alert in fleet.alerts.list(timeout=5, **filters)]

    assert ids(severities=["warning"]) == []
    assert ids(rules=["vm_*"]) == ["vm_down:kvm1/db"]
    assert ids(resources=["lost"]) == ["host_unreachable:lost"]
    assert ids(resources=["kvm1"]) == ["vm_down:kvm1/db"]
    with pytest.raises(NotFound, match="there is no such rule; there are host_unreachable"):
        ids(rules=["nonsense"])


def test_nobody_is_read_for_rules_of_the_cloud(fleet: Fleet) -> None:
    assert fleet.alerts.list(rules=["gpu_*"]) == []


def test_one_hypervisor_without_a_pool(make_fleet: MakeFleet, tmp_path: Path) -> None:
    uri = node(tmp_path / "kvm1.xml", vm("db", labels=RUNS, running=False))
    fleet = make_fleet(uri=uri)
    (alert,) = fleet.alerts.list(timeout=5)
    assert (alert.id, alert.host) == (f"vm_down:{uri}/db", uri)


def test_with_a_history(fleet: Fleet) -> None:
    collected(fleet, 12, cpu=0.95, db_up=5, lost_up=9)
    now = time.time()
    page = fleet.alerts.read(timeout=5)
    since = {a.id: (now - a.since.timestamp()) / 60 for a in page.alerts if a.since}
    assert sorted(since) == ["host_cpu:kvm1", "host_unreachable:lost", "vm_down:kvm1/db"]
    assert since["vm_down:kvm1/db"] == pytest.approx(5, abs=1.1)
    assert since["host_unreachable:lost"] == pytest.approx(9, abs=1.1)
    assert since["host_cpu:kvm1"] == pytest.approx(12, abs=1.1)
    (cpu,) = [alert for alert in page.alerts if alert.rule == "host_cpu"]
    assert cpu.message == "kvm1: CPUs are busy: 95 %, above 90 % for 10m"
    assert (cpu.value, cpu.unit, cpu.threshold) == (95, "%", 90)


def test_a_short_history_can_not_say_it(fleet: Fleet) -> None:
    collected(fleet, 4, cpu=0.95, db_up=0, lost_up=0)
    page = fleet.alerts.read(rules=["host_cpu"], timeout=5)
    assert page.alerts == []
    (told,) = [u for u in page.unknown if u.resources == ["kvm1"]]
    assert told.reason == "it is above 90, and nobody knows since when"


def test_a_history_of_something_else_is_fine(fleet: Fleet) -> None:
    collected(fleet, 4, cpu=0.2, db_up=0, lost_up=0)
    page = fleet.alerts.read(rules=["host_cpu"], timeout=5)
    assert [u.resources for u in page.unknown] == [["lost"]]


def test_a_prometheus_that_is_down_hides_nothing(make_fleet: MakeFleet, tmp_path: Path) -> None:
    uri = node(tmp_path / "kvm1.xml", vm("db", labels=RUNS, running=False))
    fleet = make_fleet(
        hosts={"kvm1": {"uri": uri}, "lost": {"uri": DOWN}},
        metrics_backend="prometheus",
        metrics={"prometheus": {"url": "http://127.0.0.1:1"}},
        alerts={"rules": {"vms": {"resource": "host", "metric": "vms.total", **ALWAYS}}},
    )
    page = fleet.alerts.read(timeout=5)
    assert {alert.id for alert in page.alerts} == {"host_unreachable:lost", "vm_down:kvm1/db"}
    (told,) = [one for one in page.unknown if (one.rule, one.resources) == ("vms", ["kvm1"])]
    assert told.reason.startswith("history can't be read: ")
