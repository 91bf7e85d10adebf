# SPDX-License-Identifier: Apache-2.0
"""Pools as desired state: a table of situations, the moves they take, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from hostler.config import Policy
from hostler.errors import Conflict, HostlerError, InvalidInput, NotFound, PolicyError
from hostler.gpu.planner import plan_migration
from hostler.gpu.planner.pool import PoolPlan, plan_pools
from hostler.gpu.world import GpuWorld
from hostler.models.gpu_pool import GpuPoolTask
from hostler.models.netbox import NetboxHost
from hostler.models.problems import checked

from .worlds import aggregate, compute, server, world

L40 = {"L40-n3": "a b c d", "L40-n3-spot": "s t", "L40-n3-runpod": "r"}
PAIR = {"L40-n3": "a b", "L40-n3-spot": ""}
NVLINK = {"L40-n3": "a", "L40-n3-NVLink": "n", "L40-n3-spot": "", "L40-n3-NVLink-spot": ""}
CONTRACT = {**PAIR, "Contract-Acme-8xL40": "k"}
ZONES = {"L40-n3@az1": "a b", "L40-n3-spot@az2": "s", "L40-n3-runpod": ""}


@dataclass(frozen=True)
class Case:
    """Pools, and the moves that bring them to what is wanted.

    Attributes:
        aggregates: name to hosts; ``name@zone`` is in a zone.
        pools: what is wanted.
        moves: the aggregate that each host moves to, in their order.
        vms: the GPUs of each server of a host.
        outside: hosts in no pool.
        down, disabled: hosts whose compute service is that.
        netbox: whether a host has NVLink.
        says: is part of the warnings.
    """

    aggregates: dict[str, str]
    pools: dict[str, int | str]
    moves: dict[str, str] = field(default_factory=dict)
    vms: dict[str, str] = field(default_factory=dict)
    outside: str = ""
    down: str = ""
    disabled: str = ""
    netbox: dict[str, bool] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    says: str = ""

    @property
    def world(self) -> GpuWorld:
        made = []
        for name, hosts in self.aggregates.items():
            plain, _, zone = name.partition("@")
            made.append(aggregate(plain, *hosts.split(), zone=zone))
        names = sorted({host for a in made for host in a.hosts} | set(self.outside.split()))
        computes = (
            compute(
                name, up=name not in self.down.split(), enabled=name not in self.disabled.split()
            )
            for name in names
        )
        return world(
            *made,
            computes=tuple(computes),
            amounts={name: {"CUSTOM_GPU_L40": (8, 0)} for name in names},
            servers=tuple(
                server(host, f"n3-L40x{gpus}", name=f"{host}-vm{number}")
                for host, sizes in self.vms.items()
                for number, gpus in enumerate(sizes.split())
            ),
            netbox={
                host: NetboxHost(name=host, nvlink=nvlink) for host, nvlink in self.netbox.items()
            },
        )

    @property
    def task(self) -> GpuPoolTask:
        data = {"gpu_type": "L40", "pools": self.pools, **self.options}
        return checked(GpuPoolTask, data, on="task")

    def plan(self) -> PoolPlan:
        return plan_pools(self.world, self.task, self.policy)


def after(start: GpuWorld, plan: PoolPlan, policy: Policy) -> GpuWorld:
    """The world once the moves are made."""
    leaving = frozenset(move.host for move in plan.moves)
    for move in plan.moves:
        _, start = plan_migration(start, move, policy, leaving)
    return start


CASES = {
    "as it is": Case(L40, {"ondemand": 4, "spot": 2, "runpod": 1}),
    "as it is, the rest": Case(L40, {"ondemand": 4, "spot": "rest"}),
    "by name": Case(
        L40, {"ondemand": 2, "spot": 4, "runpod": 1}, {"a": "L40-n3-spot", "b": "L40-n3-spot"}
    ),
    "numbers as text": Case(L40, {"ondemand": "3", "spot": "3"}, {"a": "L40-n3-spot"}),
    "empty ones": Case(
        L40, {"ondemand": 3, "spot": "rest"}, {"c": "L40-n3-spot"}, vms={"a": "1", "b": "1 1"}
    ),
    "the rest gives": Case(
        L40, {"spot": 4, "ondemand": "rest"}, {"b": "L40-n3-spot", "d": "L40-n3-spot"},
        vms={"a": "1", "c": "1"},
    ),
    "to and from several": Case(
        L40, {"ondemand": 1, "spot": 0, "runpod": "rest"},
        dict.fromkeys("abcst", "L40-n3-runpod"),
    ),
    "not down, not disabled": Case(
        L40, {"ondemand": 3, "spot": "rest"}, {"c": "L40-n3-spot"}, down="a", disabled="b"
    ),
    "down where nothing else is": Case(
        PAIR, {"ondemand": 1, "spot": 1}, {"b": "L40-n3-spot"}, vms={"a": "1"}, down="b",
        says="Host b is down, and moved as no other one can be.",
    ),
    "not protected": Case(
        L40, {"ondemand": 3, "spot": "rest"}, {"b": "L40-n3-spot"}, policy=Policy(protected=("a",))
    ),
    "protected, and meant": Case(
        L40, {"ondemand": 3, "spot": "rest"}, {"a": "L40-n3-spot"},
        policy=Policy(protected=("a",)), options={"override_protection": True},
    ),
    "one in no pool fills": Case(
        PAIR, {"ondemand": 2, "spot": 1}, {"x": "L40-n3-spot"}, outside="x y",
        says="Host x is in no pool so far, and used for spot.",
    ),
    "those in pools before one in none": Case(
        PAIR, {"spot": 1, "ondemand": "rest"}, {"a": "L40-n3-spot"}, outside="0"
    ),
    "one in no pool where those in pools have servers": Case(
        PAIR, {"spot": 1, "ondemand": "rest"}, {"x": "L40-n3-spot"}, outside="x",
        vms={"a": "1", "b": "1"},
    ),
    "the rest does not collect those in no pool": Case(PAIR, {"ondemand": "rest"}, outside="x"),
    "NVLink goes to NVLink": Case(
        NVLINK, {"ondemand": 0, "spot": 2}, {"a": "L40-n3-spot", "n": "L40-n3-NVLink-spot"}
    ),
    "NVLink is not wasted": Case(
        {"L40-n3": "b", "L40-n3-NVLink": "a", "L40-n3-spot": ""}, {"ondemand": 1, "spot": 1},
        {"b": "L40-n3-spot"},
    ),
    "NVLink is wasted where nothing else is": Case(
        {"L40-n3": "b", "L40-n3-NVLink": "a", "L40-n3-spot": ""}, {"ondemand": 1, "spot": 1},
        {"a": "L40-n3-spot"}, vms={"b": "1"},
    ),
    "NetBox knows of NVLink": Case(
        {**NVLINK, "L40-n3": "a b", "L40-n3-NVLink": ""}, {"ondemand": 1, "spot": 1},
        {"a": "L40-n3-NVLink-spot"}, vms={"b": "1"}, netbox={"a": True},
    ),
    "one variant alone": Case(
        NVLINK, {"ondemand": 0, "spot": 1}, {"n": "L40-n3-NVLink-spot"},
        options={"variant": "NVLink"},
    ),
    "one variant, from no pool": Case(
        {**NVLINK, "L40-n3-NVLink": ""}, {"spot": 1}, {"y": "L40-n3-NVLink-spot"},
        outside="w x y", netbox={"x": False, "y": True}, options={"variant": "NVLink"},
    ),
    "contract by its name": Case(
        CONTRACT, {"ondemand": "rest", "Acme-8xL40": 2}, {"a": "Contract-Acme-8xL40"}
    ),
    "contract by its aggregate": Case(
        CONTRACT, {"ondemand": 3, "Contract-Acme-8xL40": 0}, {"k": "L40-n3"}
    ),
    "a contract that is not named is left alone": Case(
        CONTRACT, {"ondemand": 0, "spot": 2}, {"a": "L40-n3-spot", "b": "L40-n3-spot"}
    ),
    "another zone, empty": Case(ZONES, {"ondemand": 1, "spot": 2}, {"a": "L40-n3-spot"}),
    "another zone that another aggregate forbids: by way of a third pool": Case(
        {**ZONES, "L40-n3@az1": "a", "L40-n3-runpod": "z", "rack@az1": "a"},
        {"ondemand": 0, "spot": 2, "runpod": 1},
        {"a": "L40-n3-runpod", "z": "L40-n3-spot"},
    ),
    "a pool without aggregates that needs none": Case(PAIR, {"ondemand": 2, "runpod": 0}),
    "drained where it must": Case(
        PAIR, {"ondemand": 1, "spot": 1}, {"a": "L40-n3-spot"}, vms={"a": "1", "b": "1 1"},
        options={"drain": True},
    ),
    "drained, the fewest servers": Case(
        PAIR, {"ondemand": 1, "spot": 1}, {"b": "L40-n3-spot"}, vms={"a": "1 1", "b": "4"},
        options={"drain": True},
    ),
    "drained, where all servers find a place together": Case(
        {"L40-n3": "p q u v", "L40-n3-spot": ""}, {"ondemand": 2, "spot": 2},
        {"p": "L40-n3-spot", "v": "L40-n3-spot"},
        vms={"p": "5", "q": "5", "v": "1 1 1 1"}, policy=Policy(protected=("u",)),
        options={"drain": True},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_moves(case: Case) -> None:
    plan = case.plan()
    assert {move.host: move.target for move in plan.moves} == case.moves
    assert [plan_.target for plan_ in plan.plans] == [f"host/{move.host}" for move in plan.moves]
    assert case.says in " ".join(plan.warnings)
    assert not (plan.warnings and not case.says and not case.outside)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_again_there_is_nothing_to_do(case: Case) -> None:
    plan = case.plan()
    then = after(case.world, plan, case.policy)
    again = plan_pools(then, case.task, case.policy)
    assert (again.moves, again.warnings) == ([], [])
    assert again.before == again.after == plan.after
    wanted = {name: int(number) for name, number in case.pools.items() if number != "rest"}
    assert {name: plan.after[name] for name in wanted} == wanted


@dataclass(frozen=True)
class Refused:
    """What can't be, and the sentence that says so."""

    case: Case
    error: type[HostlerError]
    says: str


REFUSED = {
    "servers": Refused(
        Case(L40, {"ondemand": 2, "spot": 4, "runpod": 1}, vms={"a": "1", "b": "1 1", "c": "1"}),
        Conflict,
        "pools of L40: spot lacks 1, and no other host can go there without touching servers:"
        " a (1 server), b (2 servers), c (1 server). Say drain: true to migrate servers away"
        " first, or ask for less.",
    ),
    "protected": Refused(
        Case(PAIR, {"ondemand": 0, "spot": 2}, policy=Policy(protected=("b",))),
        Conflict,
        "spot lacks 1, and no other host can go there without touching servers:"
        " b (it is protected).",
    ),
    "no place to drain to": Refused(
        Case(PAIR, {"ondemand": 0, "spot": 2}, vms={"a": "8"}, options={"drain": True}),
        Conflict,
        "spot lacks 1, and no other host can go there: a (it can't be drained: a-vm0 (no other"
        " host of L40-n3 has 8 GPUs free)). Ask for less, or free some hosts yourself.",
    ),
    "no NVLink": Refused(
        Case({"L40-n3": "a", "L40-n3-NVLink-spot": ""}, {"ondemand": 0, "spot": 1}),
        Conflict,
        "a (L40-n3-NVLink-spot: host has no NVLink, no other hosts)",
    ),
    "too many": Refused(
        Case(L40, {"ondemand": 12, "spot": 6, "runpod": "rest"}, outside="x"),
        InvalidInput,
        "pools of L40: 18 hosts are wanted, and there are 8: 4 in ondemand, 2 in spot, 1 in runpod,"
        " 1 in no pool. Ask for 8 at most.",
    ),
    "too many or too few": Refused(
        Case(L40, {"ondemand": 1, "spot": 2, "runpod": 1}, outside="x"),
        InvalidInput,
        " 1 in no pool. Give one pool the rest, or numbers that add up to 7 to 8.",
    ),
    "too few": Refused(
        Case(PAIR, {"ondemand": 1, "spot": 0}),
        InvalidInput,
        "pools of L40: 1 host is wanted, and there are 2: 2 in ondemand, 0 in spot. Give one pool"
        " the rest, or numbers that add up to 2.",
    ),
    "max_moves": Refused(
        Case(L40, {"ondemand": 0, "spot": "rest"}, options={"max_moves": 3}),
        Conflict,
        "pools of L40: it takes 4 moves (a, b, c, d), and max_moves is 3.",
    ),
    "read-only": Refused(
        Case(PAIR, {"ondemand": 1, "spot": 1}, policy=Policy(read_only=True)),
        PolicyError,
        "pools of L40: the fleet is read-only.",
    ),
    "two at once": Refused(
        Case({"L40-n3": "a", "L40-n3-spot": "a"}, {"ondemand": 1, "spot": "rest"}),
        Conflict,
        "pools of L40: host a is both in ondemand and in spot. Take it out of one of them first.",
    ),
    "no such type": Refused(
        Case(PAIR, {"spot": 1}, options={"gpu_type": "l40"}), NotFound, "Did you mean 'L40'?"
    ),
    "no such variant": Refused(
        Case(NVLINK, {"spot": 1}, options={"variant": "nvlink"}), NotFound, "'NVLink'?"
    ),
    "no such pool": Refused(
        Case(CONTRACT, {"Spot": 1}),
        NotFound,
        "pool 'Spot': L40 has no such pool or contract. Did you mean 'spot'?",
    ),
    "contract": Refused(
        Case(CONTRACT, {"contract": 1}),
        NotFound,
        "pool 'contract': L40 has no such pool or contract. Known pools and contracts: Acme-8xL40,",
    ),
    "no aggregate": Refused(
        Case(PAIR, {"ondemand": "rest", "runpod": 1}),
        NotFound,
        "pool 'runpod': L40 has no aggregate of it. Create one",
    ),
    "negative": Refused(
        Case(PAIR, {"spot": -1}), InvalidInput, "task: pools: spot must be a number of hosts, or"
    ),
    "a truth": Refused(Case(PAIR, {"spot": True}), InvalidInput, "spot must be a number of hosts"),
    "a word": Refused(Case(PAIR, {"spot": "all"}), InvalidInput, "spot must be a number of hosts"),
    "no pools": Refused(Case(PAIR, {}), InvalidInput, "pools"),
    "two rests": Refused(
        Case(PAIR, {"spot": "rest", "ondemand": "rest"}),
        InvalidInput,
        "task: pools: only one pool can have the rest.",
    ),
    "no options": Refused(
        Case(PAIR, {"spot": 1}, options={"force": True}), InvalidInput, "there is no such option"
    ),
}


@pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED)
def test_refused(refused: Refused) -> None:
    with pytest.raises(refused.error) as caught:
        refused.case.plan()
    assert refused.says in str(caught.value)


def test_right_numbers_are_no_change_in_a_read_only_fleet() -> None:
    case = Case(PAIR, {"ondemand": 2, "spot": 0}, policy=Policy(read_only=True))
    assert case.plan().moves == []


def test_only_some_of_many_are_named() -> None:
    names = [f"h{number:02}" for number in range(20)]
    many = {"L40-n3": " ".join(names), "L40-n3-spot": ""}
    case = Case(many, {"spot": 1, "ondemand": "rest"}, vms=dict.fromkeys(names, "1"))
    with pytest.raises(Conflict, match=r"h07 \(1 server\), 12 more\. Say drain"):
        case.plan()
