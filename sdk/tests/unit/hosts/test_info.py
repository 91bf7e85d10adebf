# SPDX-License-Identifier: Apache-2.0
"""Figures of hosts and of the fleet; the VMs that were last seen."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostler import Fleet
from hostler.errors import NotFound, Unreachable
from hostler.hosts.facts import storage
from hostler.models.host_view import Amount, HostInfo, PoolInfo

from .conftest import MakeFleet
from .nodes import gpu, node, screen, vm

LATE = 0.6


@pytest.fixture
def silent() -> Iterator[str]:
    """A host that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    kept.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield f"qemu+tcp://127.0.0.1:{server.getsockname()[1]}/system"


def read(fleet: Fleet, **more: object) -> HostInfo:
    (info,) = fleet.hosts.info(["one"], **more)  # type: ignore[arg-type]
    return info


@pytest.fixture
def pool(make_fleet: MakeFleet, tmp_path: Path) -> Fleet:
    """Host ``one``: 8 CPUs, 16 GiB, three VMs, two GPUs and a screen."""
    uri = node(
        tmp_path / "one.xml",
        vm("db", cpus=2, memory_mb=4096, labels={"app": "db"}, gpu=3),
        vm("off", cpus=4, memory_mb=8192, running=False),
        vm("web"),
        devices=(gpu(3), gpu(4, pci_class="120000"), screen(5)),
    )
    settings = {"uri": uri, "labels": {"tier": "x"}, "cpu_overcommit": 2, "memory_limit": "15GiB"}
    return make_fleet(hosts={"one": settings})


def test_what_a_host_has(pool: Fleet) -> None:
    info = read(pool, fields=["devices", "load", "capabilities", "vms"])
    assert (info.status, info.reason, info.source) == ("active", None, "fleet.yml")
    assert (info.driver, info.hypervisor_type, info.cpu_cores) == ("TEST", "test", 8)
    assert (info.memory_mb, info.memory_gb, info.memory_free_mb) == (16384, 16.0, None)
    assert info.vms_by_status == {"running": 2, "stopped": 1}
    assert info.used == Amount(cpus=3, memory_mb=5120)
    assert info.allocated == Amount(cpus=7, memory_mb=13312)
    assert info.capacity == Amount(cpus=16, memory_mb=15360)
    assert info.utilization
    assert (info.utilization.cpu_percent, info.utilization.memory_percent) == (37.5, 31.2)
    assert info.pools
    assert info.networks
    assert [one.name for one in info.pools] == ["default"]
    assert [(one.name, one.mode, one.bridge) for one in info.networks] == [("lan", "nat", "virbr9")]
    assert info.capabilities
    assert info.capabilities["domain_types"] == {"i686": ["test"]}
    assert info.load
    assert info.load.average is None
    assert info.uptime_seconds is None


def test_gpus(pool: Fleet) -> None:
    info = read(pool, fields=["devices"])
    assert info.gpus
    assert info.devices
    assert [one.address for one in info.devices] == [f"0000:0{n}:00.0" for n in (3, 4, 5)]
    first, second = info.gpus
    assert (first.kind, first.model, first.vendor) == (
        *("3d", "AD102GL [L40S]", "NVIDIA Corporation"),
    )
    assert (first.iommu_group, first.used_by) == (3, ["db"])
    assert (second.kind, second.used_by) == ("accelerator", [])


def test_a_host_that_can_t_be_reached_is_a_row(pool: Fleet, make_fleet: MakeFleet) -> None:
    hosts = {**pool.config.hosts, "gone": {"uri": "qemu+tcp://127.0.0.1:1/system"}}
    fleet = make_fleet(hosts=hosts)
    gone, one = fleet.hosts.info()
    assert (gone.id, gone.status, gone.cpu_cores, gone.vms_by_status) == (
        *("gone", "unreachable", None, {}),
    )
    assert gone.reason
    assert "Connection refused" in gone.reason
    assert one.status == "active"


@pytest.mark.slow
def test_a_silent_host_holds_nobody_up(pool: Fleet, make_fleet: MakeFleet, silent: str) -> None:
    fleet = make_fleet(hosts={**pool.config.hosts, "late": {"uri": silent}})
    began = time.monotonic()
    late, one = fleet.hosts.info(timeout=LATE)
    assert time.monotonic() - began < LATE + 2
    assert (late.status, one.status) == ("unreachable", "active")
    assert late.reason
    assert f"no answer in {LATE} s" in late.reason
    assert silent in late.reason


def test_names_labels_and_uris_choose(pool: Fleet, tmp_path: Path) -> None:
    assert [info.id for info in pool.hosts.info(["o*"])] == ["one"]
    assert pool.hosts.info(["x*"]) == []
    assert [info.id for info in pool.hosts.info(labels={"tier": "*"})] == ["one"]
    assert pool.hosts.info(labels={"tier": "y"}) == []
    with pytest.raises(NotFound, match="no such host"):
        pool.hosts.info(["two"])
    (other,) = pool.hosts.info(uri=node(tmp_path / "other.xml"))
    assert (other.id, other.source, other.vm_count) == (None, None, 0)


def test_vms_that_were_last_seen(pool: Fleet, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="it was never seen"):
        pool.hosts.vms("one", stored=True)
    now = pool.hosts.vms("one")
    assert [(one.name, one.status, one.host_id) for one in now] == [
        ("db", "running", "one"),
        ("off", "stopped", "one"),
        ("web", "running", "one"),
    ]
    assert now[0].vm["labels"] == {"app": "db"}
    (tmp_path / "one.xml").unlink()
    with pytest.raises(Unreachable, match="--stored"):
        pool.hosts.vms("one")
    time.sleep(0.2)
    stored = pool.hosts.vms("one", stored=True)
    assert [one.vm for one in stored] == [one.vm for one in now]
    assert stored[0].seen_at == now[0].seen_at
    assert stored[0].age_seconds > now[0].age_seconds
    info = read(pool, fields=["vms"])
    assert (info.status, info.vm_count) == ("unreachable", None)
    assert info.vms
    assert [one.name for one in info.vms] == ["db", "off", "web"]


def test_reading_a_host_refreshes_what_is_stored(pool: Fleet, tmp_path: Path) -> None:
    pool.hosts.info()
    node(tmp_path / "one.xml", vm("new"))
    assert [one.name for one in pool.hosts.vms("one", stored=True)] == ["db", "off", "web"]
    pool.hosts.info()
    assert [one.name for one in pool.hosts.vms("one", stored=True)] == ["new"]


def test_sums(pool: Fleet, make_fleet: MakeFleet, tmp_path: Path) -> None:
    two = node(tmp_path / "two.xml", vm("x", cpus=4, memory_mb=8192), devices=(gpu(1),))
    hosts = {
        **pool.config.hosts,
        "two": {"uri": two, "enabled": False},
        "gone": {"uri": "qemu+tcp://127.0.0.1:1/system"},
    }
    stats = make_fleet(hosts=hosts).hosts.stats()
    assert (stats.total_hosts, stats.active_hosts) == (3, 1)
    assert (stats.total_cpu_cores, stats.used_cpu_cores) == (16, 7)
    assert (stats.total_memory_gb, stats.used_memory_gb) == (32.0, 13.0)
    assert (stats.total_storage_gb, stats.used_storage_gb) == (200.0, 0.0)
    assert stats.utilization_percentage == 28.1  # of 43.8, 40.6 and 0 percent
    assert (stats.total_gpus, stats.used_gpus) == (3, 1)
    assert (stats.total_vms, stats.vms_by_status) == (4, {"running": 3, "stopped": 1})
    assert list(stats.unreachable_hosts) == ["gone"]
    assert stats.clouds == []


def test_an_empty_pool_has_sums(fleet: Fleet) -> None:
    stats = fleet.hosts.stats()
    assert (stats.total_hosts, stats.utilization_percentage) == (0, 0.0)


def folder(name: str, used: float, size: float = 100.0, **more: object) -> PoolInfo:
    fields = {"name": name, "type": "dir", "active": True, "capacity_gb": size, **more}
    return PoolInfo.model_validate({**fields, "allocation_gb": used})


@pytest.mark.parametrize(
    ("pools", "expected"),
    [
        ([folder("a", 10), folder("b", 10.01)], [(None, 100.0, 10)]),
        ([folder("a", 10), folder("b", 20)], [(None, 100.0, 10), (None, 100.0, 20)]),
        ([folder("a", 10), folder("b", 10, 50)], [(None, 100.0, 10), (None, 50.0, 10)]),
        ([folder("a", 10), folder("b", 10, type="logical")], [(None, 100.0, 10)] * 2),
        ([folder("a", 5, type="netfs", source="s:/x")], [("s:/x", 100.0, 5)]),
        ([PoolInfo(name="off", active=False)], []),
    ],
)
def test_a_file_system_counts_once(
    pools: list[PoolInfo], expected: list[tuple[str | None, float, float]]
) -> None:
    assert [tuple(one) for one in storage(pools)] == expected


def test_a_cloud_that_does_not_answer_says_so(make_fleet: MakeFleet) -> None:
    stats = make_fleet(openstack={"cloud": "nowhere"}).hosts.stats()
    (cloud,) = stats.clouds
    assert (cloud.name, cloud.status) == ("nowhere", "unreachable")
    assert cloud.reason
    assert "nowhere" in cloud.reason
