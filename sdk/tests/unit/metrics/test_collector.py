# SPDX-License-Identifier: Apache-2.0
"""The collector on libvirt's test driver: what fails in a round does not end it."""

from __future__ import annotations

import socket
import sys
import threading
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from hostler import Fleet
from hostler.config import FleetConfig
from hostler.errors import Unreachable
from hostler.metrics.collector import Collector, Round
from hostler.metrics.raw import Reading
from hostler.metrics.read import Readers

from ..test_store import in_mount

pytestmark = pytest.mark.slow

URI = "test:///default"
NOWHERE = "qemu+tcp://127.0.0.1:1/system"

FILLS_UP = """
import threading
from contextlib import suppress
from pathlib import Path
from hostler import Fleet
from hostler.config import FleetConfig
from hostler.metrics.collector import Collector

config = FleetConfig(store="sqlite:///disk/h.db", metrics={"interval": 1})
with Fleet(config, uri="test:///default") as fleet:
    collector = Collector(fleet, every=0.05)
    collector.collect()
    fill, stop, told = Path("disk/fill"), threading.Event(), []
    with fill.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass

    def tell(one):
        told.append(str(one.error) if one.error else "")
        if len(told) == 30:
            fill.unlink()
        if len(told) == 60:
            stop.set()

    collector.run(stop, tell)
    there = fleet.metrics.vms("test", hours=1, metrics="state.up").vms[0].history
failed = [error for error in told if error]
assert failed, "the disk was never full"
assert all("database or disk is full" in one and "disk space" in one for one in failed), failed
assert told[-20:] == [""] * 20, told[-20:]
assert 1 in there.values["state.up"]
print("ok")
"""


@pytest.fixture
def fleet(tmp_path: Path) -> Any:
    config = {
        "store": f"sqlite:///{tmp_path}/h.db",
        "hosts": {"here": {"uri": URI}, "gone": {"uri": NOWHERE}},
        "connect_timeout": 2,
    }
    with Fleet(FleetConfig.model_validate(config)) as made:
        yield made


@pytest.mark.fault
def test_a_host_that_is_down_is_told_of(fleet: Fleet) -> None:
    found = Collector(fleet).collect()
    assert (found.hosts, found.vms) == (1, 1)
    assert list(found.unreachable) == ["gone"]
    here, gone = sorted(fleet.metrics.hosts(interval="5m"), key=lambda h: h.host_id, reverse=True)
    assert here.metrics["state"] == {"up": 1}
    assert here.metrics["vms"] == {"total": 1, "running": 1}
    assert gone.metrics["state"] == {"up": 0}
    assert gone.metrics["cpu"]["usage_percent"] is None


def test_what_the_driver_does_not_tell_is_none(fleet: Fleet) -> None:
    [vm] = fleet.metrics.vms("test", window=0.1).vms
    assert vm.status == "running"
    values = [v for group, row in vm.metrics.items() if group != "state" for v in row.values()]
    assert set(values) == {None}


@pytest.mark.fault
def test_live_figures_of_a_host_that_is_down(fleet: Fleet) -> None:
    page = fleet.metrics.vms(window=0.1)
    assert [vm.name for vm in page.vms] == ["test"]
    assert list(page.unreachable_hosts) == ["gone"]
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1"):
        fleet.metrics.vms("web", window=0.1)
    rows = {host.host_id: host.status for host in fleet.metrics.hosts(window=0.1)}
    assert rows == {"here": "reachable", "gone": "unreachable"}
    system = fleet.metrics.system(window=0.1)
    assert (system.total_hosts, system.active_hosts) == (2, 1)
    assert list(system.unreachable_hosts) == ["gone"]
    assert system.metrics["vms"]["total"] == 1
    assert system.stats
    assert system.stats["total_hosts"] == 2


def test_rounds_begin_at_multiples(fleet: Fleet) -> None:
    stop, told = threading.Event(), list[Round]()

    def tell(one: Round) -> None:
        told.append(one)
        if len(told) == 4:
            stop.set()

    Collector(fleet, every=0.5).run(stop, tell)
    times = [one.at for one in told]
    assert all(abs(b - a - 0.5) < 0.2 for a, b in pairwise(times)), times


@pytest.mark.fault
def test_a_full_disk_is_said_and_the_next_rounds_go_on(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    script = 'mount -t tmpfs -o size=4m none disk; exec "$@"'
    ran = in_mount(tmp_path, script, sys.executable, "-c", FILLS_UP)
    assert (ran.stdout, ran.stderr) == ("ok\n", "")


@pytest.mark.fault
def test_a_store_that_can_not_be_opened_is_said(tmp_path: Path) -> None:
    (tmp_path / "h.db").write_bytes(b"no database" * 1000)
    told: list[Round] = []
    stop = threading.Event()

    def tell(one: Round) -> None:
        told.append(one)
        stop.set()

    with Fleet(FleetConfig(store=f"sqlite:///{tmp_path}/h.db"), uri=URI) as fleet:
        Collector(fleet, every=1).run(stop, tell)
    assert told[0].error
    assert "not a database" in str(told[0].error)


@pytest.mark.fault
def test_a_host_that_hangs_is_not_asked_again_meanwhile() -> None:
    """It takes connections and says nothing; each of several rounds is over in its time."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"qemu+tcp://127.0.0.1:{silent.getsockname()[1]}/system"
        readers = Readers(connect_timeout=3)
        first = readers.read({"slow": uri}, 0.1)
        second = readers.read({"slow": uri}, 0.1)
        silent.settimeout(0.5)
        assert silent.accept()
        with pytest.raises(TimeoutError):
            silent.accept()
    assert not isinstance(first["slow"], Reading)
    assert "no answer in 0.1 s" in str(first["slow"])
    assert not isinstance(second["slow"], Reading)


@pytest.mark.parametrize(
    ("opened", "asked", "expected"),
    [
        ({}, {}, {"here": URI, "gone": NOWHERE}),
        ({"uri": URI}, {}, {"here": URI}),
        ({"host": "gone"}, {}, {"gone": NOWHERE}),
        ({}, {"uri": "test:///other"}, {"test:///other": "test:///other"}),
        ({"uri": URI}, {"host": "gone"}, {"gone": NOWHERE}),
    ],
)
def test_which_hosts_are_meant(
    tmp_path: Path, opened: dict[str, str], asked: dict[str, str], expected: dict[str, str]
) -> None:
    """The pool comes before the URI of the configuration, and what is named before both."""
    config = {
        "store": f"sqlite:///{tmp_path}/h.db",
        "uri": "test:///configured",
        "hosts": {"here": {"uri": URI}, "gone": {"uri": NOWHERE}},
    }
    with Fleet(FleetConfig.model_validate(config), **opened) as fleet:  # type: ignore[arg-type]
        assert fleet.metrics.targets(**asked) == expected


def test_without_a_pool_the_fleets_own_uri_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LIBVIRT_DEFAULT_URI", raising=False)
    config = FleetConfig(store=f"sqlite:///{tmp_path}/h.db", uri="test:///configured")
    with Fleet(config) as fleet:
        assert fleet.metrics.targets() == {"test:///configured": "test:///configured"}
