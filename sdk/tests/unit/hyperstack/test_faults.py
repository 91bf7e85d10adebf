# SPDX-License-Identifier: Apache-2.0
"""Everything that may go wrong on the way.

Afterwards: no second VM, nobody else's firewalls changed, nothing left behind that no error names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hostler import Fleet
from hostler.errors import HostlerError, PlanFailed
from hostler.models.hyperstack_task import HyperstackResult
from hostler.testing.hyperstack import FakeHyperstack, Row

from .conftest import ENV, NEW, MakeFleet

pytestmark = [pytest.mark.fault, pytest.mark.slow]

VMS = "/core/virtual-machines"
WHOLE: dict[str, Any] = {**NEW, "floating_ip": True, "volumes": ["data"]}
"""A VM that takes three steps: created, waited for, given a volume."""

CALLS_OF_A_CREATION = 21
"""More calls than a creation makes (checked below): each is made to fail in turn."""


def run(fleet: Fleet, **task: Any) -> HyperstackResult:
    (result,) = fleet.hyperstack.vms.run([{**NEW, **task}])
    return result


@pytest.fixture
def world(fake: FakeHyperstack) -> FakeHyperstack:
    """A volume; a guarded VM of somebody else."""
    fake.add_volume("data", ENV)
    other = fake.add_vm("other", ENV, image="Ubuntu 22.04", flavor="n3-L40x1")
    fake.attach(fake.add_firewall("guard", ENV), other)
    return fake


def check_nothing_is_lost(world: FakeHyperstack) -> None:
    assert world.attached("guard") == ["other"]
    assert [vm["name"] for vm in world.vms].count("web-1") <= 1
    created = [c for c in world.calls if (c.method, c.path) == ("POST", VMS)]
    assert len(created) <= 1, "a creation was repeated"


# A VM is made


def test_answer_lost_after_create(fleet: Fleet, world: FakeHyperstack) -> None:
    world.lose("POST", VMS)
    result = run(fleet)
    assert (result.error, result.changed) == (None, True)
    assert world.vm("web-1")
    check_nothing_is_lost(world)


@pytest.mark.parametrize("status", [429, 500, 502, 504])
@pytest.mark.parametrize("acts", [True, False])
def test_create_answered_with_an_error_that_may_be_none(
    fleet: Fleet, world: FakeHyperstack, status: int, *, acts: bool
) -> None:
    world.fail("POST", VMS, status, acts=acts, html=status == 502)
    result = run(fleet)
    assert (result.error is None) == acts
    assert bool(world.vm("web-1")) == acts
    check_nothing_is_lost(world)


def test_a_vm_that_is_listed_late_is_found(fleet: Fleet, world: FakeHyperstack) -> None:
    world.lose("POST", VMS)
    hidden: list[Row] = []

    def hide() -> None:
        hidden.append(world.vms.pop())

    def show() -> None:
        world.vms.append(hidden.pop())

    world.before(hide, "GET", VMS, call=3)
    world.before(show, "GET", VMS, call=5)
    assert run(fleet).error is None
    check_nothing_is_lost(world)


def test_answer_lost_before_create(fleet: Fleet, world: FakeHyperstack) -> None:
    world.lose("POST", VMS, acts=False)
    result = run(fleet)
    assert result.error_code == "plan_failed"
    assert "could not create VM web-1" in str(result.error)
    assert world.vm("web-1") is None
    check_nothing_is_lost(world)


def test_answer_lost_and_nobody_can_say_what_became_of_it(
    make_fleet: MakeFleet, world: FakeHyperstack
) -> None:
    fleet = make_fleet(retries=0)
    world.lose("POST", VMS)
    world.before(lambda: world.fail("*", "*", 500, times=999), "POST", VMS)
    result = run(fleet)
    assert "Whether it took effect could not be found out" in str(result.error)
    assert result.changed
    world.heal()
    (left,) = fleet.journal.list(unfinished=True)
    fleet.runner.resume(left.plan.id)
    vm = world.vm("web-1")
    assert vm
    assert vm["status"] == "ACTIVE"
    check_nothing_is_lost(world)


def test_a_vm_goes_into_error(fleet: Fleet, world: FakeHyperstack) -> None:
    world.broken.add("web-1")
    result = run(fleet)
    assert "it went into ERROR: No valid host was found" in str(result.error)
    assert "Undone again: create VM web-1" in str(result.error)
    assert world.vm("web-1") is None
    check_nothing_is_lost(world)


def test_a_vm_takes_too_long(fleet: Fleet, world: FakeHyperstack) -> None:
    world.build_seconds = 2
    result = run(fleet, wait_timeout=1)
    assert "it does not run in 1 s" in str(result.error)
    vm = world.vm("web-1")
    assert vm is None or "Still in effect: create VM web-1" in str(result.error)


def test_a_vm_is_deleted_by_somebody_else_meanwhile(fleet: Fleet, world: FakeHyperstack) -> None:
    world.before(world.vms.pop, "GET", f"{VMS}/*", call=3)
    result = run(fleet)
    assert "it is not there" in str(result.error)
    check_nothing_is_lost(world)


def test_somebody_takes_the_name_before_us(fleet: Fleet, world: FakeHyperstack) -> None:
    (plan,) = fleet.hyperstack.vms.plan([NEW])
    made = {"image": "Debian 12", "flavor": "n3-L40x8"}
    world.before(lambda: world.add_vm("web-1", ENV, **made), "POST", VMS)  # type: ignore[arg-type]
    with pytest.raises(PlanFailed, match="exists already"):
        plan.apply()
    vm = world.vm("web-1")
    assert vm
    assert vm["image"]["name"] == "Debian 12"


def test_another_s_vm_of_the_name_is_not_taken_for_ours(
    fleet: Fleet, world: FakeHyperstack
) -> None:
    (plan,) = fleet.hyperstack.vms.plan([NEW])
    made = {"image": "Debian 12", "flavor": "n3-L40x8"}
    world.before(lambda: world.add_vm("web-1", ENV, **made), "POST", VMS)  # type: ignore[arg-type]
    world.lose("POST", VMS)
    with pytest.raises(PlanFailed):
        plan.apply()
    assert world.vm("web-1")


def test_two_plans_for_one_vm(fleet: Fleet, world: FakeHyperstack) -> None:
    plans = [*fleet.hyperstack.vms.plan([NEW]), *fleet.hyperstack.vms.plan([NEW])]
    done = fleet.runner.run_many(plans)
    assert sorted(isinstance(one, HostlerError) for one in done) == [False, True]
    assert world.vm("web-1")
    assert [vm["name"] for vm in world.vms].count("web-1") == 1


def test_the_calls_of_a_creation(fleet: Fleet, world: FakeHyperstack) -> None:
    assert run(fleet, **WHOLE).error is None
    kinds = {(call.method, call.path.rpartition("/")[2]) for call in world.calls}
    assert ("POST", "attach-volumes") in kinds
    distinct = len({(c.method, c.path) for c in world.calls})
    assert distinct < CALLS_OF_A_CREATION


@pytest.mark.parametrize("number", range(1, CALLS_OF_A_CREATION + 1))
@pytest.mark.parametrize("how", ["500", "429", "lost", "html"])
def test_each_call_fails_in_turn(
    make_fleet: MakeFleet, world: FakeHyperstack, number: int, how: str
) -> None:
    """With and without repeating, it is made, or undone, or told what is left."""
    fleet = make_fleet(retries=0)
    if how == "lost":
        world.lose(call=number)
    else:
        world.fail(status=502 if how == "html" else int(how), call=number, html=how == "html")
    try:
        error = run(fleet, **WHOLE).error
    except HostlerError as failure:  # reading before or after
        error = str(failure)
    check_nothing_is_lost(world)
    vm = world.vm("web-1")
    if vm is None:
        assert error
        assert world.volumes[0]["status"] == "available"
        return
    if error is None:
        assert world.volumes[0]["status"] == "in-use"
        return
    unfinished = fleet.journal.list(unfinished=True)
    finished = [p for p in fleet.journal.list() if p.status == "done"]
    assert unfinished or finished, "a VM is there that no plan tells of"
    for plan in unfinished:
        assert "web-1" in error
        fleet.runner.undo(plan.plan.id)
        assert world.vm("web-1") is None


def test_a_storm_of_429_passes(fleet: Fleet, world: FakeHyperstack) -> None:
    world.fail("GET", "*", 429, times=4)
    world.fail("GET", f"{VMS}/*", 429, times=4)
    assert run(fleet, **WHOLE).error is None
    check_nothing_is_lost(world)


@pytest.mark.parametrize("number", range(1, 16))
def test_the_key_is_revoked_midway(fleet: Fleet, world: FakeHyperstack, number: int) -> None:
    key = world.api_key
    world.before(world.revoke, call=number)
    try:
        error = str(run(fleet, **WHOLE).error)
    except HostlerError as failure:
        error = str(failure)
    assert "the API key is not accepted" in error
    check_nothing_is_lost(world)
    world.api_key = key
    if world.vm("web-1"):
        stored = fleet.journal.list()[0]
        assert stored.status == "done" or "Still in effect: create VM web-1" in error
        fleet.runner.undo(stored.plan.id)
        assert world.vm("web-1") is None


# A VM is deleted


@pytest.mark.parametrize("acts", [True, False])
def test_answer_lost_at_delete(fleet: Fleet, world: FakeHyperstack, *, acts: bool) -> None:
    run(fleet)
    world.lose("DELETE", "*", acts=acts)
    result = run(fleet, state="absent")
    assert (result.error is None) == acts
    assert world.count("DELETE", world.calls[-1].path) <= 1
    if not acts:
        assert run(fleet, state="absent").error is None
    world.change_seconds = 0
    assert world.vm("web-1") is None or acts


def test_deleted_twice_at_once(fleet: Fleet, world: FakeHyperstack) -> None:
    run(fleet)
    world.change_seconds = 0.2
    plans = [
        *fleet.hyperstack.vms.plan([{**NEW, "state": "absent"}]),
        *fleet.hyperstack.vms.plan([{**NEW, "state": "absent"}]),
    ]
    assert not [d for d in fleet.runner.run_many(plans) if isinstance(d, HostlerError)]
    assert world.vm("web-1") is None


def test_it_is_made_between_the_refusal_and_the_look(fleet: Fleet, world: FakeHyperstack) -> None:
    world.create_seconds = 60
    run(fleet, wait=False)
    vm = world.vm("web-1")
    assert vm
    world.before(lambda: vm.update(status="ACTIVE"), "GET", f"{VMS}/{vm['id']}", call=3)
    assert run(fleet, state="absent").error is None
    assert sum(call.method == "DELETE" for call in world.calls) == 2
    assert world.vm("web-1") is None


def test_a_deletion_that_is_refused_for_good(fleet: Fleet, world: FakeHyperstack) -> None:
    run(fleet)
    world.fail("DELETE", "*", 400, message="A snapshot is being taken")
    result = run(fleet, state="absent")
    assert "A snapshot is being taken" in str(result.error)
    assert world.vm("web-1")


# A VM is changed


CHANGES: list[tuple[str, dict[str, Any], Callable[[Row], Any]]] = [
    ("label", {"labels": ["x"]}, lambda vm: vm["labels"] == ["x"]),
    ("attach-floatingip", {"floating_ip": True}, lambda vm: bool(vm["floating_ip"])),
    ("attach-volumes", {"volumes": ["data"]}, lambda vm: len(vm["volume_attachments"]) == 1),
    ("attach-callback", {"callback_url": "https://x"}, lambda vm: bool(vm["callback_url"])),
    (
        "sg-rules",
        {"security_rules": [{"port_range_min": 22}]},
        lambda vm: len(vm["security_rules"]) == 1,
    ),
    ("stop", {"state": "stopped"}, lambda vm: vm["status"] == "SHUTOFF"),
    ("hibernate", {"state": "hibernated"}, lambda vm: vm["status"] == "HIBERNATED"),
]


@pytest.mark.parametrize(("verb", "task", "done"), CHANGES, ids=[c[0] for c in CHANGES])
@pytest.mark.parametrize("how", ["lost after", "lost before", "500", "500 after", "400"])
def test_a_change_is_not_answered(
    fleet: Fleet,
    world: FakeHyperstack,
    verb: str,
    task: dict[str, Any],
    done: Callable[[Row], Any],
    how: str,
) -> None:
    run(fleet)
    path, after = f"*/{verb}", "after" in how
    if "lost" in how:
        world.lose("*", path, acts=after)
    else:
        world.fail("*", path, int(how.split(maxsplit=1)[0]), acts=after)
    result = run(fleet, **task)
    assert (result.error is None) == after, result.error
    assert sum(call.path.endswith(verb) for call in world.calls) == 1
    again = run(fleet, **task)
    assert again.error is None
    vm = world.vm("web-1")
    assert vm
    assert done(vm)


def test_a_restart_whose_answer_is_lost_is_not_repeated(
    fleet: Fleet, world: FakeHyperstack
) -> None:
    run(fleet)
    world.change_seconds = 0.3
    world.lose("GET", "*/hard-reboot")
    assert run(fleet, state="rebooted").error is None
    assert sum(call.path.endswith("hard-reboot") for call in world.calls) == 1


def test_the_second_change_fails_and_the_first_is_undone(
    fleet: Fleet, world: FakeHyperstack
) -> None:
    run(fleet, labels=["old"])
    world.fail("POST", "*/attach-floatingip", 402, message="Not enough credit")
    result = run(fleet, labels=["new"], floating_ip=True)
    assert "the balance is too low: Not enough credit" in str(result.error)
    assert "Add credit" in str(result.error)
    vm = world.vm("web-1")
    assert vm
    assert vm["labels"] == ["old"]


# Firewalls


def attach(fleet: Fleet, **more: Any) -> HyperstackResult:
    task = {"firewall": "guard", "environment": ENV, "vms": ["web-1"], **more}
    return fleet.hyperstack.firewalls.attach(task)


@pytest.mark.parametrize("number", range(1, 7))
@pytest.mark.parametrize("how", ["500", "403", "html", "lost"])
def test_no_firewall_is_written_after_a_read_that_failed(
    make_fleet: MakeFleet, world: FakeHyperstack, number: int, how: str
) -> None:
    """The reads before the write: environment, VMs, firewalls, VM, firewalls, VM."""
    fleet = make_fleet(retries=0)
    run(fleet)
    if how == "lost":
        world.lose("GET", call=number)
    else:
        world.fail("GET", "*", 502 if how == "html" else int(how), call=number, html=how == "html")
    try:
        error = attach(fleet).error
    except HostlerError as failure:
        error = str(failure)
    assert error
    assert not [c for c in world.calls if c.path.endswith("attach-firewalls")]
    assert world.attached("guard") == ["other"]


@pytest.mark.parametrize("acts", [True, False])
@pytest.mark.parametrize("how", ["lost", "500", "429"])
def test_attaching_is_not_answered(
    fleet: Fleet, world: FakeHyperstack, how: str, *, acts: bool
) -> None:
    run(fleet)
    if how == "lost":
        world.lose("POST", "*/attach-firewalls", acts=acts)
    else:
        world.fail("POST", "*/attach-firewalls", int(how), acts=acts)
    result = attach(fleet)
    assert (result.error is None) == acts
    assert world.attached("guard") == (["other", "web-1"] if acts else ["other"])
    assert sum(c.path.endswith("attach-firewalls") for c in world.calls) == 1


def test_the_second_vm_fails_and_the_first_is_detached_again(
    fleet: Fleet, world: FakeHyperstack
) -> None:
    run(fleet)
    run(fleet, name="web-2")
    world.fail("POST", "*/attach-firewalls", 400, call=2)
    result = attach(fleet, vms=["web-1", "web-2"])
    assert "Undone again" in str(result.error)
    assert world.attached("guard") == ["other"]


@pytest.mark.parametrize("number", range(1, 16))
def test_each_call_of_attaching_fails_in_turn(
    make_fleet: MakeFleet, world: FakeHyperstack, number: int
) -> None:
    fleet = make_fleet(retries=0)
    run(fleet)
    world.fail(status=500, call=number)
    try:
        attach(fleet)
    except HostlerError:
        assert number < 8
    assert "other" in world.attached("guard")


@pytest.mark.parametrize("acts", [True, False])
@pytest.mark.parametrize(
    ("method", "path", "task"),
    [
        ("POST", "/core/firewalls", {"rules": [{"port_range_min": 1}]}),
        ("POST", "/core/firewalls/*/firewall-rules", {"rules": [{"port_range_min": 1}]}),
    ],
)
def test_making_a_firewall_is_not_answered(
    fleet: Fleet, world: FakeHyperstack, method: str, path: str, task: dict[str, Any], *, acts: bool
) -> None:
    world.lose(method, path, acts=acts)
    result = fleet.hyperstack.firewalls.run({"name": "new", "environment": ENV, **task})
    assert (result.error is None) == acts
    made = [f for f in world.firewalls if f["name"] == "new"]
    assert [len(f["rules"]) for f in made] == ([1] if acts else [])


@pytest.mark.parametrize("acts", [True, False])
def test_making_an_environment_or_a_key_is_not_answered(
    fleet: Fleet, world: FakeHyperstack, *, acts: bool
) -> None:
    world.lose("POST", "/core/environments", acts=acts)
    world.lose("POST", "/core/keypairs", acts=acts)
    wanted = {"name": "lab", "region": "US-1"}
    key = {"name": "me", "environment": ENV, "public_key": "ssh-ed25519 AAAA"}
    results = [fleet.hyperstack.environments.run(wanted), fleet.hyperstack.keypairs.run(key)]
    assert [result.error is None for result in results] == [acts] * 2
    assert ("lab" in [e["name"] for e in world.environments]) == acts
    assert ("me" in [k["name"] for k in world.keypairs]) == acts
