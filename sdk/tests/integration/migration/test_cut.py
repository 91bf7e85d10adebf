# SPDX-License-Identifier: Apache-2.0
"""Our process is killed right before a move's last phase: the source's guest stands still."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import libvirt
import pytest

from hostler import Fleet
from hostler.errors import HostlerError, PlanError

from .moves import RUNNING, A, B, MakeFleet, Pair, hosts, inside, make, places, volumes, wait_for

pytestmark = pytest.mark.fault

DIES = Path(__file__).with_name("dies.py")
STANDS = [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_MIGRATION]
Cut = Callable[..., tuple[Fleet, str]]


@contextmanager
def frozen(host: str) -> Iterator[None]:
    """Stop a host's libvirtd as by SIGSTOP: it holds its connections, and answers nothing."""
    pid = inside(host, "cat", "/run/libvirtd.pid").strip()
    inside(host, "kill", "-STOP", pid)
    try:
        yield
    finally:
        with suppress(AssertionError):  # it has crashed
            inside(host, "kill", "-CONT", pid)


@pytest.fixture
def cut(pair: Pair, make_fleet: MakeFleet, tmp_path: Path) -> Iterator[Cut]:
    """Kill a move when m1 is on B, and neither host knows it yet; returns a fleet and the plan."""
    make(pair[0], disk=64)

    def cut(then: Callable[[], object] = lambda: None) -> tuple[Fleet, str]:
        task = {"vm": "m1", "target_uri": B, "storage": "copy", "bandwidth": 16}
        words = [sys.executable, str(DIES), A, f"{tmp_path}/journal.db", json.dumps(task)]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
            assert process.stdout
            assert process.stdout.readline() == b"moving\n"
            with frozen("b"):
                wait_for(lambda: pair[0].lookupByName("m1").state() == STANDS)
                time.sleep(1)  # the call that ends the move is on its way
                process.kill()
                process.wait()
                then()
        fleet = make_fleet(A)
        (stored,) = fleet.journal.list()
        return fleet, stored.plan.id

    yield cut
    hosts("up", "b")
    hosts("ssh", "b")


@pytest.mark.parametrize("verb", ["resume", "undo"])
def test_the_target_goes_on(cut: Cut, verb: str) -> None:
    """What stands still on the source is removed, whatever becomes of the plan."""
    fleet, plan = cut()
    wait_for(lambda: places().get(B) == RUNNING)
    assert places()[A][0] == libvirt.VIR_DOMAIN_PAUSED
    if verb == "resume":
        assert fleet.runner.resume(plan).status == "done"
    else:
        with pytest.raises(PlanError, match="it is on the target now"):
            fleet.runner.undo(plan)
    assert places() == {B: RUNNING}


@pytest.mark.parametrize("verb", ["resume", "undo"])
def test_the_target_dies(cut: Cut, verb: str) -> None:
    """Nobody can tell where it runs while the target is down; then the source's goes on."""
    fleet, plan = cut(lambda: hosts("crash", "b"))
    run = getattr(fleet.runner, verb)
    with pytest.raises(HostlerError, match="where it runs could not be found out"):
        run(plan)
    hosts("up", "b")
    run(plan)
    assert places() == ({B: RUNNING} if verb == "resume" else {A: RUNNING})
    assert volumes() == (["m1.qcow2"] if verb == "resume" else [])
