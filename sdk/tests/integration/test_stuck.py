# SPDX-License-Identifier: Apache-2.0
"""libvirtd, or one call of it, is stuck: it costs its time limit, and nobody else's time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from hostler import Fleet
from hostler.backends.libvirt import connection, domains
from hostler.errors import HostlerError, PlanFailed
from hostler.plan.outcome import Progress

from .conftest import MakeFleet
from .rig import Rig
from .test_defects import halting, run

pytestmark = pytest.mark.fault

EMULATOR = "/var/lib/libvirt/images/slow-qemu"
SCRIPT = f"""cat > {EMULATOR} <<'END' && chmod 755 {EMULATOR}
#!/bin/sh
case "$*" in *guest=stuck*) sleep 8 ;; esac
exec /usr/bin/qemu-system-x86_64 "$@"
END"""
"""An emulator that is slow to say its first word, for one of its VMs."""


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "KEEPALIVE_SECONDS", 1)
    monkeypatch.setattr(domains, "START_SECONDS", 3)
    monkeypatch.setattr(domains, "CALL_SECONDS", 3)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


@pytest.mark.usefixtures("impatient")
def test_start_that_hangs(host: Rig, fleet: Fleet) -> None:
    """The others start meanwhile; whether it will run once is said to be unknown."""
    host.inside("sh", "-c", SCRIPT)
    names = ["a", "stuck", "z"]
    for name in names:
        run(fleet, name=name, xml=halting(name, f"<emulator>{EMULATOR}</emulator>"))
    with within(8):
        results = fleet.vms.run([{"name": name, "state": "running"} for name in names], parallel=3)
    assert [r.error is None for r in results] == [True, False, True]
    assert "no answer in 3 s" in str(results[1].error)
    deadline = time.monotonic() + 60
    while fleet.vms.get("stuck").status != "running" and time.monotonic() < deadline:
        time.sleep(0.5)
    assert {vm.name: vm.status for vm in fleet.vms.list()} == dict.fromkeys(names, "running")


@pytest.mark.usefixtures("impatient")
def test_daemon_that_hangs_before_a_read(host: Rig, fleet: Fleet) -> None:
    run(fleet, name="v", xml=halting("v"))
    with host.frozen_daemon(), within(10), pytest.raises(HostlerError) as caught:
        fleet.vms.list()
    assert caught.value.code in ("unreachable", "timeout")
    assert [vm.name for vm in fleet.vms.list()] == ["v"]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("number", [0, 1])
def test_daemon_that_hangs_before_a_step(
    host: Rig, fleet: Fleet, make_fleet: MakeFleet, number: int
) -> None:
    """Define and start: what was left is finished by another process once the daemon goes on."""
    object.__setattr__(fleet.config, "connect_timeout", 1)
    [plan] = fleet.vms.plan([{"name": "v", "xml": halting("v"), "state": "running"}])
    with ExitStack() as frozen:

        def freeze(progress: Progress) -> None:
            if (progress.number, progress.fraction) == (number + 1, 0.0):
                frozen.enter_context(host.frozen_daemon())

        with within(20), pytest.raises(PlanFailed) as caught:
            plan.apply(freeze)
    assert caught.value.outcome.status == "failed"
    again = make_fleet(host.uri)
    again.runner.resume(plan.id)
    assert again.vms.get("v").status == "running"
