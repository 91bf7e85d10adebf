# SPDX-License-Identifier: Apache-2.0
"""Metrics of a real guest: live, collected, scraped by a real Prometheus. One boot serves all."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from rigs.prometheus import Prometheus

from hostler import Fleet
from hostler.config import FleetConfig
from hostler.errors import Unreachable
from hostler.metrics.collector import Collector
from hostler.models.metrics import VmMetrics

from .rig import GUEST, Rig
from .state import sweep

pytestmark = pytest.mark.slow

HOSTLER = Path(sys.executable).parent / "hostler"
GUEST_TASK: dict[str, Any] = {
    "name": "web",
    "cpus": 1,
    "memory": "192MiB",
    "disks": [{"image": str(GUEST / "hostler-guest.qcow2"), "size": "80MiB"}],
    "cdroms": [{"target": "sdc", "bus": "scsi"}],
    "networks": [{"network": "default"}],
    "virt_type": "qemu",
    "state": "running",
    "wait_for": "agent",
    "wait_timeout": 90,
}
Open = Callable[..., Fleet]


@pytest.fixture(scope="module")
def guest(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A host with the guest ``web``, which has booted, and ``off``, which never ran."""
    sweep(rig.uri)
    store = f"sqlite:///{tmp_path_factory.mktemp('journal')}/journal.db"
    with Fleet(FleetConfig(store=store), uri=rig.uri) as fleet:
        done = fleet.vms.run([GUEST_TASK, {"name": "off", "memory": "64MiB"}])
    assert [result.error for result in done] == [None, None]
    yield rig
    sweep(rig.uri)


def fleet_yml(guest: Rig, folder: Path) -> Path:
    """A fleet.yml with the host, and a store of its own."""
    file = folder / "fleet.yml"
    told = {
        "hosts": {"kvm1": {"uri": guest.uri}},
        "store": f"sqlite:///{folder}/h.db",
        "metrics": {"interval": 2, "timeout": 4},
    }
    file.write_text(json.dumps(told))
    return file


@pytest.fixture
def config(guest: Rig, tmp_path: Path) -> Path:
    return fleet_yml(guest, tmp_path)


@pytest.fixture
def fleet(config: Path) -> Iterator[Fleet]:
    with Fleet(config) as made:
        yield made


def hostler(config: Path, *words: str) -> Any:
    """Run the command; returns what it printed as JSON."""
    command = [str(HOSTLER), "--config", str(config), "--json", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def collect(fleet: Fleet, times: int, every: float = 1) -> None:
    for _ in range(times):
        Collector(fleet).collect()
        time.sleep(every)


def of(fleet: Fleet, name: str = "web", **query: Any) -> VmMetrics:
    [found] = fleet.metrics.vms(name, **query).vms
    return found


def inside_pid(host: Rig) -> str:
    return host.inside("cat", "/run/libvirt/qemu/web.pid").strip()


def test_live(fleet: Fleet) -> None:
    page = fleet.metrics.vms(guest=True)
    off, web = page.vms
    assert (page.unreachable_hosts, web.status, web.host, web.source) == (
        {},
        "running",
        "kvm1",
        "live",
    )
    assert web.seconds == pytest.approx(1, abs=0.5)
    cpu, memory, disk = (web.metrics[group] for group in ("cpu", "memory", "disk"))
    assert 0 <= (cpu["usage_percent"] or -1) < 110
    assert (cpu["count"], cpu["iowait_percent"]) == (1, None)
    assert 0.1 < (memory["total_gb"] or 0) < 0.19
    assert (memory["used_gb"] or 0) + (memory["free_gb"] or 0) == pytest.approx(
        memory["total_gb"], abs=0.003
    )
    assert (memory["cache_gb"] or 0) > 0
    assert disk["capacity_gb"] == pytest.approx(0.078, abs=0.001)
    assert disk["read_iops"] == 0
    assert web.metrics["network"]["rx_mbps"] is not None
    assert web.guest
    assert web.guest.os == "Hostler test guest"
    assert web.guest.users == []
    assert web.guest.filesystems
    assert web.guest.filesystems[0].usage_percent
    assert (off.status, off.guest, off.metrics["state"]["up"]) == ("stopped", None, 0)
    known = {n: v for group in ("cpu", "memory", "network") for n, v in off.metrics[group].items()}
    assert {name for name, value in known.items() if value is not None} == {"count"}


def test_a_second_look_needs_no_wait(fleet: Fleet) -> None:
    of(fleet, window=0.5)
    began = time.monotonic()
    assert of(fleet, window=0.5).seconds is not None
    assert time.monotonic() - began < 0.4
    time.sleep(0.6)
    began = time.monotonic()
    assert (of(fleet, window=0.5).seconds or 0) > 0.5
    assert time.monotonic() - began < 0.4


def test_what_the_collector_has_seen_is_the_first_look(fleet: Fleet, config: Path) -> None:
    hostler(config, "metrics", "collect")
    time.sleep(1.1)
    began = time.monotonic()
    assert (of(fleet, window=1).seconds or 0) > 1
    assert time.monotonic() - began < 0.8


def test_collected(config: Path) -> None:
    """By the command, each time another process."""
    for _ in range(3):
        told = hostler(config, "metrics", "collect")
        assert (told["hosts"], told["vms"], told["unreachable"]) == (1, 2, {})
        time.sleep(0.5)
    page = hostler(config, "metrics", "vms", "--interval", "1m", "--metrics", "cpu,state")
    off, web = page["vms"]
    assert web["metrics"]["cpu"]["usage_percent"] is not None
    assert (web["status"], off["status"]) == ("running", "stopped")
    [host] = hostler(config, "metrics", "hosts", "--hours", "1", "--aggregation", "max")
    row = host["history"]["values"]["cpu.usage_percent"]
    assert len(row) == len(host["history"]["timestamps"]) == 60
    assert 0 < next(value for value in reversed(row) if value is not None) <= 100
    assert [pool["name"] for pool in host["pools"]] == ["default", "shared"]
    system = hostler(config, "metrics", "system", "--interval", "5m")
    assert system["metrics"]["vms"] == {"total": 2, "running": 1}


@pytest.mark.fault
def test_an_agent_that_hangs_costs_its_time(fleet: Fleet) -> None:
    fleet.vms.run([{"name": "web", "state": "paused"}])
    try:
        began = time.monotonic()
        web = of(fleet, guest=True, agent_timeout=1, window=0.1)
        assert time.monotonic() - began < 4
    finally:
        fleet.vms.run([{"name": "web", "state": "running"}])
    assert web.status == "paused"
    assert web.guest
    assert web.guest.os is None
    assert web.guest.reason


@pytest.mark.fault
def test_a_qemu_that_is_stuck_costs_no_round(fleet: Fleet, guest: Rig) -> None:
    collect(fleet, 2)
    pid = inside_pid(guest)
    guest.inside("kill", "-STOP", pid)
    try:
        rounds = [Collector(fleet).collect() for _ in range(3)]
        stuck = of(fleet, interval="1m", aggregation="last")
    finally:
        guest.inside("kill", "-CONT", pid)
    assert [one.hosts for one in rounds] == [1, 1, 1]
    assert stuck.metrics["state"]["up"] == 1
    collect(fleet, 2)
    assert of(fleet, interval="1m", aggregation="last").metrics["disk"]["read_iops"] is not None


@pytest.mark.fault
def test_a_vm_that_is_restarted_makes_no_wrong_rates(fleet: Fleet) -> None:
    collect(fleet, 2)
    [reset] = fleet.vms.run([{"name": "web", "state": "stopped", "force": True}])
    assert reset.error is None
    Collector(fleet).collect()
    [back] = fleet.vms.run([{"name": "web", "state": "running", "wait_for": "agent"}])
    assert back.error is None
    collect(fleet, 2)
    web = of(fleet, interval="5m", aggregation="max")
    assert (web.metrics["cpu"]["usage_percent"] or 0) < 250
    assert (web.metrics["disk"]["read_mbps"] or 0) < 100
    least = of(fleet, interval="5m", aggregation="min").metrics
    assert all(value is None or value >= 0 for group in least.values() for value in group.values())
    assert least["state"]["up"] == 0


@pytest.mark.fault
def test_a_daemon_that_dies_is_a_gap(fleet: Fleet, guest: Rig) -> None:
    collect(fleet, 2)
    guest.kill_daemon()
    try:
        down = Collector(fleet).collect()
        assert list(down.unreachable) == ["kvm1"]
        [host] = fleet.metrics.hosts("kvm1")
        assert host.status == "unreachable"
        assert host.reason
        with pytest.raises(Unreachable):
            fleet.metrics.vms("web")
    finally:
        guest.restart_daemon()
    collect(fleet, 2)
    [host] = fleet.metrics.hosts("kvm1", interval="1m", aggregation="min")
    assert host.metrics["state"]["up"] == 0
    assert (host.metrics["vms"]["total"], host.metrics["memory"]["total_gb"]) != (0, 0)
    assert of(fleet, interval="1m", aggregation="last").metrics["cpu"]["usage_percent"] is not None


@contextmanager
def exporter(config: Path) -> Iterator[str]:
    """The command that Prometheus asks; gives its address."""
    command = [str(HOSTLER), "--config", str(config), "metrics", "export", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        address = process.stdout.readline().rpartition(" ")[2].strip()
        try:
            yield address
        finally:
            process.terminate()
            assert process.wait(20) == 0


def test_what_prometheus_is_told_is_well_formed(config: Path) -> None:
    with exporter(config) as address:
        assert address.startswith("http://127.0.0.1:")
        told = requests.get(address, timeout=10)
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=told.content, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
    assert 'hostler_vm_up{host="kvm1",uuid=' in told.text.replace('vm="web",', "")


@pytest.fixture(scope="module")
def scraped(
    guest: Rig, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Prometheus, Fleet]]:
    """A Prometheus that has scraped for some seconds, and a fleet that reads from it."""
    config = fleet_yml(guest, tmp_path_factory.mktemp("scraped"))
    with exporter(config) as address, Prometheus([address.split("/")[2]]) as prometheus:
        prometheus.wait(
            lambda: (prometheus.value("count_over_time(hostler_host_up[1m])") or 0) >= 6,
            "it scrapes nothing",
        )
        told = json.loads(config.read_text())
        told["metrics_backend"] = "prometheus"
        told["metrics"]["prometheus"] = {"url": prometheus.url, "rate_window": 4}
        with Fleet(FleetConfig.model_validate(told)) as fleet:
            yield prometheus, fleet


def test_prometheus_has_the_same_fields(scraped: tuple[Prometheus, Fleet], fleet: Fleet) -> None:
    collect(fleet, 3)
    _, reading = scraped
    theirs, ours = (of(one, interval="1m", aggregation="last") for one in (reading, fleet))
    assert theirs.source == "prometheus"
    assert (theirs.vm_id, theirs.name, theirs.host, theirs.status) == (
        *(ours.vm_id, ours.name),
        *(ours.host, ours.status),
    )
    same(theirs.metrics, ours.metrics)
    [host] = reading.metrics.hosts(interval="1m", aggregation="last")
    [mine] = fleet.metrics.hosts(interval="1m", aggregation="last")
    same(host.metrics, mine.metrics, but={"cpu.usage_percent", "memory.free_gb"})
    assert [pool.name for pool in host.pools] == [pool.name for pool in mine.pools]
    for pool, other in zip(host.pools, mine.pools, strict=True):
        same(pool.metrics, other.metrics)
    web = of(reading, hours=1, metrics="cpu.usage_percent,state.up", aggregation="max")
    assert web.history
    assert web.history.values["state.up"][0] is None
    assert web.history.values["state.up"][-1] == 1
    system = reading.metrics.system(interval="1m", metrics="vms,cpu.count")
    assert system.metrics["vms"] == {"total": 2, "running": 1}
    off = of(reading, "off", interval="1m")
    assert (off.status, off.metrics["cpu"]["usage_percent"]) == ("stopped", None)


def same(theirs: Any, ours: Any, but: frozenset[str] | set[str] = frozenset()) -> None:
    """Hold that sizes are equal, and rates known in both."""
    assert {group: set(row) for group, row in theirs.items()} == {
        group: set(row) for group, row in ours.items()
    }
    for group, row in ours.items():
        for name, value in row.items():
            other, full = theirs[group][name], f"{group}.{name}"
            assert (other is None) == (value is None), full
            if value is not None and full not in but and "per" not in full and "mbps" not in full:
                assert other == pytest.approx(value, rel=0.2, abs=5), full


@pytest.mark.fault
def test_a_host_that_dies_is_down_in_prometheus_too(
    scraped: tuple[Prometheus, Fleet], guest: Rig
) -> None:
    prometheus, reading = scraped
    guest.kill_daemon()
    try:
        prometheus.wait(lambda: prometheus.value("hostler_host_up") == 0, "the host is up")
        time.sleep(2)  # values are looked at every second
        [host] = reading.metrics.hosts(interval="1m", aggregation="last")
        assert host.metrics["state"]["up"] == 0
        assert prometheus.value("hostler_vm_up") is None
    finally:
        guest.restart_daemon()


@pytest.mark.fault
def test_prometheus_that_dies(scraped: tuple[Prometheus, Fleet]) -> None:
    prometheus, reading = scraped
    prometheus.stop(by=9)  # type: ignore[arg-type]
    with pytest.raises(Unreachable, match=r"no connection: Connection refused. Check metrics"):
        of(reading, interval="1m")
    time.sleep(2)
    prometheus.start()
    assert of(reading, interval="5m").metrics["state"]["up"] == 1


def test_nothing_can_be_written_by_the_exporter(config: Path) -> None:
    with exporter(config) as address:
        answers = [requests.request(m, address, timeout=10).status_code for m in ("POST", "DELETE")]
    assert set(answers) <= {405, 501}
