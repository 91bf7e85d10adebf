# SPDX-License-Identifier: Apache-2.0
"""A real guest that counts moves to and fro, in the order of this file: one boot serves all."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest

from hostler import Fleet
from hostler.errors import BackendError, Conflict, PlanError
from hostler.models.vm_migration import MigrationFigures

from ..state import sweep
from .counter import BUSY, FILLED, LOOK, NAME, NAMES, Counter
from .moves import (
    IMAGES,
    NET,
    RUNNING,
    A,
    B,
    MakeFleet,
    disk_of,
    inside,
    is_still,
    places,
    volumes,
    wait_for,
)

MIB = 1 << 20
DIES = Path(__file__).with_name("dies.py")
Lose = Callable[..., tuple[str, str]]


@pytest.fixture(scope="module")
def counter(three: None) -> Iterator[Counter]:  # noqa: ARG001 - up
    for uri in (A, B):
        sweep(uri)
    yield Counter()
    for uri in (A, B):
        sweep(uri)


@pytest.fixture
def fleet(make_fleet: MakeFleet) -> Fleet:
    return make_fleet(A)


def test_what_is_above_the_backing_file_goes_along(counter: Counter, fleet: Fleet) -> None:
    """The first move: its disk without the backing file, which both have, and its seed."""
    wait_for(lambda: _answers(counter), 60)
    counter.ask(FILLED)
    kept = counter.ask(LOOK)
    assert kept.endswith("written")
    done = counter.move(fleet, storage="incremental")
    assert (done.status, done.error, done.runs_on) == ("migrated", None, B)
    assert done.downtime is not None
    assert done.data
    counter.counts_on()
    assert counter.ask(LOOK) == kept
    connection = libvirt.open(B)
    volume = connection.storageVolLookupByPath(f"{IMAGES}/{NAME}.qcow2").XMLDesc()
    connection.close()
    assert f"<path>{IMAGES}/{NAME}-base.raw</path>" in volume
    assert disk_of("b", f"{NAME}.iso").read_bytes() == b"seed" * 512
    assert disk_of("b", f"{NAME}.qcow2").stat().st_size < 4 * MIB


@pytest.mark.parametrize(
    "options",
    [
        {"peer_to_peer": True},
        {"mode": "paused"},
        {"auto_converge": True, "compression": True},
        {"parallel_connections": 3},
        {"post_copy": True},
    ],
    ids=str,
)
def test_no_number_is_missed(counter: Counter, fleet: Fleet, options: dict[str, Any]) -> None:
    kept, before = counter.ask(LOOK), counter.uri
    done = counter.move(fleet, **options)
    assert (done.status, done.error) == ("migrated", None)
    assert done.runs_on == counter.uri != before
    counter.counts_on()
    assert counter.ask(LOOK) == kept


@pytest.fixture
def lost(counter: Counter, tmp_path: Path) -> Lose:
    """Begin to move it in another process, and kill that; returns source and target."""

    def lose(**options: Any) -> tuple[str, str]:
        uri, target = counter.away()
        task = {"vm": NAME, "target_uri": target, "storage": "copy", "bandwidth": 24, **options}
        journal = tmp_path / "journal.db"
        with subprocess.Popen(
            [sys.executable, DIES, uri, journal, json.dumps(task)], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout
            assert process.stdout.readline() == b"moving\n"
            process.kill()
        return uri, target

    return lose


@pytest.mark.fault
@pytest.mark.parametrize("then", ["undo", "resume"])
def test_we_are_killed(counter: Counter, make_fleet: MakeFleet, lost: Lose, then: str) -> None:
    """The daemons give the move up; what was made on the target is there until we are back."""
    uri, target = lost()
    fleet = make_fleet(uri)
    (stored,) = fleet.journal.list()
    wait_for(lambda: places(NAME) == {uri: RUNNING} and is_still(fleet, NAME, uri))
    counter.counts_on()
    assert f"{NAME}.qcow2" in volumes(target, NAME)
    if then == "undo":
        done = fleet.runner.undo(stored.plan.id)
        assert (done.status, counter.uri) == ("undone", uri)
        assert f"{NAME}.qcow2" not in volumes(target, NAME)
    else:
        done = fleet.runner.resume(stored.plan.id)
        assert (done.status, counter.uri) == ("done", target)
        counter.read(uri)
    counter.counts_on()


@pytest.mark.fault
def test_we_are_killed_and_the_daemons_go_on(
    counter: Counter, make_fleet: MakeFleet, lost: Lose
) -> None:
    uri, target = lost(peer_to_peer=True)
    fleet = make_fleet(uri)
    (stored,) = fleet.journal.list()
    for again in (fleet.runner.resume, fleet.runner.undo):
        with pytest.raises(Conflict, match="it is being moved right now"):
            again(stored.plan.id)
    ran = fleet.migrations.run([{"vm": NAME, "target_uri": target, "storage": "copy"}])[0]
    assert "it is being moved right now" in str(ran.error)
    wait_for(lambda: places(NAME) == {target: RUNNING})
    counter.read(uri)
    counter.counts_on()
    assert fleet.runner.resume(stored.plan.id).status == "done"
    assert fleet.journal.load(stored.plan.id).status == "done"
    with pytest.raises(PlanError, match="it is on the target now"):
        fleet.runner.undo(stored.plan.id)
    assert counter.uri == target


def test_figures_and_a_limit(counter: Counter, fleet: Fleet) -> None:
    """What is told meanwhile: how far, how much is left, how fast (as was allowed), how long."""
    told: list[MigrationFigures] = []
    done = counter.move(fleet, bandwidth=24, told=lambda _, f: told.append(f) if f else None)
    assert done.status == "migrated"
    percent = [figures.percent for figures in told]
    assert percent[-1] == 100
    assert len({int(p) for p in percent if 10 < p < 90}) > 3
    left = [figures.remaining for figures in told if figures.total]
    assert left[-1] == 0
    assert max(left) > 50 * MIB
    speeds = [figures.speed for figures in told if figures.speed and 10 < figures.percent < 90]
    assert speeds
    assert 12 * MIB < sum(speeds) / len(speeds) < 30 * MIB
    assert told[-1].downtime == done.downtime
    assert told[-1].processed == done.data
    counter.counts_on()


def test_a_busy_guest_is_suspended(counter: Counter, fleet: Fleet) -> None:
    """It writes more than is carried: without on_timeout that would have no end."""
    counter.ask(BUSY)
    done = counter.move(fleet, bandwidth=24, timeout=2, on_timeout="suspend")
    assert (done.status, done.error, done.runs_on) == ("migrated", None, counter.uri)
    assert done.seconds
    assert done.seconds > 2
    assert done.downtime
    assert done.downtime > 1000
    counter.counts_on()


def test_a_busy_guest_goes_by_post_copy(counter: Counter, fleet: Fleet) -> None:
    ways = {"post_copy": True, "on_timeout": "post-copy"}
    done = counter.move(fleet, bandwidth=24, timeout=2, **ways)
    assert (done.status, done.error, done.runs_on) == ("migrated", None, counter.uri)
    assert done.seconds
    assert done.seconds > 2
    assert done.downtime is not None
    assert done.downtime < done.seconds * 1000
    assert done.data
    assert done.data > 24 * MIB
    counter.counts_on()


@pytest.mark.fault
def test_post_copy_breaks_off(counter: Counter, fleet: Fleet) -> None:
    """Nothing can save the guest then, which is why it must be asked for; that much is said."""
    uri, target = counter.away()
    other = f"{NET}.{2 if target == B else 1}"

    def breaks(_progress: object, _figures: object) -> None:
        if places(NAME).get(uri) == (libvirt.VIR_DOMAIN_PAUSED, True):
            inside(NAMES[uri], "ss", "--kill", "--tcp", "state", "connected", "dst", other)

    ways = {"post_copy": True, "on_timeout": "post-copy"}
    done = counter.move(fleet, bandwidth=8, timeout=1, told=breaks, **ways)
    assert (done.status, done.runs_on) == ("failed", None)
    assert "its move broke off in post-copy: neither host has all of its memory" in str(done.error)
    assert "destroyed and started anew" in str(done.error)
    assert f"{NAME}.qcow2" in volumes(target, NAME)
    assert done.plan
    with pytest.raises(BackendError, match="its move broke off in post-copy"):
        fleet.runner.undo(done.plan.id)


def _answers(counter: Counter) -> bool:
    try:
        return counter.ask("echo yes") == "yes"
    except libvirt.libvirtError:
        return False
