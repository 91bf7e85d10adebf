# SPDX-License-Identifier: Apache-2.0
"""Moves that go wrong. Whatever fails, the VM is on exactly one host, and the result says which."""

from __future__ import annotations

import os

import pytest

from hostler import Fleet
from hostler.backends.libvirt import connection, migration
from hostler.vms.migration import steps

from .moves import (
    IMAGES,
    NET,
    RUNNING,
    A,
    B,
    Pair,
    cut_off,
    disk_of,
    during,
    hosts,
    inside,
    is_still,
    make,
    move,
    places,
    small_pool,
    volumes,
    wait_for,
)

pytestmark = pytest.mark.fault


SIZE = 96


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait less for what can't come."""
    monkeypatch.setattr(connection, "KEEPALIVE_SECONDS", 1)
    monkeypatch.setattr(migration, "ABORT_SECONDS", 3)
    monkeypatch.setattr(steps, "SETTLE_SECONDS", 1)


def stays(fleet: Fleet) -> None:
    """Hold that the VM is on A alone, nothing is left on B, and it can be moved again."""
    wait_for(lambda: places() == {A: RUNNING} and is_still(fleet))
    assert volumes() == []
    assert move(fleet, storage="copy").status == "migrated"
    assert places() == {B: RUNNING}


@pytest.mark.parametrize("peer_to_peer", [False, True])
def test_aborted(pair: Pair, fleet: Fleet, peer_to_peer: bool) -> None:
    make(pair[0], disk=SIZE)
    done = during(fleet, lambda: fleet.migrations.abort("m1"), peer_to_peer=peer_to_peer)
    assert (done.status, done.runs_on) == ("failed", A)
    assert f"still on {A}" in str(done.error)
    stays(fleet)


def test_too_slow_is_aborted(pair: Pair, fleet: Fleet) -> None:
    make(pair[0], disk=SIZE)
    done = move(fleet, storage="copy", bandwidth=8, timeout=2)
    assert done.error_code == "plan_failed"
    assert "aborted after 2 s" in str(done.error)
    assert done.runs_on == A
    stays(fleet)


@pytest.mark.parametrize("peer_to_peer", [False, True])
def test_the_target_s_daemon_dies(pair: Pair, fleet: Fleet, peer_to_peer: bool) -> None:
    make(pair[0], disk=SIZE)
    done = during(fleet, lambda: hosts("kill-daemon", "b"), peer_to_peer=peer_to_peer)
    assert (done.status, done.runs_on) == ("failed", A)
    hosts("restart-daemon", "b")
    assert done.plan
    assert "Still in effect: create volume" in str(done.error)
    wait_for(lambda: places() == {A: RUNNING})
    fleet.runner.undo(done.plan.id)  # what could not be removed while nobody answered
    stays(fleet)


def test_the_target_s_daemon_is_restarted(pair: Pair, fleet: Fleet) -> None:
    """It answers again at once: nothing is left for anybody to undo."""
    make(pair[0], disk=SIZE)

    def restart() -> None:
        hosts("kill-daemon", "b")
        hosts("restart-daemon", "b")

    done = during(fleet, restart)
    assert (done.status, done.runs_on) == ("failed", A)
    assert "Undone again: create volume m1.qcow2" in str(done.error)
    stays(fleet)


@pytest.mark.parametrize("peer_to_peer", [False, True])
def test_the_source_s_daemon_is_restarted(pair: Pair, fleet: Fleet, peer_to_peer: bool) -> None:
    make(pair[0], disk=SIZE)

    def restart() -> None:
        hosts("kill-daemon", "a")
        hosts("restart-daemon", "a")

    done = during(fleet, restart, peer_to_peer=peer_to_peer)
    assert (done.status, done.runs_on) == ("failed", A)
    assert f"It is still on {A}" in str(done.error)
    assert "Undone again: create volume m1.qcow2" in str(done.error)
    stays(fleet)


def test_the_target_s_qemu_dies(pair: Pair, fleet: Fleet) -> None:
    """As the kernel kills it where memory is out."""
    make(pair[0], disk=SIZE)

    def kill() -> None:
        inside("b", "kill", "-9", inside("b", "cat", "/run/libvirt/qemu/m1.pid").strip())

    done = during(fleet, kill)
    assert (done.status, done.runs_on) == ("failed", A)
    assert f"It is still on {A}" in str(done.error)
    stays(fleet)


def test_the_target_is_out_of_memory(pair: Pair, fleet: Fleet) -> None:
    """It had enough by its own figures, and QEMU gets none."""
    make(pair[0], disk=1, memory=3072)
    pid = inside("b", "cat", "/run/libvirtd.pid").strip()
    inside("b", "prlimit", "--pid", pid, f"--as={3 << 30}:")
    try:
        done = move(fleet, storage="copy")
    finally:
        inside("b", "prlimit", "--pid", pid, "--as=unlimited:")
    assert (done.status, done.runs_on) == ("failed", A)
    assert "Cannot allocate memory" in str(done.error)
    assert "Undone again: create volume m1.qcow2" in str(done.error)
    stays(fleet)


def test_the_target_s_disk_is_filled_meanwhile(pair: Pair, fleet: Fleet) -> None:
    make(pair[0], disk=SIZE)
    disk_of("a", "m1.qcow2").write_bytes(os.urandom(SIZE << 20))

    def fill() -> None:
        inside("b", "sh", "-c", f"dd if=/dev/zero of={IMAGES}/full bs=1M count={SIZE * 2}; true")

    with small_pool(f"{SIZE + 16}m"):
        done = during(fleet, fill)
        assert volumes() == []
    assert (done.status, done.runs_on) == ("failed", A)
    assert "No space left on device" in str(done.error)
    assert f"It is still on {A}" in str(done.error)
    stays(fleet)


@pytest.mark.slow
@pytest.mark.usefixtures("hasty")
def test_the_network_is_cut(pair: Pair, fleet: Fleet) -> None:
    make(pair[0], disk=SIZE)
    with cut_off("a", f"ip saddr {NET}.2") as cut:  # we still reach both
        done = during(fleet, cut, timeout=3)
    # QEMU can't stop copying while the other end is silent: nothing is removed that may be needed
    assert (done.status, done.runs_on) == ("failed", A)
    assert "it is being moved right now" in str(done.error)
    assert volumes() == ["m1.qcow2"]
    assert done.plan
    wait_for(lambda: places() == {A: RUNNING} and is_still(fleet))
    fleet.runner.undo(done.plan.id)
    stays(fleet)


@pytest.mark.slow
@pytest.mark.usefixtures("hasty")
def test_the_target_falls_silent(pair: Pair, fleet: Fleet) -> None:
    """For us too: heartbeats find that out, where no limit is set."""
    make(pair[0], disk=SIZE)
    with cut_off("b", "iif eth0") as cut:
        done = during(fleet, cut)
    assert (done.status, done.runs_on) == ("failed", A)
    assert "the target went away" in str(done.error)
    assert done.plan
    wait_for(lambda: places() == {A: RUNNING} and is_still(fleet))
    fleet.runner.undo(done.plan.id)
    stays(fleet)
