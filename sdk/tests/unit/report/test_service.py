# SPDX-License-Identifier: Apache-2.0
"""The report of hosts of libvirt's test driver, and what becomes of its file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hostler import Fleet
from hostler.errors import InvalidInput
from hostler.gpu.world import GpuWorld
from hostler.models.alert import Alert
from hostler.models.metrics import History, HostMetrics, SystemMetrics
from hostler.models.report import Use
from hostler.report.build import (
    report_charts,
    report_hosts,
    report_pools,
    report_vms,
    use,
    worst_of,
)
from hostler.report.service import rendered, write

from ..gpu.worlds import aggregate, server, world
from ..hosts.nodes import gpu, node, vm
from .conftest import MakeFleet

pytestmark = pytest.mark.slow

SECRET = "horse!42"


@pytest.fixture
def fleet(make_fleet: MakeFleet, tmp_path: Path) -> Fleet:
    vms = [vm("db", cpus=2, gpu=1), vm("web", labels={"keep_running": "true"}, running=False)]
    there = node(tmp_path / "kvm1.xml", *vms, devices=(gpu(1), gpu(2)))
    hosts = {
        "kvm1": {"uri": there, "labels": {"rack": "r1"}},
        "lost": {"uri": "qemu+tcp://127.0.0.1:1/system"},
    }
    return make_fleet(hosts=hosts)


def test_its_data(fleet: Fleet) -> None:
    password = {"graphics": {"type": "vnc", "password": SECRET}}
    (made,) = fleet.vms.run(
        [{"name": "new", "memory": "1GiB", "networks": [], "host": "kvm1", **password}]
    )
    assert made.error is None
    data = fleet.report.data(title="Ours", timeout=5)
    lost, there = data.hosts[1], data.hosts[0]
    assert (there.name, there.status, there.labels) == ("kvm1", "active", {"rack": "r1"})
    assert (there.gpus.used, there.gpus.total, there.vcpus.total) == (1, 2, 8)
    assert (there.vms_running, there.vms_total, there.worst) == (1, 2, None)
    assert (lost.status, lost.worst, lost.cpu, lost.vms_total) == (
        "unreachable",
        "critical",
        Use(),
        None,
    )
    assert {(v.name, v.status, v.worst) for v in data.vms} == {
        ("db", "running", None),
        ("web", "stopped", "critical"),
    }
    assert (data.cloud, data.charts, data.title, data.rules) == (None, [], "Ours", 12)
    assert data.commands[0].status == "done"
    assert SECRET not in data.model_dump_json()
    told = rendered(data)
    assert SECRET not in told
    assert "web on kvm1: should run, and does not" in told


def test_without_a_pool_or_anything(make_fleet: MakeFleet) -> None:
    data = make_fleet().report.data(commands=0, timeout=5)
    assert data.commands == []


@pytest.mark.parametrize("wrong", [{"hours": 0}, {"hours": 24 * 31}, {"commands": -1}])
def test_what_makes_no_sense(make_fleet: MakeFleet, wrong: dict[str, int]) -> None:
    with pytest.raises(InvalidInput, match="hours must be 1 to 720"):
        make_fleet().report.data(**wrong)  # type: ignore[arg-type]


def test_it_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "fleet.html"
    write("one", path)
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("one", 0o644)
    path.chmod(0o600)
    write("two", path)
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("two", 0o600)
    with pytest.raises(InvalidInput, match="No such file"):
        write("three", tmp_path / "nowhere" / "fleet.html")
    with pytest.raises(InvalidInput):
        write("three", tmp_path)
    assert list(tmp_path.iterdir()) == [path]


NOW = datetime(2026, 5, 4, tzinfo=UTC)
VALUES: dict[str, list[float | None]] = {
    "cpu.usage_percent": [1.0, None, 3.0],
    "memory.usage_percent": [None, None, None],
}
HISTORY = History(interval="5m", aggregation="avg", timestamps=[NOW] * 3, values=VALUES)
PAST = SystemMetrics(
    timestamp=NOW,
    source="store",
    total_hosts=1,
    active_hosts=1,
    history=HISTORY,
    hosts=[HostMetrics(host_id="kvm1", source="store", history=HISTORY)],
)


def test_charts_and_sparklines(fleet: Fleet) -> None:
    (chart,) = report_charts(PAST)
    assert (chart.title, chart.values, chart.top) == ("CPU", [1, None, 3], 100)
    assert report_charts(None) == []
    live = [HostMetrics(host_id="kvm1", source="live", metrics={"cpu": {"usage_percent": 7.0}})]
    there, lost = report_hosts(fleet.hosts.info(timeout=5), live, PAST, [])
    assert (there.history, there.cpu.percent) == ([1, None, 3], 7)
    assert (lost.history, lost.cpu.percent) == ([], None)


def test_vms_of_a_host_that_is_lost_are_those_last_seen(fleet: Fleet, tmp_path: Path) -> None:
    fleet.hosts.info(fields=["vms"], timeout=5)
    (tmp_path / "kvm1.xml").unlink()
    found = report_vms(fleet.hosts.info(fields=["vms"], timeout=5), [])
    assert [vm.name for vm in found] == ["db", "web"]
    assert all(vm.seen_at for vm in found)


def test_pools() -> None:
    found: GpuWorld = world(
        aggregate("L40-n3-spot", "a", "b"),
        aggregate("L40-n3-NVLink-spot", "c"),
        aggregate("A100-n3", "d"),
        servers=(server("a", "n3-L40x8"),),
        amounts={host: {"CUSTOM_L40_GPU": (8, 0)} for host in "abc"},
    )
    told = {(p.gpu_type, p.pool): (p.hosts, p.free_hosts, p.gpus) for p in report_pools(found)}
    assert told["L40", "spot"] == (3, 2, use(8, 24))
    assert told["A100", "ondemand"] == (1, 1, use(0, None))


def test_the_worst_alert_counts() -> None:
    def alert(severity: str, resource: str, kind: str, host: str) -> Alert:
        fields = {"id": "x", "rule": "r", "value": 1, "threshold": 0, "message": ""}
        given = {"severity": severity, "resource": resource, "resource_type": kind, "host": host}
        return Alert.model_validate({**fields, **given})

    alerts = [
        alert("info", "kvm1", "host", "kvm1"),
        alert("critical", "web", "vm", "kvm1"),
        alert("warning", "default", "pool", "kvm1"),
    ]
    assert worst_of(alerts) == {("kvm1", "web"): "critical", ("", "kvm1"): "warning"}
