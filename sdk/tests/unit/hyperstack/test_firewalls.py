# SPDX-License-Identifier: Apache-2.0
"""Firewalls: rules are a set; what is attached beside what we attach stays so."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostler import Fleet
from hostler.config import Policy
from hostler.errors import Conflict, HostlerError, InvalidInput, NotFound, PlanFailed, PolicyError
from hostler.models.hyperstack_rule import Rule, WantedRule, differences
from hostler.testing.hyperstack import FakeHyperstack, Row

from .conftest import ENV, MakeFleet

pytestmark = pytest.mark.slow

SSH = {"port_range_min": 22}
WEB = {"port_range_min": 80, "port_range_max": 443, "remote_ip_prefix": "10.1.2.3/8"}
GUARD = {"name": "guard", "environment": ENV}


def ports(firewall: Row) -> list[int]:
    return sorted(rule["port_range_min"] for rule in firewall["rules"])


def vms(fake: FakeHyperstack, *names: str) -> list[Row]:
    common: dict[str, Any] = {"image": "Ubuntu 22.04", "flavor": "n3-L40x1"}
    return [fake.add_vm(name, ENV, **common) for name in names]


# Firewalls


def test_life_of_a_firewall(fleet: Fleet, fake: FakeHyperstack) -> None:
    firewalls = fleet.hyperstack.firewalls
    wanted = {**GUARD, "description": "for all", "rules": [SSH, WEB]}
    predicted = firewalls.run(wanted, check=True)
    assert fake.firewalls == []
    made = firewalls.run(wanted)
    assert made.error is None
    assert (predicted.before, predicted.after) == (made.before, made.after)
    assert made.after["rules"] == [
        "ingress tcp 22 from 0.0.0.0/0",
        "ingress tcp 80-443 from 10.0.0.0/8",
    ]
    assert made.view
    assert made.view["description"] == "for all"
    assert not firewalls.run(wanted).changed
    changed = firewalls.run({**GUARD, "rules": [SSH, {"port_range_min": 25}]})
    assert changed.changed
    assert ports(fake.firewalls[0]) == [22, 25]
    assert not firewalls.run(GUARD).changed
    assert firewalls.run({**GUARD, "rules": []}).changed
    assert firewalls.run({**GUARD, "state": "absent"}).changed
    assert fake.firewalls == []
    assert not firewalls.run({**GUARD, "state": "absent"}).changed


def test_twins_go_and_none_are_made(fleet: Fleet, fake: FakeHyperstack) -> None:
    firewall = fake.add_firewall("guard", ENV, [SSH, {**SSH, "port_range_max": 22}, SSH])
    result = fleet.hyperstack.firewalls.run({**GUARD, "rules": [SSH, SSH, WEB, WEB]})
    assert result.error is None
    assert ports(firewall) == [22, 80]


def test_one_that_is_attached_stays(fleet: Fleet, fake: FakeHyperstack) -> None:
    fake.attach(fake.add_firewall("guard", ENV), *vms(fake, "web"))
    with pytest.raises(Conflict, match="it is attached to web"):
        fleet.hyperstack.firewalls.run({**GUARD, "state": "absent"})


def test_a_description_that_differs_is_a_warning(fleet: Fleet, fake: FakeHyperstack) -> None:
    fake.add_firewall("guard", ENV)
    plan = fleet.hyperstack.firewalls.plan({**GUARD, "description": "other"})
    assert plan.warnings == ["the description of a firewall can't be changed"]


def test_undo_of_rules(fleet: Fleet, fake: FakeHyperstack) -> None:
    firewall = fake.add_firewall("guard", ENV, [SSH])
    plan = fleet.hyperstack.firewalls.plan({**GUARD, "rules": [WEB]})
    plan.apply()
    assert ports(firewall) == [80]
    plan.undo()
    assert ports(firewall) == [22]


def test_a_firewall_of_another_environment_is_another(fleet: Fleet, fake: FakeHyperstack) -> None:
    fake.add_firewall("guard", "default-NORWAY-1", [WEB])
    assert fleet.hyperstack.firewalls.run({**GUARD, "rules": [SSH]}).changed
    assert [ports(f) for f in fake.firewalls] == [[80], [22]]


def test_no_environment(fleet: Fleet) -> None:
    with pytest.raises(NotFound, match="no environment 'x'"):
        fleet.hyperstack.firewalls.run({**GUARD, "environment": "x"})
    assert not fleet.hyperstack.firewalls.run(
        {**GUARD, "environment": "x", "state": "absent"}
    ).changed


# Rules


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"remote_ip_prefix": "0.0.0.0/0"}),
        ({"protocol": "TCP"}, {"protocol": "tcp"}),
        (SSH, {"port_range_min": 22, "port_range_max": 22}),
        ({"remote_ip_prefix": "10.1.2.3/8"}, {"remote_ip_prefix": "10.0.0.0/8"}),
        ({"ethertype": "IPv6"}, {"ethertype": "IPv6", "remote_ip_prefix": "0::0/0"}),
    ],
)
def test_the_same_rule(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert WantedRule(**one).key == Rule(**other).key
    assert Rule(**WantedRule(**one).payload()).key == Rule(**other).key


rules = st.lists(
    st.builds(
        WantedRule,
        direction=st.sampled_from(["ingress", "egress"]),
        port_range_min=st.integers(1, 4),
    )
).map(tuple)


@given(wanted=rules, have=rules)
def test_differences_lead_from_one_to_the_other(
    wanted: tuple[WantedRule, ...], have: tuple[WantedRule, ...]
) -> None:
    missing, extra = differences(wanted, have)
    left = list(have)
    for rule in extra:
        left.remove(rule)  # type: ignore[arg-type]
    keys = [rule.key for rule in [*left, *missing]]
    assert len(keys) == len(set(keys))
    assert set(keys) == {rule.key for rule in wanted}
    assert not {rule.key for rule in missing} & {rule.key for rule in left}


# Attachments


@pytest.fixture
def guarded(fake: FakeHyperstack) -> FakeHyperstack:
    """A firewall on a and b; another one on a, b and c."""
    guard, other = fake.add_firewall("guard", ENV), fake.add_firewall("other", ENV)
    a, b, c = vms(fake, "a", "b", "c")
    for firewall, vm in [(guard, a), (guard, b), (other, a), (other, b), (other, c)]:
        fake.attach(firewall, vm)
    return fake


def attach(fleet: Fleet, *names: str, state: str = "present", **more: Any) -> Any:
    task = {"firewall": "guard", "environment": ENV, "vms": names, "state": state, **more}
    return fleet.hyperstack.firewalls.attach(task)


ATTACHED = [
    ("present", ["c"], ["a", "b", "c"], 1),
    ("present", ["a", "b"], ["a", "b"], 0),
    ("present", ["a", "c"], ["a", "b", "c"], 1),
    ("absent", ["a"], ["b"], 1),
    ("absent", ["c", "gone"], ["a", "b"], 0),
    ("absent", ["a", "b"], [], 2),
    ("exact", ["c"], ["c"], 3),
    ("exact", ["a", "b"], ["a", "b"], 0),
    ("exact", [], [], 2),
]


@pytest.mark.parametrize(("state", "names", "after", "steps"), ATTACHED)
def test_attachments(
    fleet: Fleet,
    guarded: FakeHyperstack,
    state: str,
    names: list[str],
    after: list[str],
    steps: int,
) -> None:
    plan = fleet.hyperstack.firewalls.plan_attachments(
        {"firewall": "guard", "environment": ENV, "vms": names, "state": state}
    )
    assert len(plan.steps) == steps
    result = attach(fleet, *names, state=state)
    assert (result.error, result.changed) == (None, bool(steps))
    assert guarded.attached("guard") == after
    assert guarded.attached("other") == ["a", "b", "c"]
    assert not attach(fleet, *names, state=state).changed


def test_ids_are_as_good_as_names(fleet: Fleet, guarded: FakeHyperstack) -> None:
    firewall, vm = guarded.firewalls[0]["id"], guarded.vms[2]["id"]
    assert attach(fleet, str(vm), firewall=str(firewall)).changed
    assert guarded.attached("guard") == ["a", "b", "c"]


def test_undo_of_attachments(fleet: Fleet, guarded: FakeHyperstack) -> None:
    task = {"firewall": "guard", "environment": ENV, "vms": ["c"], "state": "exact"}
    plan = fleet.hyperstack.firewalls.plan_attachments(task)
    plan.apply()
    plan.undo()
    assert guarded.attached("guard") == ["a", "b"]
    assert guarded.attached("other") == ["a", "b", "c"]


def test_it_is_in_effect_when_it_is_said_to_be(fleet: Fleet, guarded: FakeHyperstack) -> None:
    guarded.change_seconds = 0.2
    result = attach(fleet, "c")
    assert {a["status"] for a in result.view["attachments"]} == {"SUCCESS"}
    guarded.change_seconds = 60
    late = attach(fleet, "c", state="absent", wait_timeout=1)
    assert "not in effect in 1 s" in str(late.error)


def test_what_others_lose_is_put_back_once(fleet: Fleet, guarded: FakeHyperstack) -> None:
    guarded.forgetful = 1
    assert attach(fleet, "c").error is None
    assert guarded.attached("guard") == guarded.attached("other") == ["a", "b", "c"]
    attach(fleet, "c", state="absent")
    guarded.forgetful = 99
    result = attach(fleet, "c")
    assert "Hyperstack took firewalls from other VMs" in str(result.error)


def test_a_lost_vm_that_is_gone_is_not_missed(fleet: Fleet, guarded: FakeHyperstack) -> None:
    guarded.before(lambda: guarded.vms.pop(0), "POST", "*/attach-firewalls")
    guarded.forgetful = 1
    assert attach(fleet, "c").error is None
    assert guarded.attached("guard") == ["b", "c"]


@pytest.mark.parametrize(
    ("task", "kind", "words"),
    [
        ({"firewall": "none"}, NotFound, "it is not there (there: guard, other)"),
        ({"vms": ["none"]}, NotFound, "VM 'none'"),
        ({"environment": "x"}, NotFound, "no environment 'x'"),
        ({"vms": []}, InvalidInput, "vms is empty"),
        ({"state": "most"}, InvalidInput, "state"),
    ],
)
def test_bad_attachments(
    fleet: Fleet,
    guarded: FakeHyperstack,
    task: dict[str, Any],
    kind: type[HostlerError],
    words: str,
) -> None:
    whole = {"firewall": "guard", "environment": ENV, "vms": ["c"], **task}
    with pytest.raises(kind) as caught:
        fleet.hyperstack.firewalls.plan_attachments(whole)
    assert words in str(caught.value)
    assert guarded.attached("guard") == ["a", "b"]


def test_a_vm_that_hibernates_gets_none(fleet: Fleet, guarded: FakeHyperstack) -> None:
    guarded.vms[2]["status"] = "HIBERNATED"
    assert "must be ACTIVE or SHUTOFF" in str(attach(fleet, "c").error)


@pytest.mark.usefixtures("guarded")
def test_read_only(make_fleet: MakeFleet) -> None:
    fleet = make_fleet(Policy(read_only=True))
    with pytest.raises(PolicyError):
        attach(fleet, "c")
    assert not attach(fleet, "a").changed


def test_several_threads_lose_nothing(fleet: Fleet, guarded: FakeHyperstack) -> None:
    names = [f"t{n}" for n in range(6)]
    vms(guarded, *names)
    plans = [
        fleet.hyperstack.firewalls.plan_attachments(
            {"firewall": firewall, "environment": ENV, "vms": names}
        )
        for firewall in ("guard", "other")
    ]
    assert not [r for r in fleet.runner.run_many(plans) if isinstance(r, PlanFailed)]
    assert guarded.attached("guard") == ["a", "b", *names]
    assert guarded.attached("other") == ["a", "b", "c", *names]


NAMES = ("a", "b", "c")
subsets = st.sets(st.sampled_from(NAMES))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    have=subsets,
    others=subsets,
    wanted=subsets,
    state=st.sampled_from(["present", "absent", "exact"]),
)
def test_attachments_are_what_sets_say(
    fleet: Fleet,
    fake: FakeHyperstack,
    have: set[str],
    others: set[str],
    wanted: set[str],
    state: str,
) -> None:
    fake.change_seconds = 0.0
    fake.vms.clear()
    fake.firewalls.clear()
    rows = dict(zip(NAMES, vms(fake, *NAMES), strict=True))
    for name, on in (("guard", have), ("other", others)):
        firewall = fake.add_firewall(name, ENV)
        for vm in sorted(on):
            fake.attach(firewall, rows[vm])
    if wanted or state == "exact":
        attach(fleet, *sorted(wanted), state=state)
        expected = {"present": have | wanted, "absent": have - wanted, "exact": wanted}[state]
        assert set(fake.attached("guard")) == expected
    assert set(fake.attached("other")) == others
