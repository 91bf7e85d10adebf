# SPDX-License-Identifier: Apache-2.0
"""Moves as they are planned: the order by zones, source and target, drains, refusals, warnings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hostler.config import Policy
from hostler.errors import Conflict, HostlerError, InvalidInput, NotFound, PolicyError
from hostler.gpu import metadata
from hostler.gpu.planner import plan_migration, plan_moves
from hostler.gpu.world import GpuWorld
from hostler.models.gpu_config import GpuConfig
from hostler.models.migration import MigrationTask
from hostler.models.nova import Compute, Flavor, Server
from hostler.plan.plan import Plan

from .worlds import aggregate, compute, numbered, server, world

GPU = "CUSTOM_GPU_L40"
SCOPE = "aggregate_instance_extra_specs:gpu"


def make(aggregates: dict[str, str], *servers: Server, **more: Any) -> GpuWorld:
    """Return a world of aggregates (``name@zone``) and their hosts, each with eight GPUs."""
    made = []
    for name, hosts in aggregates.items():
        plain, _, zone = name.partition("@")
        made.append(aggregate(plain, *hosts.split(), zone=zone))
    names = {host for a in made for host in a.hosts} | {"me"}
    more.setdefault("computes", tuple(compute(name) for name in sorted(names)))
    more.setdefault("amounts", {name: {GPU: (8, 0)} for name in names})
    return world(*numbered(made), servers=servers, **more)


def plan(start: GpuWorld, policy: Policy | None = None, /, **task: Any) -> Plan:
    asked = MigrationTask(**{"host": "me", **task})
    return plan_migration(start, asked, policy or Policy())[0]


def kinds(found: Plan) -> list[str]:
    return [step.kind.removeprefix("gpu.") for step in found.steps]


def changes(found: Plan) -> list[str]:
    """The calls on aggregates, in order: ``+`` adds, ``-`` removes."""
    signs = {"gpu.add": "+", "gpu.remove": "-"}
    return [signs[s.kind] + s.aggregate for s in found.steps if s.kind in signs]  # type: ignore[attr-defined]


S, T = "L40-n3", "L40-n3-spot"

# Zones of source, target and of another aggregate that keeps the host in a zone: what is done to an
# empty host, and to one with a server: None is a refusal.
ORDER: list[tuple[str, str, str, list[str] | None, list[str] | None]] = [
    ("", "", "", ["+T", "-S"], ["+T", "-S"]),
    ("az1", "az1", "", ["+T", "-S"], ["+T", "-S"]),
    ("az1", "az2", "", ["-S", "+T"], None),
    ("az1", "", "", ["+T", "-S"], None),
    ("", "az1", "", ["+T", "-S"], None),
    ("az1", "", "az1", ["+T", "-S"], ["+T", "-S"]),
    ("", "az1", "az1", ["+T", "-S"], ["+T", "-S"]),
    ("", "", "az1", ["+T", "-S"], ["+T", "-S"]),
    ("az1", "az1", "az1", ["+T", "-S"], ["+T", "-S"]),
    ("az1", "az2", "az1", None, None),
    ("", "az2", "az1", None, None),
]


@pytest.mark.parametrize(("source", "target", "other", "empty", "busy"), ORDER)
@pytest.mark.parametrize("used", [False, True], ids=["empty", "with a server"])
def test_order_by_zones(
    source: str,
    target: str,
    other: str,
    empty: list[str] | None,
    busy: list[str] | None,
    used: bool,
) -> None:
    names = {f"{S}@{source}": "me", f"{T}@{target}": "", f"rack@{other}": "me"}
    start = make(names, *[server("me")] * used)
    wanted = busy if used else empty
    if wanted is None:
        with pytest.raises(Conflict) as refused:
            plan(start, target=T, force=True)
        assert ("Take it out of rack first" in str(refused.value)) == bool(other)
        assert ("Drain it" in str(refused.value)) == (not other)
        return
    found = plan(start, target=T, force=True)
    assert changes(found) == [c.replace("S", S).replace("T", T) for c in wanted]
    alone = any("in neither pool for a moment" in text for text in found.warnings)
    assert alone == (wanted[0] == "-S")


@pytest.mark.parametrize(("source", "target"), [("", "az1"), ("az1", "az1")])
def test_in_both_already_a_zone_that_stays_is_no_hindrance(source: str, target: str) -> None:
    start = make({f"{S}@{source}": "me", f"{T}@{target}": "me"}, server("me"))
    assert changes(plan(start, target=T, force=True)) == [f"-{S}"]


def test_in_both_already_the_zone_of_the_source_is_lost() -> None:
    start = make({f"{S}@az1": "me", T: "me"}, server("me"))
    with pytest.raises(Conflict, match="would change from az1 to none"):
        plan(start, target=T, force=True)


def test_all_steps_of_a_move() -> None:
    found = plan(make({S: "me", T: ""}), target=T)
    order = "lock check disable count mirror add remove mirror check enable unlock"
    assert kinds(found) == order.split()
    assert found.facts == {"source": S, "target": T}
    assert (found.before["aggregates"], found.after["aggregates"]) == ([S], [T])
    lines = (f"openstack aggregate add host {T} me", f"openstack aggregate remove host {S} me")
    assert [line for line in found.commands if " host " in line] == [*lines]
    assert found.warnings == []
    assert found.summary == f"move host me from {S} to {T}"


# Aggregates and their hosts, what is asked, the calls; or the words of a refusal.
R = "L40-n3-runpod"
SOURCES: dict[str, tuple[dict[str, str], dict[str, str], list[str] | str]] = {
    "found": ({S: "me", T: ""}, {}, [f"+{T}", f"-{S}"]),
    "named": ({S: "me", T: ""}, {"source": S}, [f"+{T}", f"-{S}"]),
    "other aggregates stay": ({S: "me", T: "", "rack": "me"}, {}, [f"+{T}", f"-{S}"]),
    "there": ({S: "", T: "me"}, {}, []),
    "there, source named": ({S: "", T: "me"}, {"source": S}, []),
    "there, and in no pool else": ({S: "", T: "me", "rack": "me"}, {}, []),
    "in both": ({S: "me", T: "me"}, {}, [f"-{S}"]),
    "in both, source named": ({S: "me", T: "me"}, {"source": S}, [f"-{S}"]),
    "in none": ({S: "", T: ""}, {}, [f"+{T}"]),
    "only in one that is no pool": ({T: "", "rack": "me"}, {}, [f"+{T}"]),
    "out of one that is no pool": ({T: "", "rack": "me"}, {"source": "rack"}, [f"+{T}", "-rack"]),
    "in two pools": (
        {S: "me", R: "me", T: ""},
        {},
        f"it is in several pools: {S}, {R}. Say which it shall leave (source).",
    ),
    "in two pools, source named": ({S: "me", R: "me", T: ""}, {"source": R}, [f"+{T}", f"-{R}"]),
    "in three pools": ({S: "me", R: "me", T: "me"}, {}, f"it is in several pools: {S}, {R}"),
    "in three, source named": ({S: "me", R: "me", T: "me"}, {"source": S}, [f"-{S}"]),
    "not in the source": (
        {S: "", R: "me", T: ""},
        {"source": S},
        f"it is not in {S}. It is in {R}.",
    ),
    "in none, source named": (
        {S: "", T: ""},
        {"source": S},
        f"it is not in {S}. It is in no aggregate.",
    ),
    "no such source": ({S: "me", T: ""}, {"source": "l40-n3"}, f"Did you mean '{S}'?"),
    "no such target": ({S: "me", T: ""}, {"target": "L40-n3-spto"}, f"Did you mean '{T}'?"),
    "wrong case of the host": ({S: "me", T: ""}, {"host": "ME"}, "Did you mean 'me'?"),
    "unknown host": ({S: "me", T: ""}, {"host": "qqq"}, "Known hosts: me."),
    "the same": ({S: "me"}, {"source": S, "target": S}, "source and target are the same"),
}


@pytest.mark.parametrize("case", SOURCES)
def test_source(case: str) -> None:
    aggregates, asked, wanted = SOURCES[case]
    start, task = make(aggregates), {"target": T, **asked}
    if isinstance(wanted, str):
        with pytest.raises((Conflict, NotFound, InvalidInput)) as refused:
            plan(start, **task)
        assert wanted in str(refused.value)
        return
    found = plan(start, **task)
    assert changes(found) == wanted
    assert found.changed == bool(wanted)
    if not wanted:
        assert found.after == found.before


@pytest.mark.parametrize(
    ("aggregates", "asked", "to"),
    [
        ({S: "me", T: "", R: ""}, {"pool": "spot"}, T),
        ({S: "me", T: "", R: ""}, {"pool": "runpod"}, R),
        ({S: "me", T: "", R: ""}, {"pool": "ondemand"}, S),
        ({S: "me", "L40-n3-NVLink": ""}, {"pool": "spot"}, "No L40 spot aggregate is suitable"),
        (
            {"L40-n3-NVLink": "me", "L40-n3-NVLink-spot": "", T: ""},
            {"pool": "spot", "variant": "NVLink"},
            "L40-n3-NVLink-spot",
        ),
        (
            {"L40-n3-NVLink": "me", T: ""},
            {"pool": "spot", "variant": "nvlink"},
            "Did you mean 'NVLink'?",
        ),
        ({S: "me", T: ""}, {"target": "auto"}, T),
        ({S: "", T: "me"}, {"target": "auto"}, T),
        ({"rack": "me"}, {"target": "auto"}, "no aggregate suits it: No L40 aggregate is suitable"),
    ],
)
def test_target_is_found(aggregates: dict[str, str], asked: dict[str, str], to: str) -> None:
    start = make(aggregates)
    if to in aggregates:
        assert plan(start, **asked).facts["target"] == to
        return
    with pytest.raises(HostlerError) as refused:
        plan(start, **asked)
    assert to in str(refused.value)


def test_gpus_have_to_fit() -> None:
    with pytest.raises(Conflict, match="its GPUs are L40, and A100-n3 is for A100"):
        plan(make({S: "me", "A100-n3": ""}), target="A100-n3")
    amounts = {"me": {"CUSTOM_GPU_A100": (8, 0)}}  # in no pool: placement says what it has
    with pytest.raises(Conflict, match="its GPUs are A100, and L40-n3 is for L40"):
        plan(make({S: ""}, amounts=amounts), target=S)
    found = plan(make({S: "me", "storage": ""}), target="storage")
    assert "The GPU type of aggregate 'storage' is not known" in found.warnings[0]
    found = plan(make({S: ""}, amounts={}), target=S)
    assert "The GPU type of host 'me' is not known" in found.warnings[0]


def test_a_change_of_the_variant_is_said() -> None:
    found = plan(make({S: "me", "L40-n3-NVLink-spot": ""}), target="L40-n3-NVLink-spot")
    assert found.warnings == ["It changes its variant: from none to NVLink."]


# What is asked of a host in each state: the servers that migrate, or the words of a refusal.
STAY = "2 servers run on it: a, b. Say drain: true"
A, B = server("me", "n3-L40x4", name="a"), server("me", name="b")


@pytest.mark.parametrize(
    ("servers", "asked", "wanted"),
    [
        ((), {}, []),
        ((), {"drain": True}, []),
        ((), {"force": True}, []),
        ((A, B), {}, STAY),
        ((A,), {}, "1 server runs on it: a"),
        ((A, B), {"force": True}, []),
        ((A, B), {"drain": True}, ["a", "b"]),
        ((A, B), {"drain": True, "force": True}, ["a", "b"]),
        ((replace(A, status="SHELVED_OFFLOADED"),), {}, []),
        ((replace(A, status="SHUTOFF"),), {}, "1 server runs on it: a"),
        ((replace(A, status="ERROR"),), {"drain": True}, "a (it is ERROR, and only running"),
    ],
)
@pytest.mark.parametrize("source", [S, "L40-n3-runpod", "Contract-x-L40"])
def test_servers(
    servers: tuple[Server, ...], asked: dict[str, bool], wanted: list[str] | str, source: str
) -> None:
    start = make({source: "me other", T: ""}, *servers)
    if isinstance(wanted, str):
        with pytest.raises(Conflict) as refused:
            plan(start, target=T, **asked)
        assert wanted in str(refused.value)
        return
    found = plan(start, target=T, **asked)
    migrate = [step for step in found.steps if step.kind == "gpu.migrate"]
    assert [step.name for step in migrate] == wanted  # type: ignore[attr-defined]
    count = next(step for step in found.steps if step.kind == "gpu.count")
    kept = asked.get("force") and not asked.get("drain")
    assert count.expected == (tuple(s.id for s in servers) if kept else ())  # type: ignore[attr-defined]
    said = any("of its servers stay on it" in text for text in found.warnings)
    assert said == bool(kept and servers)


def vm(name: str, gpus: int, host: str = "me", **more: Any) -> Server:
    return replace(server(host, f"n3-L40x{gpus}", name=name), **more)


# The other hosts of the pool with the GPUs that are in use on each, the servers, where they go.
DRAINS: dict[str, tuple[dict[str, int], list[Server], dict[str, str] | str]] = {
    "fits": ({"o1": 0}, [vm("a", 4)], {"a": "o1"}),
    "most tightly": ({"o1": 0, "o2": 4}, [vm("a", 4)], {"a": "o2"}),
    "the largest first": (
        {"o1": 0, "o2": 2},
        [vm("s", 2), vm("l", 8), vm("m", 4)],
        {"l": "o1", "m": "o2", "s": "o2"},
    ),
    "no room": ({"o1": 6}, [vm("a", 4)], "a (no other host of L40-n3 has 4 GPUs free)"),
    "no room for the second": ({"o1": 0}, [vm("a", 8), vm("b", 1)], "b (no other host of"),
    "all that can't": (
        {"o1": 8},
        [vm("a", 1), vm("b", 1, locked=True)],
        "a (no other host of L40-n3 has 1 GPUs free); b (it is locked)",
    ),
    "locked": ({"o1": 0}, [vm("a", 1, locked=True)], "a (it is locked)"),
    "stopped": ({"o1": 0}, [vm("a", 1, status="SHUTOFF")], "a (it is SHUTOFF, and only running"),
    "paused": ({"o1": 0}, [vm("a", 1, status="PAUSED")], {"a": "o1"}),
    "busy": ({"o1": 0}, [vm("a", 1, task_state="rebooting")], "a (it is busy: rebooting)"),
    "without GPUs": ({"o1": 8}, [replace(vm("a", 1), flavor="cpu")], {"a": "o1"}),
    "no other host": ({}, [vm("a", 1)], "a (no other host of L40-n3 has 1 GPUs free)"),
}


@pytest.mark.parametrize("case", DRAINS)
def test_where_servers_go(case: str) -> None:
    others, servers, wanted = DRAINS[case]
    there = [vm(f"on-{host}", used, host) for host, used in others.items() if used]
    start = make({S: " ".join(["me", *others]), T: "elsewhere"}, *servers, *there)
    if isinstance(wanted, str):
        with pytest.raises(Conflict) as refused:
            plan(start, target=T, drain=True)
        assert wanted in str(refused.value)
        return
    found = plan(start, target=T, drain=True)
    migrate = [step for step in found.steps if step.kind == "gpu.migrate"]
    assert {step.name: step.target for step in migrate} == wanted  # type: ignore[attr-defined]
    assert {one["name"]: one["host"] for one in found.after["servers"].values()} == wanted


@pytest.mark.parametrize("other", [compute("o1", up=False), compute("o1", enabled=False)])
def test_hosts_that_take_no_servers_are_no_place(other: Compute) -> None:
    computes = (compute("me"), other)
    start = make({S: "me o1", T: ""}, A, computes=computes)
    with pytest.raises(Conflict, match="no other host of L40-n3 has 4 GPUs free"):
        plan(start, target=T, drain=True)


def test_hosts_that_leave_too_are_no_place_and_room_is_given_once() -> None:
    start = make({S: "h1 h2 h3", T: ""}, vm("a", 4, "h1"), vm("b", 8, "h2"))
    tasks = [MigrationTask(host=host, target=T, drain=True) for host in ("h1", "h2", "h3")]
    one, two = plan_moves(start, tasks[:2], Policy())
    assert isinstance(one, Plan)
    assert isinstance(two, Conflict)
    assert "b (no other host of L40-n3 has 8 GPUs free)" in str(two)
    all_three = plan_moves(start, tasks, Policy())
    assert [isinstance(found, Plan) for found in all_three] == [False, False, True]


def test_a_drained_host_may_change_its_zone() -> None:
    start = make({f"{S}@az1": "me other", f"{T}@az2": ""}, A)
    assert changes(plan(start, target=T, drain=True)) == [f"-{S}", f"+{T}"]


def test_a_host_named_twice() -> None:
    task = MigrationTask(host="me", target=T)
    with pytest.raises(InvalidInput, match="host 'me' is named twice"):
        plan_moves(make({S: "me", T: ""}), [task, task], Policy())


def test_policy() -> None:
    start = make({S: "me", T: ""})
    with pytest.raises(PolicyError, match="the fleet is read-only"):
        plan(start, Policy(read_only=True), target=T)
    with pytest.raises(PolicyError, match=r"it is protected\. Say override_protection"):
        plan(start, Policy(protected=("m*",)), target=T)
    assert plan(start, Policy(protected=("m*",)), target=T, override_protection=True).changed
    assert not plan(start, Policy(read_only=True), target=S).changed


SERVICE: list[tuple[dict[str, Any], dict[str, Any], bool, str]] = [
    ({}, {}, True, ""),
    ({}, {"disable_compute": False}, False, "stays enabled: a server may come in between"),
    ({"enabled": False, "reason": "broken"}, {}, False, "disabled (broken) and stays so"),
    ({"enabled": False}, {}, False, "disabled (no reason given) and stays so"),
    ({"enabled": False, "reason": "hostler: move 1-2"}, {}, True, ""),
    (
        {"enabled": False, "reason": "hostler: move 1-2"},
        {"disable_compute": False},
        False,
        "disabled (hostler: move 1-2) and stays so",
    ),
]


@pytest.mark.parametrize(("state", "asked", "disables", "says"), SERVICE)
def test_compute_service(
    state: dict[str, Any], asked: dict[str, Any], disables: bool, says: str
) -> None:
    found = plan(make({S: "me", T: ""}, computes=(compute("me", **state),)), target=T, **asked)
    assert (("disable" in kinds(found)), ("enable" in kinds(found))) == (disables, disables)
    assert bool(found.warnings) == bool(says)
    assert not says or says in found.warnings[0]


def test_a_host_without_compute_service() -> None:
    found = plan(make({S: "me", T: ""}, computes=()), target=T)
    assert kinds(found) == ["lock", "check", "count", "add", "remove", "check", "unlock"]
    assert "It has no compute service: placement's copy can't be checked." in found.warnings


def test_the_lock_holds_as_long_as_a_server_may_take() -> None:
    config = GpuConfig(lock_minutes=10, drain_timeout=3600)
    start = make({S: "me other", T: ""}, A, config=config)
    held = {step.lock_minutes for step in plan(start, target=T, drain=True).steps}  # type: ignore[attr-defined]
    assert held == {65}
    assert plan(start, target=T, force=True).steps[0].lock_minutes == 10  # type: ignore[attr-defined]


def test_a_lock_that_lies_there_is_said() -> None:
    key, value = "hostler:lock:1-2", "2999-01-01T00:00:00Z 4711 99 me ctl-2 alice"
    first, second = numbered([aggregate(S, "me", metadata={key: value}), aggregate(T)])
    found = plan(world(first, second), target=T)
    assert found.warnings[0].startswith("It is locked by alice on ctl-2 (plan 1-2, until 2999")


def flavor(name: str, asked: str = "", key: str = SCOPE) -> Flavor:
    return Flavor(name, {key: asked} if asked else {})


def test_a_target_that_no_flavor_asks_for_is_said() -> None:
    target = aggregate(T, metadata={"gpu": "A100", "hostler:lock:1-2": "x"})
    made = numbered([aggregate(S, "me"), target])
    found = plan(world(*made, flavors=(flavor("n3-L40x1", "L40"),)), target=T)
    says = f"No flavor for L40 asks for what the metadata of {T} offers (gpu=A100)"
    assert found.warnings == [f"{says}: the host would get no servers there."]
    for fits in (flavor("n3-L40x1", "A100"), flavor("n3-L40x2")):
        flavors = (flavor("n3-L40x1", "L40"), fits)
        assert plan(world(*made, flavors=flavors), target=T).warnings == []
    assert plan(world(*made, flavors=(flavor("cpu", "L40"),)), target=T).warnings == []


def test_a_server_that_stays_and_asks_for_another_aggregate_is_said() -> None:
    made = numbered([aggregate(S, "me", "other"), aggregate(T, metadata={"gpu": "spot"})])
    mine = server("me", name="a", specs={SCOPE: "L40"})
    found = plan(world(*made, servers=(mine,)), target=T, force=True)
    assert "Server a could not be migrated or resized within L40-n3-spot" in found.warnings[0]
    amounts = {"other": {GPU: (8, 0)}}
    drained = plan(world(*made, servers=(mine,), amounts=amounts), target=T, drain=True)
    assert drained.warnings == []


# Source: the cases of Nova's own documentation of AggregateInstanceExtraSpecsFilter.
FITS = [
    ("L40", {"gpu": "L40"}, True),
    ("L40", {"gpu": "L40S"}, False),
    ("L40", {"gpu": "A100,L40"}, True),
    ("L40", {}, False),
    ("<or> L40 <or> A100", {"gpu": "A100"}, True),
    ("<or> L40 <or> A100", {"gpu": "H100"}, False),
    ("<in> L40", {"gpu": "xL40x"}, True),
    ("<in> L40", {"gpu": "A100"}, False),
    ("s== L40", {"gpu": "L40"}, True),
    ("s== L40", {"gpu": "L40S"}, False),
    ("s!= L40", {"gpu": "L40S"}, True),
    ("s!= L40", {"gpu": "L40"}, False),
    ("= 4", {"gpu": "8"}, True),
    ("= 8", {"gpu": "4"}, False),
    (">= 4", {"gpu": "4"}, True),
    (">= 5", {"gpu": "4"}, False),
    ("<= 4", {"gpu": "5"}, False),
    ("== 4", {"gpu": "4.0"}, True),
    ("== 4", {"gpu": "5"}, False),
    ("!= 4", {"gpu": "5"}, True),
    ("!= 4", {"gpu": "4"}, False),
    ("<all-in> a b", {"gpu": "x"}, True),
]


@pytest.mark.parametrize(("asked", "offered", "fits"), FITS)
def test_metadata(asked: str, offered: dict[str, str], fits: bool) -> None:
    assert metadata.fits({SCOPE: asked, "resources:VCPU": "1"}, offered) == fits
