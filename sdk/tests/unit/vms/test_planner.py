# SPDX-License-Identifier: Apache-2.0
"""The planner alone: tables of what is there and what is wanted, and the steps between them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostler.config import Policy
from hostler.errors import Conflict, HostlerError, InvalidInput, NotFound, PolicyError
from hostler.models.vm_task import VmOptions, VmState
from hostler.models.vm_view import VmStatus
from hostler.plan.plan import Plan
from hostler.vms.observe import Observed
from hostler.vms.planner import plan_vm
from hostler.vms.planner.power import power_steps, status_after

from .worlds import URI, after, kinds, task, volume, with_domain, world

OPEN = Policy()


def plan(seen: Observed, policy: Policy = OPEN, **wanted: Any) -> Plan:
    return plan_vm(task(**wanted), seen, policy)


def made(*, status: str = "stopped", **wanted: Any) -> Observed:
    """The world once a VM was made in it."""
    seen = world()
    return after(seen, plan(seen, **wanted).steps, status=status)


# -- power: from each status to each state

NOT_RUNNING = "it does not run, so it can't be reset"
POWER: dict[str, dict[str, list[str] | str]] = {
    "stopped": {
        "running": ["start"],
        "stopped": [],
        "paused": ["start paused"],
        "restarted": ["start"],
        "reset": NOT_RUNNING,
    },
    "running": {
        "running": [],
        "stopped": ["stop"],
        "paused": ["pause"],
        "restarted": ["stop", "start"],
        "reset": ["reset"],
    },
    "paused": {
        "running": ["resume"],
        "stopped": ["stop"],
        "paused": [],
        "restarted": ["stop", "start"],
        "reset": ["reset"],
    },
    "crashed": {
        "running": ["power off", "start"],
        "stopped": ["power off"],
        "paused": "it is crashed, so it can't be paused",
        "restarted": ["power off", "start"],
        "reset": NOT_RUNNING,
    },
    "suspended": {
        "running": ["resume"],
        "stopped": ["power off"],
        "paused": "it is suspended, so it can't be paused",
        "restarted": ["power off", "start"],
        "reset": ["reset"],
    },
    "stopping": {
        "running": ["stop", "start"],
        "stopped": ["stop"],
        "paused": "it is stopping, so it can't be paused",
        "restarted": ["stop", "start"],
        "reset": ["reset"],
    },
}
CASES = [(status, state, wanted) for status, by in POWER.items() for state, wanted in by.items()]


def short(step: Any) -> str:
    if step.kind == "domain.start":
        return "start paused" if step.paused else "start"
    if step.kind == "domain.stop":
        return "power off" if step.hard else "stop"
    if step.kind == "domain.pause":
        return "resume" if step.resume else "pause"
    return str(step.kind).removeprefix("domain.")


@pytest.mark.parametrize(("status", "state", "wanted"), CASES)
def test_power(status: str, state: VmState, wanted: list[str] | str) -> None:
    options = VmOptions(state=state)
    if isinstance(wanted, str):
        with pytest.raises(InvalidInput, match=re.escape(wanted)):
            power_steps(URI, "v", status, options)
    else:
        assert [short(s) for s in power_steps(URI, "v", status, options)] == wanted


def test_every_status_and_state_is_in_the_table() -> None:
    assert {*POWER, "unknown"} == set(get_args(VmStatus))
    for by in POWER.values():
        assert {*by, "present", "absent"} == set(get_args(VmState))


@pytest.mark.parametrize("state", ["running", "paused", "stopped"])
def test_power_ends_where_it_should(state: VmState) -> None:
    for status in POWER:
        if not isinstance(POWER[status][state], str):
            options = VmOptions(state=state)
            assert power_steps(URI, "v", status_after(status, options), options) == []


# -- a VM that is not there

CREATES: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["domain.define"]),
    ({"state": "running"}, ["domain.define", "domain.start"]),
    ({"state": "absent"}, []),
    ({"autostart": True}, ["domain.define", "domain.autostart"]),
    ({"disks": [{"size": "1GiB"}]}, ["volume.create", "domain.define"]),
    ({"disks": [{"volume": "base"}]}, ["domain.define"]),
    ({"disks": [{"volume": "base", "size": "2GiB"}]}, ["volume.resize", "domain.define"]),
    ({"disks": [{"path": "/dev/sdx"}]}, ["domain.define"]),
    ({"disks": [{"backing": "base"}]}, ["volume.create", "domain.define"]),
    ({"disks": [{"clone": "base"}]}, ["volume.clone", "domain.define"]),
    (
        {"disks": [{"clone": "base", "size": "2GiB"}]},
        ["volume.clone", "volume.grow_new", "domain.define"],
    ),
    ({"disks": [{"image": "/i.qcow2"}]}, ["volume.create", "volume.upload", "domain.define"]),
    (
        {"disks": [{"image": "/i.qcow2", "size": "2GiB"}]},
        ["volume.create", "volume.upload", "volume.grow_new", "domain.define"],
    ),
    (
        {"cloud_init": {"user_data": {"runcmd": ["true"]}}},
        ["volume.create", "volume.seed", "domain.define"],
    ),
    ({"from_template": {"volume": "base"}}, ["volume.clone", "domain.define"]),
    ({"from_template": {"volume": "base", "linked": True}}, ["volume.create", "domain.define"]),
]


@pytest.mark.parametrize(("wanted", "expected"), CREATES)
def test_create(wanted: dict[str, Any], expected: list[str]) -> None:
    made = plan(world(volume("base")), **wanted)
    assert kinds(made) == expected
    assert made.before == {}
    assert made.changed == bool(expected)


REFUSED: list[tuple[dict[str, Any], type[HostlerError], str]] = [
    ({"disks": [{}]}, InvalidInput, "is new and has no size"),
    ({"disks": [{"size": "1GiB", "pool": "none"}]}, NotFound, "no storage pool 'none'"),
    ({"disks": [{"size": "1GiB", "pool": "off"}]}, InvalidInput, "is not active"),
    ({"disks": [{"backing": "none"}]}, NotFound, "no volume 'none' in pool 'default'"),
    ({"disks": [{"clone": "base", "size": "1MiB"}]}, InvalidInput, "has 1GiB"),
    ({"disks": [{"volume": "base", "size": "1MiB"}]}, InvalidInput, "shrinking it is refused"),
    ({"disks": [{"volume": "base", "clone": "base"}]}, Conflict, "exists already"),
    ({"disks": [{"image": "/i.qcow2", "format": "raw"}]}, InvalidInput, "is qcow2, not raw"),
    ({"networks": [{"network": "none"}]}, NotFound, "no network 'none' (there: default, lab)"),
    ({"machine": "none"}, InvalidInput, "no machine 'none'"),
    ({"virt_type": "xen"}, InvalidInput, "no virt_type xen; it has kvm, qemu"),
    ({"state": "reset"}, NotFound, "no such VM to reset"),
]


@pytest.mark.parametrize(("wanted", "kind", "words"), REFUSED)
def test_refused(wanted: dict[str, Any], kind: type[HostlerError], words: str) -> None:
    with pytest.raises(kind, match=re.escape(words)) as caught:
        plan(world(volume("base")), **wanted)
    assert caught.value.on == f"VM 'v' on {URI}"


def test_a_volume_of_the_wanted_name_is_not_taken_over() -> None:
    with pytest.raises(Conflict, match="exists already"):
        plan(world(volume("v-vda.qcow2")), disks=[{"size": "1GiB"}])


@pytest.mark.parametrize(
    ("works", "types", "expected"),
    [
        (True, {"x86_64": ["qemu", "kvm"]}, "kvm"),
        (False, {"x86_64": ["qemu", "kvm"]}, "qemu"),
        (None, {"x86_64": ["qemu", "kvm"]}, "qemu"),
        (True, {"x86_64": ["qemu"]}, "qemu"),
    ],
)
def test_kvm_only_where_it_works(works: bool | None, types: Any, expected: str) -> None:
    seen = world()
    facts = replace(seen.host.facts, types=types)
    seen = replace(seen, host=replace(seen.host, kvm_works=works, facts=facts))
    [define] = plan(seen).steps
    assert f"<domain type='{expected}'" in getattr(define, "xml", "").replace('"', "'")


# -- a VM that is there

BASE: dict[str, Any] = {"memory": "1GiB", "memory_max": "2GiB", "disks": [{"size": "1GiB"}]}
DEFINED, LIVE = "domain.define", "domain.live"
UPDATES: list[tuple[dict[str, Any], list[str], list[str], list[str]]] = [
    # wanted; steps while stopped; steps while running; what waits for a restart
    ({}, [], [], []),
    ({"title": "t"}, [DEFINED], [DEFINED, LIVE], []),
    ({"labels": {"a": "b"}}, [DEFINED], [DEFINED, LIVE], []),
    ({"memory": "2GiB"}, [DEFINED], [DEFINED, LIVE], []),
    ({"memory_max": "4GiB"}, [DEFINED], [DEFINED], ["memory_max"]),
    ({"cpus": 2}, [DEFINED], [DEFINED], ["cpus", "cpus_max"]),
    ({"firmware": "uefi"}, [DEFINED], [DEFINED], ["firmware"]),
    ({"autostart": True}, ["domain.autostart"], ["domain.autostart"], []),
    ({"disks": [{"size": "2GiB"}]}, ["volume.resize"], ["domain.block_resize"], []),
    (
        {"disks": [{"size": "1GiB"}, {"size": "1GiB"}]},
        ["volume.create", DEFINED],
        ["volume.create", DEFINED, LIVE],
        [],
    ),
    ({"disks": [{"target": "vda", "state": "absent"}]}, [DEFINED], [DEFINED, LIVE], []),
    ({"networks": [{}, {"network": "lab"}]}, [DEFINED], [DEFINED, LIVE], []),
    ({"new_name": "w"}, ["domain.rename"], ["it must be stopped before it is renamed"], []),
    ({"disks": [{"size": "1MiB"}]}, ["shrinking it to 1MiB"], ["shrinking it to 1MiB"], []),
]


@pytest.mark.parametrize("status", ["stopped", "running"])
@pytest.mark.parametrize(("wanted", "stopped", "running", "waits"), UPDATES)
def test_update(
    wanted: dict[str, Any], stopped: list[str], running: list[str], waits: list[str], status: str
) -> None:
    seen = made(status=status, **BASE)
    expected = stopped if status == "stopped" else running
    if any(" " in text for text in expected):
        with pytest.raises(InvalidInput, match=expected[0]):
            plan(seen, **wanted)
        return
    planned = plan(seen, **wanted)
    assert kinds(planned) == expected
    assert planned.facts["changes_pending"] == (waits if status == "running" else [])
    assert planned.facts["restart_required"] == (status == "running" and bool(waits))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"allow_restart": True}, ["domain.stop", DEFINED, "domain.start"]),
        ({"state": "restarted"}, ["domain.stop", DEFINED, "domain.start"]),
        ({"state": "stopped"}, ["domain.stop", DEFINED]),
        ({}, [DEFINED]),
    ],
)
def test_what_waits_for_a_restart(options: dict[str, Any], expected: list[str]) -> None:
    planned = plan(made(status="running"), cpus=2, **options)
    assert kinds(planned) == expected
    assert planned.facts["restart_required"] == (not options)


def test_no_identity_changes() -> None:
    """Name, UUID and MAC addresses of the new definition are those of the old one."""
    seen = made()
    assert seen.domain is not None
    [define] = plan(seen, cpus=3, networks=[{"model": "e1000e"}]).steps
    for pattern in (r"<name>.*?</name>", r"<uuid>.*?</uuid>", r"<mac .*?/>"):
        old = re.findall(pattern, seen.domain.inactive_xml)
        assert old
        assert re.findall(pattern, getattr(define, "xml", "")) == old


# -- a VM that should not be there


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["domain.undefine"]),
        ({"delete_disks": True}, ["domain.undefine", "volume.delete"]),
        ({"delete_disks": True, "preserve_volumes": True}, ["domain.undefine"]),
    ],
)
def test_remove(options: dict[str, Any], expected: list[str]) -> None:
    planned = plan(made(**BASE), state="absent", **options)
    assert kinds(planned) == expected
    assert planned.after == {}


@pytest.mark.parametrize(
    ("change", "others", "why"),
    [
        (("<target dev='vda'", "<shareable/><target dev='vda'"), False, "it is shared"),
        (("<target dev='vda'", "<readonly/><target dev='vda'"), False, "it is read-only"),
        (("/images/", "/elsewhere/"), False, "it is in no storage pool"),
        (("", ""), True, "another VM uses it"),
    ],
)
def test_disks_that_are_kept(change: tuple[str, str], others: bool, why: str) -> None:
    seen = made(**BASE)
    assert seen.domain is not None
    xml = seen.domain.inactive_xml.replace('"', "'").replace(*change)
    seen = with_domain(seen, xml)
    if others:
        seen = replace(seen, others=frozenset(v.path for v in seen.volumes.values()))
    planned = plan(seen, state="absent", delete_disks=True)
    assert kinds(planned) == ["domain.undefine"]
    assert len(planned.warnings) == 1
    assert why in planned.warnings[0]


def test_one_that_runs_is_not_removed_without_force() -> None:
    seen = made(status="running")
    with pytest.raises(InvalidInput, match="must be stopped before it is deleted"):
        plan(seen, state="absent")
    assert kinds(plan(seen, state="absent", force=True)) == ["domain.stop", "domain.undefine"]


# -- the fleet's policy

PROTECTED = Policy(protected=("v",))


@pytest.mark.parametrize(
    ("policy", "status", "wanted", "allowed"),
    [
        (Policy(read_only=True), "stopped", {}, True),
        (Policy(read_only=True), "stopped", {"title": "t"}, False),
        (PROTECTED, "running", {"title": "t"}, True),
        (PROTECTED, "running", {"state": "stopped"}, False),
        (PROTECTED, "running", {"state": "reset"}, False),
        (PROTECTED, "running", {"cpus": 2, "allow_restart": True}, False),
        (PROTECTED, "running", {"state": "stopped", "override_protection": True}, True),
        (PROTECTED, "stopped", {"state": "absent"}, False),
        (PROTECTED, "stopped", {"state": "running"}, True),
        (Policy(protected=("w*",)), "running", {"state": "stopped"}, True),
    ],
)
def test_policy(policy: Policy, status: str, wanted: dict[str, Any], allowed: bool) -> None:
    seen = made(status=status)
    if allowed:
        plan(seen, policy, **wanted)
    else:
        with pytest.raises(PolicyError):
            plan(seen, policy, **wanted)


# -- what holds of every VM

SIZES = st.integers(1, 64).map(lambda n: f"{n}GiB")
LETTERS = st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_categories=["Cc"])
TEXT = st.text(LETTERS, min_size=1, max_size=20).map(lambda text: text.strip() or "x")
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "title": TEXT,
        "description": TEXT,
        "cpus": st.integers(1, 16),
        "memory": SIZES,
        "firmware": st.sampled_from(["bios", "uefi"]),
        "disks": st.lists(
            st.fixed_dictionaries({"size": SIZES}, optional={"serial": st.just("s1")}), max_size=4
        ),
        "networks": st.lists(
            st.sampled_from([{"network": "default"}, {"network": "lab"}, {"bridge": "br0"}]),
            max_size=3,
        ),
        "graphics": st.sampled_from([{"type": "vnc"}, {"type": "spice"}, []]),
        "video": st.just({"model": "virtio"}),
        "console": st.booleans().map(lambda on: on or None),
        "agent": st.booleans(),
        "rng": st.booleans(),
        "tpm": st.booleans(),
        "watchdog": st.booleans(),
        "labels": st.dictionaries(st.sampled_from(["a", "b"]), TEXT, max_size=2),
        "metadata": st.dictionaries(st.sampled_from(["a", "b"]), TEXT, max_size=2),
        "autostart": st.booleans(),
        "machine": st.sampled_from(["q35", "pc"]),
        "virt_type": st.sampled_from(["kvm", "qemu", "auto"]),
        "state": st.sampled_from(["present", "running", "stopped"]),
    },
)


@given(SPECS)
def test_what_is_made_is_what_was_wanted(wanted: dict[str, Any]) -> None:
    """Planning again upon the outcome finds nothing to do."""
    seen = world()
    first = plan(seen, **wanted)
    assert first.changed
    status = "running" if wanted.get("state") == "running" else "stopped"
    assert kinds(plan(after(seen, first.steps, status=status), **wanted)) == []


@given(SPECS, SPECS)
def test_an_update_ends_where_it_should(one: dict[str, Any], two: dict[str, Any]) -> None:
    """From any VM to any other: planning again upon the outcome finds nothing to do."""
    two = {**two, "state": "present"}
    two.pop("disks", None)  # they can't shrink, and cards can't change their type
    two["networks"] = [card for card in two.get("networks", []) if "network" in card]
    one["networks"] = [card for card in one.get("networks", []) if "network" in card]
    seen = made(**one, **({} if "memory" in one else {"memory": "1GiB"}))
    planned = plan(seen, **two)
    defines = [step for step in planned.steps if step.kind == "domain.define"]
    if not defines:
        return
    autostart = bool(two.get("autostart", one.get("autostart")))
    xml = getattr(defines[-1], "xml", "")
    assert kinds(plan(with_domain(seen, xml, autostart=autostart), **two)) == []


@given(SPECS)
def test_planning_is_pure(wanted: dict[str, Any]) -> None:
    seen = world()
    assert plan(seen, **wanted).steps == plan(seen, **wanted).steps
