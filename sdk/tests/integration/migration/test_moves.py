# SPDX-License-Identifier: Apache-2.0
"""VMs move between two real hosts."""

from __future__ import annotations

import time
from typing import Any

import libvirt
import pytest

from hostler import Fleet
from hostler.config import FleetConfig
from hostler.errors import InvalidInput

from .moves import (
    B_SSH,
    C_TLS,
    RUNNING,
    STOPPED,
    A,
    B,
    C,
    Pair,
    disk_of,
    hosts,
    make,
    move,
    places,
    volumes,
)


@pytest.mark.parametrize(
    "options", [{}, {"peer_to_peer": True}, {"mode": "paused", "compression": True}], ids=str
)
def test_a_running_vm_moves(pair: Pair, fleet: Fleet, options: dict[str, Any]) -> None:
    make(pair[0], network="default")
    percent: list[float] = []
    planned = move(fleet, check=True, **options)
    assert (planned.status, places()) == ("planned", {A: RUNNING})
    done = move(fleet, told=lambda _, f: percent.append(f.percent if f else 0), **options)
    assert (done.status, done.runs_on, done.error) == ("migrated", B, None)
    assert done.plan
    assert planned.plan
    assert done.plan.commands == planned.plan.commands
    assert done.downtime is not None
    assert done.data
    assert max(percent) == 100
    assert places() == {B: RUNNING}
    again = move(fleet, **options)
    assert (again.status, again.changed, places()) == ("unchanged", False, {B: RUNNING})


@pytest.mark.parametrize("start", [True, False])
def test_disks_are_copied(pair: Pair, fleet: Fleet, start: bool) -> None:
    make(pair[0], disk=16, start=start)
    with disk_of("a", "m1.qcow2").open("r+b") as disk:
        disk.write(b"marked")
    done = move(fleet, storage="copy")
    assert (done.status, done.error) == ("migrated", None)
    assert places() == {B: RUNNING if start else STOPPED}
    assert disk_of("b", "m1.qcow2").read_bytes()[:6] == b"marked"
    assert disk_of("b", "m1.qcow2").stat().st_size == 16 << 20


def test_storage_that_both_have(pair: Pair, fleet: Fleet) -> None:
    """The rig's shared folder, of which libvirt can't tell that it is."""
    make(pair[0], disk=1, shared=True)
    refused = move(fleet)
    assert refused.error
    assert "storage: copy, or unsafe: true" in refused.error
    assert (places(), refused.runs_on) == ({A: RUNNING}, A)
    done = move(fleet, unsafe=True)
    assert (done.status, done.error, places()) == ("migrated", None, {B: RUNNING})
    assert volumes() == []


def test_definitions_stay_where_that_is_wanted(pair: Pair, fleet: Fleet) -> None:
    make(pair[0])
    done = move(fleet, undefine_source=False)
    assert (done.status, places()) == ("migrated", {A: STOPPED, B: RUNNING})
    assert done.runs_on == B


def test_a_host_of_the_pool_by_ssh(pair: Pair, fleet: Fleet) -> None:
    make(pair[0])
    assert fleet.hosts.run([{"id": "kvm2", "uri": B_SSH}])[0].error is None
    done = move(fleet, target_host="kvm2")
    assert (done.status, done.error, done.runs_on) == ("migrated", None, B_SSH)
    assert places() == {B: RUNNING}


def test_by_tls(pair: Pair, fleet: Fleet) -> None:
    make(pair[0])
    done = move(fleet, target_uri=C_TLS)
    assert (done.status, done.error, done.runs_on) == ("migrated", None, C_TLS)
    assert places() == {}
    back = fleet.migrations.run([{"vm": "m1", "target_uri": B}], uri=C_TLS)[0]
    assert (back.status, back.error, places()) == ("migrated", None, {B: RUNNING})


@pytest.mark.fault
def test_a_host_that_does_not_answer_holds_up_nobody(pair: Pair, tmp_path: Any) -> None:
    """It lives, and would answer in half a minute."""
    for name in ("m1", "m2"):
        make(pair[0], name)
    config = FleetConfig(store=f"sqlite:///{tmp_path}/journal.db", connect_timeout=8)
    pid = hosts("exec", "c", "cat", "/run/libvirtd.pid").strip()
    hosts("exec", "c", "kill", "-STOP", pid)
    began, ends = time.monotonic(), []
    try:
        with Fleet(config, uri=A) as fleet:
            slow, quick = fleet.migrations.run(
                [{"vm": "m1", "target_uri": C}, {"vm": "m2", "target_uri": B}],
                on_progress=lambda *_: ends.append(time.monotonic() - began),
            )
    finally:
        hosts("exec", "c", "kill", "-CONT", pid)
    assert slow.error == (f"hypervisor {C}: no answer in 8 s. Is the host up and not overloaded?")
    assert slow.error_code == "timeout"
    assert (quick.status, quick.error) == ("migrated", None)
    assert ends[-1] < 7
    assert time.monotonic() - began < 15
    assert (places(), places("m2")) == ({A: RUNNING}, {B: RUNNING})


def test_a_vm_is_named_once(fleet: Fleet) -> None:
    with pytest.raises(InvalidInput, match="VM 'm1' is named twice"):
        fleet.migrations.run([{"vm": "m1", "target_uri": B}, {"vm": "m1", "target_uri": C}])


def test_paused_vms_stay_paused(pair: Pair, fleet: Fleet) -> None:
    make(pair[0])
    pair[0].lookupByName("m1").suspend()
    done = move(fleet)
    assert (done.status, done.error, done.runs_on) == ("migrated", None, None)
    assert places() == {B: (libvirt.VIR_DOMAIN_PAUSED, True)}
