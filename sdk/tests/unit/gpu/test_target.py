# SPDX-License-Identifier: Apache-2.0
"""Where a host should go: a table of situations, and what holds in all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostler.errors import Conflict, NotFound
from hostler.gpu.target import advise
from hostler.gpu.world import GpuWorld
from hostler.models.gpu import Target, TargetAdvice
from hostler.models.gpu_config import POOLS, Pool
from hostler.models.netbox import NetboxHost
from hostler.models.nova import Aggregate, Flavor

from .worlds import aggregate, compute, server, world

A100, L40 = "CUSTOM_GPU_A100", "CUSTOM_GPU_L40"


@dataclass(frozen=True)
class Case:
    """A host ``me`` among others, and where it should go.

    Attributes:
        aggregates: name to hosts; ``me`` is the host. ``name@zone`` is in a zone.
        used: GPUs in use of the 8 of each host.
        vms: servers of ``me``.
        to: the recommended aggregate.
        says: is part of the reasoning.
    """

    aggregates: dict[str, str]
    to: str | None
    says: str = ""
    used: dict[str, int] = field(default_factory=dict)
    vms: int = 0
    pool: Pool | None = None
    variant: str | None = None
    nvlink: bool | None = None
    drained: bool = False

    @property
    def world(self) -> GpuWorld:
        made = []
        for name, hosts in self.aggregates.items():
            plain, _, zone = name.partition("@")
            made.append(aggregate(plain, *hosts.split(), zone=zone))
        names = {host for a in made for host in a.hosts} | {"me"}
        kind = A100 if any("A100" in a.name for a in made) else L40
        return world(
            *made,
            servers=tuple(server("me", name=f"vm{number}") for number in range(self.vms)),
            computes=tuple(compute(name) for name in sorted(names)),
            amounts={name: {kind: (8, self.used.get(name, 0))} for name in names},
            netbox={"me": NetboxHost(name="me", nvlink=self.nvlink)},
        )

    def advice(self) -> TargetAdvice:
        return advise(self.world, "me", pool=self.pool, variant=self.variant, drained=self.drained)


THREE = {"L40-n3": "me a", "L40-n3-spot": "s", "L40-n3-runpod": ""}
NVLINKS = {
    "A100-n3": "b",
    "A100-n3-NVLink": "a",
    "A100-n3-spot": "",
    "A100-n3-NVLink-spot": "",
}
ZONES = {"L40-n3@az-1": "me a", "L40-n3-spot@az-2": "s", "L40-n3-runpod": ""}
CONTRACT = {"Contract-L40-Acme": "me", "L40-n3": "a", "L40-n3-spot": ""}

CASES = {
    # an empty host
    "spot gets what on-demand does not need": Case(
        THREE, "L40-n3-spot", "Host has no running VMs, suitable for spot aggregate"
    ),
    "on-demand keeps what it needs": Case(
        THREE, "L40-n3", "stays in L40-n3: no other pool needs it more", used={"a": 7}
    ),
    "the use that counts is that without the host": Case(
        {"L40-n3": "me a", "L40-n3-spot": ""}, "L40-n3", used={"a": 8, "me": 0}
    ),
    "where GPUs are short": Case(
        THREE, "L40-n3-spot", "spot aggregate where GPUs are short", used={"s": 8}
    ),
    "the shorter one": Case(THREE, "L40-n3-spot", used={"a": 7, "s": 8}),
    "on-demand before spot where both are as short": Case(THREE, "L40-n3", used={"a": 7, "s": 7}),
    "back to on-demand": Case(
        {"L40-n3": "a", "L40-n3-spot": "me"}, "L40-n3", "ondemand aggregate", used={"a": 8}
    ),
    "spot keeps what nobody needs": Case({"L40-n3": "a", "L40-n3-spot": "me"}, "L40-n3-spot"),
    "runpod too": Case({"L40-n3": "a", "L40-n3-spot": "", "L40-n3-runpod": "me"}, "L40-n3-runpod"),
    "the only pool there is": Case({"L40-n3": "me"}, "L40-n3", "stays"),
    "in no pool": Case({"L40-n3": "a", "L40-n3-spot": ""}, "L40-n3-spot", "suitable for spot"),
    "in no pool, on-demand is short": Case(
        {"L40-n3": "a", "L40-n3-spot": ""}, "L40-n3", used={"a": 8}
    ),
    "in two pools": Case({"L40-n3": "me a", "L40-n3-spot": "me"}, "L40-n3-spot"),
    # a host with servers
    "servers keep it": Case(
        THREE, "L40-n3", "Host has 2 VMs and stays in L40-n3: moving it needs force or drain", vms=2
    ),
    "even where GPUs are short": Case(THREE, "L40-n3", "1 VM and stays", used={"s": 8}, vms=1),
    "a pool that is asked for": Case(
        THREE, "L40-n3-spot", "needs force or drain", vms=1, pool="spot"
    ),
    "as if drained": Case(THREE, "L40-n3-spot", "no running VMs", vms=2, drained=True),
    "servers and two pools": Case(
        {"L40-n3": "me a", "L40-n3-spot": "me"},
        None,
        "Host has 1 VM and is in several pools: L40-n3, L40-n3-spot",
        vms=1,
    ),
    "servers and no pool": Case(
        {"L40-n3": "a", "L40-n3-spot": ""}, "L40-n3-spot", "needs force or drain", vms=1
    ),
    # a pool that is asked for
    "runpod": Case(THREE, "L40-n3-runpod", "runpod aggregate", pool="runpod"),
    "its own": Case(
        THREE, "L40-n3", "stays in L40-n3, which is of the pool ondemand", pool="ondemand"
    ),
    "one that does not exist": Case(
        {"L40-n3": "me"}, None, "No L40 spot aggregate is suitable (there is none)", pool="spot"
    ),
    # contracts
    "no contract unless asked": Case(
        {"Contract-L40-Acme": "", "L40-n3": "me", "L40-n3-spot": ""}, "L40-n3-spot"
    ),
    "a contract keeps its host": Case(
        CONTRACT, "Contract-L40-Acme", "belongs to the contract L40-Acme and stays"
    ),
    "a contract lets it go when a pool is asked for": Case(CONTRACT, "L40-n3", pool="ondemand"),
    "a contract when asked": Case(
        {"L40-n3": "me", "Contract-L40-Acme": ""}, "Contract-L40-Acme", pool="contract"
    ),
    "nobody guesses whose": Case(
        {"L40-n3": "me", "Contract-L40-A": "", "Contract-L40-B": ""},
        None,
        "Several contracts are suitable: Contract-L40-A, Contract-L40-B",
        pool="contract",
    ),
    "the contract where it is": Case(
        {"Contract-L40-B": "me", "Contract-L40-A": ""}, "Contract-L40-B", pool="contract"
    ),
    # variants
    "NVLink stays NVLink": Case({**NVLINKS, "A100-n3-NVLink": "me"}, "A100-n3-NVLink-spot"),
    "without NVLink": Case({**NVLINKS, "A100-n3": "me"}, "A100-n3-spot"),
    "NetBox knows better": Case(
        {**NVLINKS, "A100-n3": "me"}, "A100-n3-NVLink-spot", nvlink=True, pool="spot"
    ),
    "and in the other way": Case(
        {**NVLINKS, "A100-n3-NVLink": "me"}, "A100-n3-spot", nvlink=False, pool="spot"
    ),
    "it is not known": Case(NVLINKS, "A100-n3-spot"),
    "NVLink is not given away": Case(
        {"A100-n3-NVLink": "me", "A100-n3-spot": ""}, "A100-n3-NVLink"
    ),
    "unless asked for": Case(
        {"A100-n3-NVLink": "me", "A100-n3-spot": ""},
        "A100-n3-spot",
        "host has NVLink, which it is not for",
        pool="spot",
    ),
    "a variant that it does not have": Case(
        {"A100-n3": "me", "A100-n3-NVLink-spot": ""},
        None,
        "A100-n3-NVLink-spot: host has no NVLink",
        pool="spot",
    ),
    "a variant that is asked for": Case(
        {**NVLINKS, "A100-n3": "me"}, "A100-n3-NVLink-spot", pool="spot", variant="NVLink"
    ),
    "a variant that NetBox denies": Case(
        {**NVLINKS, "A100-n3": "me"},
        None,
        "host has no NVLink, NetBox says",
        nvlink=False,
        variant="NVLink",
    ),
    # availability zones
    "a zone is not left": Case(ZONES, "L40-n3", "stays", used={"s": 8}),
    "unless asked for, when empty": Case(
        ZONES,
        "L40-n3-spot",
        "host's availability zone would change from az-1 to az-2",
        pool="spot",
    ),
    "never with servers": Case(
        ZONES,
        None,
        "L40-n3-spot: host's availability zone would change from az-1 to az-2, which needs drain",
        pool="spot",
        vms=1,
    ),
    "as if drained, too": Case(ZONES, "L40-n3-spot", pool="spot", vms=1, drained=True),
    "out of a zone": Case(ZONES, "L40-n3-runpod", "from az-1 to none", pool="runpod"),
    "within a zone": Case(
        {"L40-n3@az-1": "me", "L40-n3-spot@az-1": ""}, "L40-n3-spot", pool="spot", vms=1
    ),
    "another aggregate keeps the zone": Case(
        {"rack@az-1": "me", "L40-n3": "me", "L40-n3-spot": ""}, "L40-n3-spot", vms=1, pool="spot"
    ),
    "another aggregate forbids the zone": Case(
        {"rack@az-1": "me", "L40-n3": "me", "L40-n3-spot@az-2": ""},
        None,
        "L40-n3-spot: its zone is az-2, and rack keeps host in az-1",
        pool="spot",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_cases(name: str) -> None:
    advice = CASES[name].advice()
    assert advice.recommended_aggregate == CASES[name].to, advice.reasoning
    assert CASES[name].says in advice.reasoning
    assert advice.reasoning.endswith(".")


@pytest.mark.parametrize("name", CASES)
def test_alternatives_agree_with_the_recommendation(name: str) -> None:
    advice = CASES[name].advice()
    assert all(target.reasons for target in advice.alternatives)
    suitable = [target.aggregate for target in advice.alternatives if target.suitable]
    if advice.recommended_aggregate:
        assert suitable[0] == advice.alternatives[0].aggregate == advice.recommended_aggregate
    elif "several" not in advice.reasoning.lower():
        assert not suitable


def alternatives(advice: TargetAdvice) -> dict[str, Target]:
    return {target.aggregate: target for target in advice.alternatives}


def test_every_alternative_says_its_use_and_what_is_against_it() -> None:
    found = alternatives(Case(THREE, None, used={"a": 3, "s": 8}, vms=1).advice())
    assert found["L40-n3"].reasons == ["3/8 GPUs in use by others (37.5%)"]
    assert found["L40-n3-spot"].reasons == ["host has 1 VM", "8/8 GPUs in use by others (100%)"]
    assert found["L40-n3-runpod"].reasons == ["host has 1 VM", "no other hosts"]


def test_an_unknown_use_is_said_to_be_unknown() -> None:
    found = world(aggregate("L40-n3", "me", "a"), aggregate("L40-n3-spot"), amounts={"me": {}})
    reasons = alternatives(advise(found, "me"))["L40-n3"].reasons
    assert reasons == ["0 GPUs in use by others, of how many is not known"]


def flavored(metadata: dict[str, str]) -> TargetAdvice:
    scoped = {"resources:CUSTOM_GPU_L40": "8", "aggregate_instance_extra_specs:gpu": "L40"}
    found = world(
        aggregate("L40-n3", "me", metadata={"gpu": "L40"}),
        aggregate("L40-n3-spot", metadata=metadata),
        flavors=(Flavor("n3-L40x8", scoped),),
    )
    return advise(found, "me")


def test_an_aggregate_that_no_flavor_finds_is_not_suitable() -> None:
    assert flavored({"gpu": "L40"}).recommended_aggregate == "L40-n3-spot"
    advice = flavored({"gpu": "L4O"})
    assert advice.recommended_aggregate == "L40-n3"
    reasons = alternatives(advice)["L40-n3-spot"].reasons
    assert "no flavor asks for what its metadata offers" in reasons


def test_a_host_of_which_no_type_is_known_goes_nowhere() -> None:
    found = world(aggregate("L40-n3"), aggregate("misc", "me"))
    advice = advise(found, "me")
    assert (advice.gpu_type, advice.recommended_aggregate, advice.alternatives) == (None, None, [])
    assert "GPU type is not known" in advice.reasoning
    assert advise(found, "me", gpu_type="L40").recommended_aggregate == "L40-n3"


def test_the_type_has_to_agree() -> None:
    found = world(aggregate("L40-n3", "me"), aggregate("A100-n3"))
    assert advise(found, "me", gpu_type="L40").gpu_type == "L40"
    with pytest.raises(Conflict, match=r"host 'me': its GPUs are L40, not A100\."):
        advise(found, "me", gpu_type="A100")


@pytest.mark.parametrize(
    ("host", "hint"),
    [("ME", "Did you mean 'me'?"), ("mee", "Did you mean 'me'?"), ("zz", "Known hosts: a, me.")],
)
def test_unknown_hosts(host: str, hint: str) -> None:
    with pytest.raises(NotFound) as error:
        advise(world(aggregate("L40-n3", "me", "a")), host)
    assert error.value.hint == hint


def test_other_types_are_no_alternatives() -> None:
    advice = advise(world(aggregate("L40-n3", "me"), aggregate("A100-n3")), "me")
    assert [target.aggregate for target in advice.alternatives] == ["L40-n3"]


NAMES = ("L40-n3", "L40-n3-spot", "L40-n3-runpod", "L40-n3-NVLink", "Contract-L40-x")
ZONED = st.sampled_from(["", "", "az-1", "az-2"])


@st.composite
def situations(draw: st.DrawFn) -> tuple[list[Aggregate], dict[str, Any], Pool | None]:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1))
    homes = draw(st.lists(st.sampled_from(names), unique=True, max_size=2))
    made = [
        aggregate(name, *(["me"] if name in homes else []), f"other-{number}", zone=draw(ZONED))
        for number, name in enumerate(names)
    ]
    hosts = ["me", *(f"other-{number}" for number in range(len(names)))]
    more: dict[str, Any] = {
        "servers": tuple(server("me", name=f"vm{n}") for n in range(draw(st.integers(0, 2)))),
        "amounts": {host: {L40: (8, draw(st.integers(0, 8)))} for host in hosts},
        "computes": tuple(compute(host) for host in hosts),
        "netbox": {"me": NetboxHost(name="me", nvlink=draw(st.none() | st.booleans()))},
    }
    return made, more, draw(st.none() | st.sampled_from(POOLS))


@given(situations())
def test_what_holds_in_all_situations(
    situation: tuple[list[Aggregate], dict[str, Any], Pool | None],
) -> None:
    made, more, pool = situation
    found = world(*made, **more)
    advice = advise(found, "me", pool=pool)
    here = {a.name for a in found.pools_of("me")}
    best = advice.recommended_aggregate
    if best is None:
        assert advice.reasoning
        return
    assert found.classes[best].gpu_type == "L40"
    if pool:
        assert found.classes[best].pool == pool
    if found.classes[best].pool == "contract":
        assert pool == "contract" or best in here
    if more["servers"] and pool is None and here:
        assert best in here
    assert ("stays" in advice.reasoning) == (best in here)
    for order in list(permutations(made))[:6]:
        assert advise(world(*order, **more), "me", pool=pool) == advice
