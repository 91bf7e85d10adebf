# SPDX-License-Identifier: Apache-2.0
"""VMs on Hyperstack: made, changed in place, brought up and down, deleted."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hostler import Fleet
from hostler.config import Policy
from hostler.errors import HostlerError
from hostler.models.hyperstack_task import HyperstackResult
from hostler.testing.hyperstack import FakeHyperstack

from .conftest import ENV, NEW, MakeFleet

pytestmark = pytest.mark.slow

SSH = {"port_range_min": 22}


def run(fleet: Fleet, **task: Any) -> HyperstackResult:
    (result,) = fleet.hyperstack.vms.run([{**NEW, **task}])
    return result


def test_life_of_a_vm(fleet: Fleet, fake: FakeHyperstack) -> None:
    wanted = {
        "floating_ip": True,
        "labels": ["a", "b"],
        "user_data": "#cloud-config",
        "security_rules": [SSH],
    }
    (predicted,) = fleet.hyperstack.vms.run([{**NEW, **wanted}], check=True)
    assert fake.vm("web-1") is None
    made = run(fleet, **wanted)
    assert (made.error, made.changed) == (None, True)
    assert (predicted.before, predicted.after) == (made.before, made.after)
    assert predicted.plan
    assert made.plan
    assert predicted.plan.commands == made.plan.commands
    assert made.view
    assert made.view["status"] == "ACTIVE"
    assert made.view["floating_ip"].startswith("185.")
    assert fake.vm("web-1")["_user_data"] == "#cloud-config"  # type: ignore[index]
    again = run(fleet, **wanted)
    assert (again.error, again.changed, again.view) == (None, False, made.view)
    gone = run(fleet, state="absent")
    assert (gone.changed, gone.after, gone.seen, fake.vms) == (True, {}, None, [])
    assert not run(fleet, state="absent").changed


def vm_of(fake: FakeHyperstack, **more: Any) -> dict[str, Any]:
    """Have a VM that is as NEW says."""
    return fake.add_vm(
        "web-1", ENV, image=NEW["image"], flavor=NEW["flavor"], key=NEW["key"], **more
    )


def test_changes_in_place(fleet: Fleet, fake: FakeHyperstack) -> None:
    vm = vm_of(fake, labels=["old"], security_rules=[fake.rule(port_range_min=80)])
    volume = fake.add_volume("data", ENV)
    wanted: dict[str, Any] = {
        "labels": ["new"],
        "floating_ip": True,
        "security_rules": [SSH],
        "volumes": ["data"],
        "callback_url": "https://example.com/x",
    }
    result = run(fleet, **wanted)
    assert result.error is None
    assert result.plan
    assert len(result.plan.commands) == 5
    assert vm["labels"] == ["new"]
    assert vm["floating_ip"]
    assert sorted(r["port_range_min"] for r in vm["security_rules"]) == [22, 80]
    assert (volume["status"], vm["callback_url"]) == ("in-use", "https://example.com/x")
    assert not run(fleet, **wanted).changed
    back: dict[str, Any] = {
        "labels": [],
        "floating_ip": False,
        "security_rules": [SSH],
        "purge_rules": True,
        "volumes": [],
        "purge_volumes": True,
        "callback_url": "",
    }
    assert run(fleet, **back).error is None
    assert [r["port_range_min"] for r in vm["security_rules"]] == [22]
    assert (vm["labels"], vm["floating_ip"], vm["callback_url"]) == ([], None, None)
    assert volume["status"] == "available"
    assert not run(fleet, **back).changed


def test_a_callback_is_replaced(fleet: Fleet, fake: FakeHyperstack) -> None:
    vm = vm_of(fake, callback_url="https://example.com/1")
    assert run(fleet, callback_url="https://example.com/2").changed
    assert vm["callback_url"] == "https://example.com/2"


def test_labels_that_only_come_to_those_there_are(fleet: Fleet, fake: FakeHyperstack) -> None:
    vm_of(fake, labels=["old"])
    fake.labels_add = True
    result = run(fleet, labels=["new"])
    assert "Hyperstack took the labels and shows new, old" in str(result.error)
    assert not run(fleet, labels=["old", "new"]).error


POWER = [
    ("ACTIVE", "started", "ACTIVE", 0),
    ("SHUTOFF", "started", "ACTIVE", 1),
    ("HIBERNATED", "started", "ACTIVE", 1),
    ("ACTIVE", "stopped", "SHUTOFF", 1),
    ("SHUTOFF", "stopped", "SHUTOFF", 0),
    ("ERROR", "stopped", "SHUTOFF", 1),
    ("ACTIVE", "hibernated", "HIBERNATED", 1),
    ("SHUTOFF", "hibernated", "HIBERNATED", 2),
    ("HIBERNATED", "hibernated", "HIBERNATED", 0),
    ("HIBERNATED", "restored", "ACTIVE", 1),
    ("ACTIVE", "restored", "ACTIVE", 0),
    ("ACTIVE", "rebooted", "ACTIVE", 1),
    ("ERROR", "rebooted", "ACTIVE", 1),
    ("SHUTOFF", "present", "SHUTOFF", 0),
]


@pytest.mark.parametrize(("before", "state", "after", "steps"), POWER)
def test_power(
    fleet: Fleet, fake: FakeHyperstack, before: str, state: str, after: str, steps: int
) -> None:
    vm = vm_of(fake, status=before)
    result = run(fleet, state=state)
    assert result.error is None
    assert result.plan
    assert (vm["status"], len(result.plan.commands)) == (after, steps)
    assert result.after["status"] == after


@pytest.mark.parametrize(
    ("before", "state"),
    [
        ("HIBERNATED", "stopped"),
        ("SHUTOFF", "restored"),
        ("SHUTOFF", "rebooted"),
        ("ERROR", "started"),
        ("ERROR", "hibernated"),
        ("PRE_ACTIVE", "stopped"),
    ],
)
def test_there_is_no_way(fleet: Fleet, fake: FakeHyperstack, before: str, state: str) -> None:
    vm_of(fake, status=before)
    result = run(fleet, state=state)
    assert (result.error_code, result.changed) == ("conflict", False)
    assert f"it is {before}, so that it can't be {state}" in str(result.error)


def test_it_keeps_its_address_while_it_hibernates(fleet: Fleet, fake: FakeHyperstack) -> None:
    vm = vm_of(fake, floating_ip=True)
    run(fleet, state="hibernated")
    assert vm["floating_ip"]
    run(fleet, state="restored")
    run(fleet, state="hibernated", retain_ip=False)
    assert vm["floating_ip"] is None


def test_it_is_brought_up_to_be_changed_and_down_afterwards(
    fleet: Fleet, fake: FakeHyperstack
) -> None:
    vm = vm_of(fake, status="HIBERNATED")
    assert run(fleet, state="started", floating_ip=True).error is None
    assert vm["floating_ip"]
    result = run(fleet, state="hibernated", security_rules=[SSH])
    assert result.error is None
    assert vm["status"] == "HIBERNATED"
    assert len(vm["security_rules"]) == 1


def test_a_change_that_needs_it_awake_says_so(fleet: Fleet, fake: FakeHyperstack) -> None:
    vm_of(fake, status="HIBERNATED")
    result = run(fleet, floating_ip=True)
    assert "it is HIBERNATED, and must be ACTIVE or SHUTOFF for this" in str(result.error)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"flavor": "n3-L40x8"}, "flavor is n3-L40x1, not n3-L40x8"),
        ({"image": "Debian 12"}, "image is Ubuntu 22.04, not Debian 12"),
        ({"key": "other"}, "key is ops, not other"),
    ],
)
def test_what_is_fixed_stays(
    fleet: Fleet, fake: FakeHyperstack, change: dict[str, str], words: str
) -> None:
    vm_of(fake)
    result = run(fleet, **change)
    assert result.error_code == "conflict"
    assert words in str(result.error)
    assert "recreate: true" in str(result.error)


def test_recreate(fleet: Fleet, fake: FakeHyperstack) -> None:
    old = vm_of(fake, labels=["kept"], floating_ip=True)
    result = run(fleet, flavor="n3-L40x8", recreate=True)
    assert result.error is None
    assert result.plan
    assert "is lost" in result.plan.warnings[0]
    (new,) = fake.vms
    assert new["id"] != old["id"]
    assert (new["flavor"]["name"], new["labels"]) == ("n3-L40x8", ["kept"])
    assert new["floating_ip"]
    assert not run(fleet, flavor="n3-L40x8", recreate=True).changed


@pytest.mark.parametrize(
    ("task", "code", "words"),
    [
        ({"image": "Windows"}, "not_found", "no image 'Windows' in region CANADA-1"),
        ({"flavor": "n9"}, "not_found", "no flavor 'n9' in region CANADA-1 (there: n1-cpu-small"),
        ({"key": "none"}, "not_found", "no key 'none' in environment"),
        ({"environment": "nowhere"}, "not_found", "no environment 'nowhere'"),
        ({"image": None, "key": None}, "invalid_input", "a new VM needs image, key"),
        ({"state": "stopped"}, "not_found", "no such VM that could be stopped"),
        ({"volumes": ["none"]}, "not_found", "no volume 'none'"),
        ({"name": "taken"}, "conflict", "a VM of another environment has it"),
    ],
)
def test_what_can_not_be_made(
    fleet: Fleet, fake: FakeHyperstack, task: dict[str, Any], code: str, words: str
) -> None:
    fake.add_vm("taken", "default-NORWAY-1", image="Ubuntu 22.04", flavor="n3-L40x1")
    result = run(fleet, **task)
    assert result.error_code == code
    assert words in str(result.error)
    assert fake.count("POST", "/core/virtual-machines") == 0


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 51}, "name"),
        ({"labels": "a"}, "labels"),
        ({"state": "dancing"}, "state"),
        ({"security_rules": [{"protocol": "tcpp"}]}, "security_rules[0].protocol"),
        ({"security_rules": [{"remote_ip_prefix": "x"}]}, "must be a network"),
        ({"security_rules": [{"remote_ip_prefix": "::/0"}]}, "of IPv6"),
        ({"security_rules": [{"port_range_max": 1}]}, "needs port_range_min"),
        ({"security_rules": [{"port_range_min": 9, "port_range_max": 1}]}, "is below"),
        ({"volumes": ["x"] * 11}, "volumes"),
        ({"nmae": "x"}, "nmae: there is no such option"),
    ],
)
def test_bad_input(fleet: Fleet, fake: FakeHyperstack, task: dict[str, Any], words: str) -> None:
    with pytest.raises(HostlerError) as caught:
        fleet.hyperstack.vms.plan([{**NEW, **task}])
    assert caught.value.code == "invalid_input"
    assert words in str(caught.value)
    assert fake.calls == []


def test_a_vm_is_named_once(fleet: Fleet) -> None:
    with pytest.raises(HostlerError, match="named twice"):
        fleet.hyperstack.vms.run([NEW, NEW])


def test_a_full_environment(fleet: Fleet, fake: FakeHyperstack) -> None:
    fake.environments[0]["_max_vms"] = 0
    assert "the environment is full (0 VMs)" in str(run(fleet).error)


def test_no_stock_is_a_warning_and_hyperstack_s_refusal(fleet: Fleet, fake: FakeHyperstack) -> None:
    fake.flavors[0]["_stock"] = 0
    result = run(fleet)
    assert result.plan
    assert "out of stock" in result.plan.warnings[0]
    assert "There is not enough stock of n3-L40x1 (400 Bad Request)" in str(result.error)
    assert fake.vms == []


@pytest.mark.parametrize("kind", ["hard", "soft"])
def test_an_image_for_other_flavors(fleet: Fleet, fake: FakeHyperstack, kind: str) -> None:
    fake.images[0]["flavor_restrictions"] = {
        "has_flavor_restrictions": True,
        "restriction_type": kind,
        "compatible_flavors": [{"id": 1, "name": "n3-L40x8"}],
    }
    error = str(run(fleet).error)
    assert ("is not for flavor 'n3-L40x1'" in error) == (kind == "hard")


def test_many_side_by_side(fleet: Fleet, fake: FakeHyperstack) -> None:
    tasks = [{**NEW, "name": f"w{n}"} for n in range(12)] + [{**NEW, "name": "x", "image": "no"}]
    results = fleet.hyperstack.vms.run(tasks)
    assert [r.error is None for r in results] == [True] * 12 + [False]
    assert len(fake.vms) == 12
    assert fake.count("GET", "/core/environments") == 1


def test_without_waiting(fleet: Fleet, fake: FakeHyperstack) -> None:
    fake.create_seconds = 0.3
    made = run(fleet, wait=False)
    assert made.view
    assert made.view["status"] == "CREATING"
    again = run(fleet)
    assert again.view
    assert (again.changed, again.view["status"]) == (False, "ACTIVE")
    gone = run(fleet, state="absent", wait=False)
    assert gone.changed
    assert not run(fleet, state="absent").changed


def test_a_vm_that_is_still_being_created_is_deleted(fleet: Fleet, fake: FakeHyperstack) -> None:
    run(fleet, wait=False)
    result = run(fleet, state="absent")
    assert (result.error, fake.vms) == (None, [])


def test_a_name_that_is_just_going_is_waited_for(fleet: Fleet, fake: FakeHyperstack) -> None:
    fake.change_seconds = 0.2
    old = vm_of(fake)
    run(fleet, state="absent", wait=False)
    made = run(fleet)
    assert made.error is None
    assert made.view
    assert made.view["id"] != old["id"]


def test_twins_are_not_guessed_about(fleet: Fleet, fake: FakeHyperstack) -> None:
    ids = [vm_of(fake)["id"], vm_of(fake)["id"]]
    result = run(fleet, state="absent")
    assert f"there are 2 of that name (ids {ids[0]}, {ids[1]})" in str(result.error)


def test_protected(make_fleet: MakeFleet, fake: FakeHyperstack) -> None:
    vm_of(fake, floating_ip=True)
    fleet = make_fleet(Policy(protected=("web-*",)))
    for harm in (
        {"state": "absent"},
        {"state": "stopped"},
        {"state": "hibernated"},
        {"state": "rebooted"},
        {"floating_ip": False},
        {"flavor": "n3-L40x8", "recreate": True},
    ):
        assert run(fleet, **harm).error_code == "policy", harm
    assert run(fleet, labels=["x"]).error is None
    assert run(fleet, state="stopped", override_protection=True).error is None


def test_read_only(make_fleet: MakeFleet, fake: FakeHyperstack) -> None:
    fleet = make_fleet(Policy(read_only=True))
    assert run(fleet).error_code == "policy"
    vm_of(fake)
    assert run(fleet).error is None


def test_secret_user_data_is_shown_by_its_digest(fleet: Fleet) -> None:
    (plan,) = fleet.hyperstack.vms.plan([{**NEW, "user_data": "hunter2"}])
    text = json.dumps([plan.commands, plan.after, [s.dump() for s in plan.steps]])
    assert "hunter2" not in text
    assert text.count("sha256:f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7") > 1
    assert "api_key: ****" in plan.commands[0]


def test_undo(fleet: Fleet, fake: FakeHyperstack) -> None:
    fleet.hyperstack.vms.plan([NEW])[0].apply()
    vm = fake.vms[0]
    volume = fake.add_volume("data", ENV)
    change: dict[str, Any] = {
        "labels": ["x"], "floating_ip": True, "security_rules": [SSH], "volumes": ["data"],
        "callback_url": "https://example.com", "state": "stopped",
    }  # fmt: skip
    (plan,) = fleet.hyperstack.vms.plan([{**NEW, **change}])
    plan.apply()
    assert vm["status"] == "SHUTOFF"
    plan.undo()
    assert (vm["status"], vm["labels"], vm["floating_ip"]) == ("ACTIVE", [], None)
    assert (vm["security_rules"], vm["volume_attachments"]) == ([], [])
    assert (vm["callback_url"], volume["status"]) == (None, "available")


def test_a_plan_is_stored_and_loaded(fleet: Fleet, fake: FakeHyperstack) -> None:
    vm_of(fake)
    (plan,) = fleet.hyperstack.vms.plan([{**NEW, "security_rules": [SSH], "state": "stopped"}])
    plan.apply()
    stored = fleet.journal.load(plan.id).plan
    assert [s.command for s in stored.steps] == plan.commands


Filter = Callable[[Fleet], list[str]]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, ["a1", "a2", "b1"]),
        ({"names": ["a*"]}, ["a1", "a2"]),
        ({"environment": ENV}, ["a1", "a2"]),
        ({"environment": "default"}, []),
        ({"status": ["shutoff"]}, ["a2"]),
        ({"labels": ["x", "y"]}, ["a1"]),
    ],
)
def test_list(
    fleet: Fleet, fake: FakeHyperstack, filters: dict[str, Any], names: list[str]
) -> None:
    common = {"image": "Ubuntu 22.04", "flavor": "n3-L40x1"}
    fake.add_vm("a1", ENV, labels=["x", "y", "z"], **common)  # type: ignore[arg-type]
    fake.add_vm("a2", ENV, status="SHUTOFF", labels=["x"], **common)  # type: ignore[arg-type]
    fake.add_vm("b1", "default-NORWAY-1", **common)  # type: ignore[arg-type]
    assert [vm.name for vm in fleet.hyperstack.vms.list(**filters)] == names


def test_extra(fleet: Fleet, fake: FakeHyperstack) -> None:
    vm = vm_of(fake, _events=[{"message": "made"}])
    fake.attach(fake.add_firewall("guard", ENV), vm)
    names = {"metrics", "events", "logs", "firewalls"}
    seen = fleet.hyperstack.vms.get("web-1", environment=ENV, extra=names, log_lines=2)
    assert seen.metrics
    assert seen.metrics["cpu"]["unit"] == "ns"
    assert seen.events == ({"message": "made"},)
    assert seen.logs
    assert seen.logs.count("\n") == 1
    assert seen.firewalls
    assert seen.firewalls[0].name == "guard"


def test_unknown_words_and_fields_are_kept(fleet: Fleet, fake: FakeHyperstack) -> None:
    vm_of(fake, status="RECONCILING", novelty={"a": 1}, labels=None)
    (seen,) = fleet.hyperstack.vms.list()
    assert (seen.status, seen.settled, seen.labels) == ("RECONCILING", False, ())
    assert seen.model_dump()["novelty"] == {"a": 1}
