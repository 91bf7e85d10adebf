# SPDX-License-Identifier: Apache-2.0
"""Room is reserved before a VM is made; who comes second gets none of it, in any process."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from hostler import Fleet
from hostler.errors import NoRoom, PlanFailed
from hostler.hosts.reservations import KEPT
from hostler.models.placement import PlacementRequest
from hostler.models.size import GIB
from hostler.plan.plan import Plan, new_id
from hostler.store.tables import reservations

from .conftest import MakeFleet
from .nodes import gpu, node, vm

pytestmark = pytest.mark.slow

RESERVES = """
import json, sys, time
from hostler import Fleet
from hostler.config import FleetConfig
from hostler.models.placement import PlacementRequest
from hostler.errors import NoRoom
from hostler.plan.plan import new_id
config, name, number = json.loads(sys.argv[1]), sys.argv[2], int(sys.argv[3])
with Fleet(FleetConfig.model_validate(config)) as fleet:
    rooms, got = fleet.hosts.rooms, []
    print("ready", flush=True)
    sys.stdin.readline()
    for n in range(number):
        request = PlacementRequest(vm=f"{name}{n}", cpus=1, memory=2**30)
        while True:
            (placed,) = rooms.place([request])
            if isinstance(placed, NoRoom):
                break
            try:
                rooms.reserve(new_id(), placed.host, request, placed.gpus)
            except NoRoom:
                continue
            got.append(placed.host)
            break
    print(json.dumps(got), flush=True)
    sys.stdin.readline()
"""


def request(name: str, **more: Any) -> PlacementRequest:
    return PlacementRequest.model_validate({"vm": name, "cpus": 1, "memory": GIB, **more})


@pytest.fixture
def fields(tmp_path: Path) -> dict[str, Any]:
    """Two hosts with room for 5 and 3 virtual CPUs; one has two GPUs."""
    one = node(tmp_path / "one.xml", vm("has", cpus=3), devices=(gpu(1), gpu(2)))
    two = node(tmp_path / "two.xml")
    return {
        "hosts": {
            "one": {"uri": one, "cpu_limit": 8},
            "two": {"uri": two, "cpu_limit": 3},
        }
    }


@pytest.fixture
def pool(make_fleet: MakeFleet, fields: dict[str, Any]) -> Fleet:
    return make_fleet(**fields)


def reserve(fleet: Fleet, wanted: PlacementRequest) -> str:
    (placed,) = fleet.hosts.rooms.place([wanted])
    if isinstance(placed, Exception):
        raise placed
    claim = new_id()
    fleet.hosts.rooms.reserve(claim, placed.host, wanted, placed.gpus)
    return claim


def reserved(fleet: Fleet) -> float:
    return sum(info.reserved.cpus for info in fleet.hosts.info() if info.reserved)


def test_processes_at_once_fill_hosts_and_no_more(
    pool: Fleet, fields: dict[str, Any], tmp_path: Path
) -> None:
    config = json.dumps({**fields, "store": f"sqlite:///{tmp_path}/pool.db"})
    assert reserved(pool) == 0
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", RESERVES, config, name, "4"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("a", "b", "c")
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    got = [host for p in processes for host in json.loads(p.stdout.readline())]  # type: ignore[union-attr]
    assert sorted(got) == ["one"] * 5 + ["two"] * 3
    assert reserved(pool) == 8
    for process in processes:
        process.kill()
        process.wait()
    assert reserved(pool) == 0  # nobody is making those VMs any more


def test_a_reservation_takes_room_until_it_is_released(pool: Fleet) -> None:
    claims = [reserve(pool, request(f"v{n}")) for n in range(8)]
    with pytest.raises(NoRoom, match="one has 0 of 8 virtual CPUs left; two has 0 of 3"):
        reserve(pool, request("late"))
    pool.hosts.rooms.reservations.release(claims[0])
    reserve(pool, request("late"))


def test_the_slower_one_is_told(pool: Fleet) -> None:
    wanted = request("a", cpus=5)
    rooms = pool.hosts.rooms
    (placed,) = rooms.place([wanted])
    assert not isinstance(placed, Exception)
    rooms.reserve("first", placed.host, request("b", cpus=5), ())
    with pytest.raises(NoRoom) as error:
        rooms.reserve("second", placed.host, wanted, ())
    assert str(error.value) == (
        "VM 'a': host one now has 0 of 8 virtual CPUs left. "
        "Run it again: it looks for another host."
    )


def test_a_gpu_is_given_once(pool: Fleet) -> None:
    rules = {"gpu": {"model": "*L40S*"}}
    rooms = pool.hosts.rooms
    first, second = rooms.place([request("a", rules=rules), request("b", rules=rules)])
    assert not isinstance(first, Exception)
    assert not isinstance(second, Exception)
    assert (first.gpus, second.gpus) == (["0000:01:00.0"], ["0000:02:00.0"])
    rooms.reserve("first", "one", request("a", rules=rules), first.gpus)
    with pytest.raises(NoRoom, match=r"has given away GPU 0000:01:00\.0"):
        rooms.reserve("second", "one", request("b", rules=rules), first.gpus)
    (third,) = rooms.place([request("c", rules=rules)])
    assert not isinstance(third, Exception)
    assert third.gpus == ["0000:02:00.0"]


def test_one_that_is_settled_counts_for_those_who_looked_before(pool: Fleet) -> None:
    reservations_of = pool.hosts.rooms.reservations
    claim = reserve(pool, request("v", cpus=2))
    rows = pool.hosts.read(pool.hosts.list())
    reservations_of.settle(claim)
    considered = pool.hosts.rooms.candidates(rows)
    assert sum(one.candidate.reserved.cpus for one in considered) == 2  # they looked before that
    assert reserved(pool) == 0  # they looked later, and the VM was gone again
    by_another_machine(pool, claim)
    assert reserved(pool) == 2  # whose clock may be behind
    age(pool, claim, settled=time.time() - 60)
    assert reserved(pool) == 0
    age(pool, claim, settled=time.time() - KEPT - 1)
    reserve(pool, request("w"))
    assert reservations_of.find(claim) is None


def test_one_of_a_vm_that_never_came_expires(pool: Fleet) -> None:
    claim = reserve(pool, request("v", cpus=2))
    age(pool, claim, expires=time.time() - 1)
    assert reserved(pool) == 0


def by_another_machine(fleet: Fleet, claim: str) -> None:
    data = {"labels": {}, "pools": {}, "gpus": [], "who": ["me", "elsewhere", 1, "1"]}
    with fleet.store.write() as db:
        db.execute(update(reservations).where(reservations.c.id == claim).values(data=data))


def age(fleet: Fleet, claim: str, **values: float) -> None:
    with fleet.store.write() as db:
        db.execute(update(reservations).where(reservations.c.id == claim).values(**values))


def plan_of(fleet: Fleet, wanted: PlacementRequest) -> Plan:
    (placed,) = fleet.hosts.rooms.place([wanted])
    assert not isinstance(placed, Exception)
    plan = Plan(target=f"vm/{wanted.vm}", summary=f"create VM {wanted.vm}")
    return fleet.hosts.rooms.keep(plan, wanted, placed, new_id()).bind(fleet.runner)


def test_plans_reserve_first_and_settle_last(pool: Fleet) -> None:
    plan = plan_of(pool, request("v", cpus=2))
    assert plan.commands == [
        "# reserve on host two for VM v: 2 CPUs, 1GiB",
        "# end the reservation on host two for VM v",
    ]
    assert plan.summary == (
        "create VM v (host two: the fewest VMs: "
        "has 0 VMs, 67 % of CPUs and 6 % of memory with this one)"
    )
    assert plan.facts["placement"]["host"] == "two"
    plan.apply()
    (claim,) = pool.hosts.rooms.reservations.read(["two"])
    assert (claim.vm, claim.cpus, claim.memory) == ("v", 2, GIB)
    assert claim.settled
    plan.undo()
    assert pool.hosts.rooms.reservations.read(["two"]) == []


def test_a_plan_that_comes_too_late_changes_nothing(pool: Fleet) -> None:
    first, second = (plan_of(pool, request(name, cpus=3)) for name in ("a", "b"))
    first.apply()
    with pytest.raises(PlanFailed, match="host two now has 0 of 3 virtual CPUs left") as error:
        second.apply()
    assert error.value.outcome.status == "undone"
    assert [c.vm for c in pool.hosts.rooms.reservations.read(["two"])] == ["a"]


def test_a_reservation_is_gone_with_its_host(pool: Fleet) -> None:
    reserve(pool, request("v"))
    pool.hosts.registry.forget("two")
    assert pool.hosts.rooms.reservations.read(["two"]) == []
