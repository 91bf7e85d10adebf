# SPDX-License-Identifier: Apache-2.0
"""Maintenance that goes wrong: no VM is lost, none runs twice, and what is reported is so."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import libvirt
import pytest

from hostler import Fleet
from hostler.errors import HostlerError
from hostler.models.host_maintenance import HostMaintenanceResult

from .guests import OFF, PAUSED, RUNNING, make, places, run_on, volumes, wait_for
from .hypervisors import Hypervisors, MakePool
from .test_maintenance import TEN, maintain, targets

pytestmark = pytest.mark.fault

DRAIN = [{"host": "a", "state": "drained"}]
SLOW: dict[str, Any] = {"storage": "copy", "bandwidth": 8}


class Started:
    """The program that is lost, waiting to begin."""

    def __init__(self, fleet: Fleet, tasks: list[dict[str, Any]], moment: str = "never") -> None:
        config = fleet.config.model_dump(mode="json", include={"hosts", "store", "connect_timeout"})
        script = Path(__file__).with_name("drains.py")
        self.process = subprocess.Popen(
            [sys.executable, script, json.dumps(config), json.dumps(tasks), moment],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        assert self.process.stdout.readline() == "ready\n"

    def go(self) -> None:
        """Let it begin."""
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self) -> list[dict[str, Any]] | None:
        """Return what it told at its end; None where it died."""
        told, _ = self.process.communicate(timeout=100)
        return json.loads(told) if told else None


def settled(fleet: Fleet) -> None:
    """Nothing is left half way, and no room is kept for anybody."""
    assert fleet.journal.list(unfinished=True) == []
    claims = fleet.hosts.rooms.reservations.read(["a", "b", "c"])
    assert [claim.vm for claim in claims if claim.settled is None] == []


def during(fleet: Fleet, act: Callable[[], object], **how: Any) -> HostMaintenanceResult:
    """Drain a host slowly, and do something once a VM is on its way."""
    began = threading.Event()

    def told(_progress: object, figures: Any) -> None:
        if figures and figures.total and 0 < figures.percent < 100:
            began.set()

    def fault() -> None:
        assert began.wait(30)
        act()

    thread = threading.Thread(target=fault)
    thread.start()
    (done,) = fleet.hosts.maintenance.run([{**DRAIN[0], **SLOW, **how}], on_progress=told)
    thread.join()
    return done


@pytest.mark.parametrize("moment", ["rested", "moving", "5", "10"])
def test_killed_and_run_again(declared: Fleet, hypervisors: Hypervisors, moment: str) -> None:
    """Killed (-9) while ten VMs are moved, twice, then again."""
    make(hypervisors, "a", TEN)
    for number in range(2):
        lost = Started(declared, DRAIN, moment)
        lost.go()
        assert lost.end() is None or number  # the second may have too few VMs left
    assert declared.hosts.get("a").maintenance
    predicted = maintain(declared, check=True)
    done = maintain(declared)
    assert (done.error, done.drained) == (None, True)
    assert (targets(done), done.changed) == (targets(predicted), predicted.changed)
    there = run_on(hypervisors)
    assert sorted(there) == TEN
    assert sorted(set(there.values())) == ["b", "c"]
    settled(declared)
    assert not maintain(declared).changed
    if moment == "5":
        back = maintain(declared, state="active", return_vms=True)
        assert back.error is None
        assert run_on(hypervisors) == dict.fromkeys(TEN, "a")


def test_killed_while_the_source_s_daemon_goes_on(
    declared: Fleet, hypervisors: Hypervisors
) -> None:
    names = TEN[:3]
    make(hypervisors, "a", names)
    lost = Started(declared, [{**DRAIN[0], "peer_to_peer": True}], "moving")
    lost.go()
    assert lost.end() is None
    done = maintain(declared)
    assert (done.error, done.drained) == (None, True)
    there = run_on(hypervisors)
    assert (sorted(there), "a" in there.values()) == (names, False)
    settled(declared)
    assert not maintain(declared).changed


def test_killed_while_disks_are_copied(declared: Fleet, hypervisors: Hypervisors) -> None:
    make(hypervisors, "a", ["v0", "v1"], disk=64)
    lost = Started(declared, [{**DRAIN[0], **SLOW}], "copying")
    lost.go()
    assert lost.end() is None
    assert volumes(hypervisors, "b") + volumes(hypervisors, "c")
    predicted = maintain(declared, check=True, storage="copy")
    done = maintain(declared, storage="copy")
    assert (done.error, done.drained) == (None, True)
    assert targets(predicted) == targets(done) == run_on(hypervisors)
    kept = [*volumes(hypervisors, "b"), *volumes(hypervisors, "c")]
    assert sorted(kept) == ["v0.img", "v1.img"]
    settled(declared)


@contextmanager
def frozen(hypervisors: Hypervisors, host: str) -> Iterator[None]:
    """Stop a host's libvirtd as by SIGSTOP: it holds its connections, and answers nothing."""
    pid = hypervisors.run("exec", host, "cat", "/run/libvirtd.pid").strip()
    hypervisors.run("exec", host, "kill", "-STOP", pid)
    try:
        yield
    finally:
        with suppress(AssertionError):  # it has crashed
            hypervisors.run("exec", host, "kill", "-CONT", pid)


@pytest.fixture
def cut(
    make_pool: MakePool, hypervisors: Hypervisors
) -> Iterator[Callable[[Callable[[], object]], Fleet]]:
    """Give what kills a drain when v0 is on b, and neither host knows it yet; then does more."""
    fleet = make_pool(connect_timeout=4, hosts=hypervisors.declared())
    make(hypervisors, "a", ["v0"], disk=64)

    def cut(then: Callable[[], object]) -> Fleet:
        lost = Started(fleet, [{**DRAIN[0], "storage": "copy", "bandwidth": 16}])
        with closing(libvirt.open(hypervisors.tcp("a"))) as connection:
            domain = connection.lookupByName("v0")
            lost.go()
            wait_for(lambda: domain.jobStats().get("data_remaining"))
            with frozen(hypervisors, "b"):
                wait_for(lambda: domain.state() == [PAUSED, libvirt.VIR_DOMAIN_PAUSED_MIGRATION])
                time.sleep(1)  # the call that ends the move is on its way
                lost.process.kill()
                assert lost.end() is None
                then()
        return fleet

    yield cut
    hypervisors.run("up", "a", "b", "c")


def test_killed_before_the_last_phase(
    cut: Callable[[Callable[[], object]], Fleet], hypervisors: Hypervisors
) -> None:
    """The target goes on with the guest; what stands still on the source is removed."""
    fleet = cut(lambda: None)
    wait_for(lambda: places(hypervisors)["v0"] == [("a", PAUSED), ("b", RUNNING)])
    predicted = maintain(fleet, check=True, storage="copy")
    assert (predicted.error, predicted.changed, predicted.moves) == (None, True, [])
    done = maintain(fleet, storage="copy")
    assert (done.error, done.drained, done.changed, done.moves) == (None, True, True, [])
    assert run_on(hypervisors) == {"v0": "b"}
    settled(fleet)
    assert not maintain(fleet).changed


def test_killed_before_the_last_phase_and_the_target_dies(
    cut: Callable[[Callable[[], object]], Fleet], hypervisors: Hypervisors
) -> None:
    """Nobody can tell where the guest runs while the target is down; then the source's goes on."""
    fleet = cut(lambda: hypervisors.run("crash", "b"))
    for check in (True, False):
        refused = maintain(fleet, check=check, storage="copy")
        assert "where it runs could not be found out" in refused.stuck["v0"]
        assert places(hypervisors)["v0"] == [("a", PAUSED)]
    hypervisors.run("up", "b")
    predicted = maintain(fleet, check=True, storage="copy")
    done = maintain(fleet, storage="copy")
    assert (done.error, done.drained) == (None, True)
    assert targets(predicted) == targets(done) == run_on(hypervisors)
    settled(fleet)


def test_a_target_s_daemon_dies(declared: Fleet, hypervisors: Hypervisors) -> None:
    make(hypervisors, "a", ["v0", "v1"], disk=64)
    done = during(declared, lambda: hypervisors.run("kill-daemon", "b"))
    assert done.error
    assert (done.changed, done.drained) == (True, False)
    assert [(m.name, m.status, m.runs_on) for m in done.moves] == [
        ("v0", "failed", "a"),
        ("v1", "migrated", "c"),
    ]
    assert "not all VMs were moved. v0: " in done.error
    assert declared.hosts.get("a").maintenance
    hypervisors.run("restart-daemon", "b")
    there = {"v0": [("a", RUNNING)], "v1": [("c", RUNNING)]}
    wait_for(lambda: places(hypervisors) == there)
    again = maintain(declared, storage="copy")
    assert (again.error, again.drained) == (None, True)
    assert run_on(hypervisors) == targets(again) | {"v1": "c"}
    settled(declared)


def test_a_target_s_daemon_dies_and_stays_dead(declared: Fleet, hypervisors: Hypervisors) -> None:
    """Its VM goes elsewhere; the volume there is removed once it is back."""
    make(hypervisors, "a", ["v0"], disk=64)
    during(declared, lambda: hypervisors.run("kill-daemon", "b"))
    wait_for(lambda: places(hypervisors)["v0"] == [("a", RUNNING)])
    again = maintain(declared, storage="copy")
    assert (again.error, again.drained, targets(again)) == (None, True, {"v0": "c"})
    assert again.plan
    assert "is still half way" in " ".join(again.plan.warnings)
    hypervisors.run("restart-daemon", "b")
    third = maintain(declared)
    assert (third.error, third.drained, third.moves) == (None, True, [])
    assert run_on(hypervisors) == {"v0": "c"}
    assert volumes(hypervisors, "b") == []
    settled(declared)


@pytest.mark.slow
def test_the_network_between_hosts_is_cut(declared: Fleet, hypervisors: Hypervisors) -> None:
    make(hypervisors, "a", ["v0"], disk=64)
    rules = (
        "add table inet cut; add chain inet cut coming { type filter hook input priority 0 ; }; "
        f"add rule inet cut coming ip saddr {hypervisors.address('b')} drop"
    )
    try:
        done = during(declared, lambda: hypervisors.run("exec", "a", "nft", rules), timeout=4)
        assert done.error
        assert done.drained is False
        assert places(hypervisors)["v0"][0] == ("a", RUNNING)
    finally:
        hypervisors.run("exec", "a", "nft", "delete table inet cut")
        # QEMU, which would try again late, hears at once that the connection is gone
        hypervisors.run("exec", "a", "ss", "--kill", "--tcp", "state", "connected")
    source = declared.hypervisor(hypervisors.tcp("a")).migrations

    def is_still() -> bool:
        try:
            return not source.is_moving("v0")
        except HostlerError:
            return False  # its QEMU does not answer yet

    wait_for(is_still)
    again = maintain(declared, storage="copy")
    assert (again.error, again.drained) == (None, True)
    assert run_on(hypervisors) == targets(again)
    settled(declared)


def test_the_source_s_daemon_is_restarted(declared: Fleet, hypervisors: Hypervisors) -> None:
    make(hypervisors, "a", ["v0"], disk=64)

    def restart() -> None:
        hypervisors.run("kill-daemon", "a")
        hypervisors.run("restart-daemon", "a")

    done = during(declared, restart)
    assert done.error
    wait_for(lambda: places(hypervisors)["v0"] == [("a", RUNNING)])
    again = maintain(declared, storage="copy")
    assert (again.error, again.drained) == (None, True)
    assert run_on(hypervisors) == targets(again)
    settled(declared)


def test_a_host_that_is_down(declared: Fleet, hypervisors: Hypervisors) -> None:
    make(hypervisors, "a", ["v0", "v1"])
    hypervisors.run("kill-daemon", "c")
    done = maintain(declared)
    assert (done.error, targets(done)) == (None, {"v0": "b", "v1": "b"})
    hypervisors.run("kill-daemon", "b")
    lost = maintain(declared, state="active", return_vms=True)
    assert "host b, where it should be, can't be reached" in lost.stuck["v0"]
    assert declared.hosts.get("a").maintenance
    unseen = maintain(declared, "c")
    assert (unseen.error_code, unseen.changed) == ("unreachable", False)
    assert "host 'c': its VMs can't be seen" in str(unseen.error)
    assert not declared.hosts.get("c").maintenance
    woken = maintain(declared, state="active")
    assert (woken.error, woken.changed) == (None, True)
    hypervisors.run("restart-daemon", "b")
    hypervisors.run("restart-daemon", "c")


def test_a_host_that_does_not_answer_holds_nobody_up(
    declared: Fleet, hypervisors: Hypervisors
) -> None:
    make(hypervisors, "a", ["v0", "v1"])
    with frozen(hypervisors, "c"):
        began = time.monotonic()
        done = maintain(declared)
        seconds = time.monotonic() - began
    assert (done.error, targets(done)) == (None, {"v0": "b", "v1": "b"})
    assert seconds < 25  # connect_timeout is 8


def test_two_hosts_drained_onto_each_other_at_once(
    make_pool: MakePool, hypervisors: Hypervisors
) -> None:
    fleet = make_pool(hosts=hypervisors.declared("a", "b"))
    make(hypervisors, "a", ["v0", "v1", "v2"])
    make(hypervisors, "b", ["w0", "w1", "w2"])
    both = [Started(fleet, [{"host": host, "state": "drained"}]) for host in ("a", "b")]
    for one in both:
        one.go()
    told = [(one.end() or [{}])[0] for one in both]
    there = run_on(hypervisors)
    assert len(there) == 6
    assert [result["error"] is None for result in told].count(True) == 1, told
    winner = next(result["name"] for result in told if result["error"] is None)
    assert winner not in there.values()
    loser = next(result for result in told if result["error"] is not None)
    assert (loser["changed"], loser["moves"]) == (False, [])
    assert [host.id for host in fleet.hosts.list() if host.maintenance] == [winner]
    settled(fleet)


def test_a_host_drained_twice_at_once(declared: Fleet, hypervisors: Hypervisors) -> None:
    make(hypervisors, "a", TEN)
    both = [Started(declared, DRAIN) for _ in range(2)]
    for one in both:
        one.go()
    for one in both:
        one.end()
    assert sorted(run_on(hypervisors)) == TEN
    done = maintain(declared)
    assert (done.error, done.drained) == (None, True)
    assert "a" not in run_on(hypervisors).values()
    settled(declared)


def test_room_that_is_given_away_meanwhile(
    make_pool: MakePool, hypervisors: Hypervisors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody takes the room on b between planning and moving: the VM goes to c."""
    hosts = hypervisors.declared("a", "c") | hypervisors.declared("b", cpu_limit=1)
    fleet, other = make_pool(hosts=hosts), make_pool(hosts=hosts)
    make(hypervisors, "a", ["v0"])
    real = fleet.hosts.registry.maintenance.rest

    def rest(host: str, onto: Any = ()) -> None:
        real(host, onto)
        small = {"memory": "64MiB", "networks": [], "virt_type": "qemu"}
        full = {"placement": {"strategy": "pack"}}
        (made,) = other.vms.run([{"name": "quick", **small, **full}])
        assert made.placement
        assert made.placement.host == "b"

    monkeypatch.setattr(fleet.hosts.registry.maintenance, "rest", rest)
    done = maintain(fleet, strategy="pack")
    assert (done.error, done.drained, targets(done)) == (None, True, {"v0": "c"})
    assert places(hypervisors) == {"quick": [("b", OFF)], "v0": [("c", RUNNING)]}
    settled(fleet)
