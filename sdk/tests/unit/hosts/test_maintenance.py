# SPDX-License-Identifier: Apache-2.0
"""Maintenance, planned: what can't leave its host, and what is kept of a host."""

from __future__ import annotations

from typing import Any

import pytest

from hostler.backends.libvirt.domains import DomainState
from hostler.backends.libvirt.volumes import VolumeState
from hostler.config import Policy
from hostler.errors import InvalidInput, PolicyError
from hostler.hosts.maintenance.planner import (
    cannot,
    guard,
    needs,
    obstacle_of,
    plan_rest,
    plan_wake,
)
from hostler.hosts.maintenance.steps import NoteAway, RestHost, WakeHost
from hostler.models.host_maintenance import Away, HostMaintenanceTask, Record
from hostler.models.placement import RULES, PlacementRequest, PlacementRules
from hostler.models.size import MIB
from hostler.plan.plan import Plan
from hostler.plan.step import Step
from hostler.vms.migration.steps import SendVolume
from hostler.vms.migration.world import Source
from hostler.vms.volume_steps import CreateVolume

RESTS = Record(resting=True, away={"u1": Away(vm="web", host="b"), "u2": Away(vm="db", host="c")})


def task(**fields: Any) -> HostMaintenanceTask:
    return HostMaintenanceTask.model_validate({"host": "a", "state": "drained", **fields})


def domain(devices: str = "", *, runs: bool = True) -> DomainState:
    xml = f"<domain type='kvm'><name>web</name><devices>{devices}</devices></domain>"
    return DomainState(
        name="web",
        uuid="u1",
        status="running" if runs else "stopped",
        persistent=True,
        inactive_xml=xml,
        active_xml=xml if runs else None,
        autostart=False,
        managed_save=False,
    )


PCI = "<hostdev mode='subsystem' type='pci'/><hostdev mode='subsystem' type='usb'/>"


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ({}, None),
        ({"moving": True}, "it is being moved already: wait for that"),
        ({"cut": True}, "it stands still since a move that was cut off"),
        ({"snapshots": 1}, "it has a snapshot, and libvirt moves no VM that has: remove them"),
        ({"snapshots": 3}, "it has 3 snapshots, and"),
        ({"domain": domain(PCI)}, "it uses devices of its host (pci, usb): unplug them, or stop"),
        ({"domain": domain(PCI, runs=False)}, None),
        ({"policy": Policy(protected=("w*",))}, "it is protected: say override_protection: true"),
        ({"policy": Policy(protected=("w*",)), "task": task(override_protection=True)}, None),
    ],
)
def test_what_can_t_leave_its_host(found: dict[str, Any], why: str | None) -> None:
    given = {"snapshots": 0, "moving": False, "cut": False, **found}
    on = (given.pop("domain", domain()), given.pop("task", task()), given.pop("policy", Policy()))
    said = obstacle_of(*on, **given)
    assert said == why if why is None or said is None else said.startswith(why)


@pytest.mark.parametrize(
    ("policy", "fields", "why"),
    [
        (Policy(read_only=True), {"state": "active"}, "the fleet is read-only"),
        (Policy(protected=("a",)), {}, "it is protected, and this would drain it"),
    ],
)
def test_policy(policy: Policy, fields: dict[str, Any], why: str) -> None:
    with pytest.raises(PolicyError, match=why):
        guard(task(**fields), policy)
    guard(task(), Policy(protected=("b",)))
    guard(task(state="active"), Policy(protected=("a",)))
    guard(task(override_protection=True), Policy(protected=("a",)))


def test_a_host_rests_once() -> None:
    plan = plan_rest("a", None, ["c", "b", "c"])
    assert plan.steps == [RestHost(id="a", onto=("b", "c"))]
    assert plan_rest("a", Record(away=RESTS.away), []).steps == [RestHost(id="a")]
    assert plan_rest("a", RESTS, []).steps == []


def test_a_host_is_woken_once() -> None:
    assert plan_wake("a", None, []).steps == []
    plan = plan_wake("a", RESTS, ["u2"])
    assert plan.steps == [WakeHost(id="a", keep=("u2",), before=RESTS)]
    awake = Record(away={"u2": RESTS.away["u2"]})
    assert plan_wake("a", awake, ["u2"]).steps == []
    assert plan_wake("a", awake, []).steps == [WakeHost(id="a", before=awake)]


def test_the_room_that_copies_take() -> None:
    sizes = {"one": 10, "two": 20, "three": 40}
    volumes = {
        f"/x/{name}": VolumeState("default", name, f"/x/{name}", 900, size, "raw", None)
        for name, size in sizes.items()
    }
    source = Source("test:///a", None, None, volumes)
    to = {"uri": "test:///b"}
    steps: list[Step] = [
        CreateVolume(**to, pool="p", name="one", capacity=900, format="raw"),
        SendVolume(**to, pool="p", name="two", from_uri="test:///a", path="/x/two"),
        SendVolume(**to, pool="q", name="three", from_uri="test:///a", path="/x/three"),
    ]
    request = PlacementRequest(vm="web", memory=MIB)
    plan = Plan(target="vm/web", summary="", steps=steps)
    assert needs(request, plan, source).pools == {"p": 30, "q": 40}


def test_all_that_is_stuck_is_named() -> None:
    error = cannot(task(), {"web": "it is busy", "db": "no host suits"})
    assert str(error) == (
        "host 'a': it can't be drained. web: it is busy; db: no host suits."
        " Nothing was touched. partial: true moves the others."
    )
    assert "get its VMs back" in str(cannot(task(state="active"), {"web": "it is busy"}))


def test_rules_that_hold_wherever_a_vm_is() -> None:
    rules = PlacementRules(strategy="pack", anti_affinity={"app": "db"}, host_labels={"ssd": "*"})
    text = rules.dump()
    assert text
    kept = PlacementRules.load({RULES: text, "owner": "ops"}, "db1")
    assert kept == rules.model_copy(update={"strategy": "spread"})
    assert PlacementRules(strategy="pack").dump() is None
    assert PlacementRules.load({}, "db1") == PlacementRules()
    for bad in ("", "no", "[]", '{"affinity": 3}', '{"other": 1}'):
        with pytest.raises(InvalidInput, match=r"VM 'db1': its metadata .* no placement rules"):
            PlacementRules.load({RULES: bad}, "db1")


@pytest.mark.parametrize(
    "step",
    [
        RestHost(id="a", onto=("b",)),
        WakeHost(id="a", keep=("u1",), before=RESTS),
        NoteAway(id="a", uuid="u1", vm="web", to="b"),
        NoteAway(id="a", uuid="u1", vm="web", to=None, before="c"),
    ],
    ids=lambda step: step.summary,
)
def test_steps(fleet: Any, step: Any) -> None:
    records = fleet.hosts.registry.maintenance
    before = None
    if isinstance(step, WakeHost):
        records.restore("a", RESTS)
        before = RESTS
    elif getattr(step, "before", None):
        before = Record(away={"u1": Away(vm="web", host="c")})
        records.restore("a", before)
    assert not step.is_done(fleet)
    step.apply(fleet, lambda _: None)
    assert step.is_done(fleet)
    step.apply(fleet, lambda _: None)
    step.undo(fleet)
    assert records.find("a") == before
    assert step.load(step.dump()) == step
    assert step.command.startswith("# ")
