# SPDX-License-Identifier: Apache-2.0
"""Pools as desired state on a real cloud: moved, unchanged, checked, side by side, failing."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rigs.openstack.api import Cloud
from rigs.openstack.faults import Faults, Rule
from typer.testing import CliRunner

from hostler import Fleet
from hostler.cli.app import app
from hostler.config import FleetConfig, OpenstackConfig, Policy
from hostler.errors import Conflict, HostlerError, InvalidInput, NotFound
from hostler.plan.outcome import Progress

Members = dict[str, list[str]]
Read = Callable[[], Members]
L40 = ["gpu-host-001", "gpu-host-002", "gpu-host-003"]


@pytest.fixture(scope="session")
def cloud() -> Cloud:
    """The rig, past our own client."""
    return Cloud()


@pytest.fixture
def members(cloud: Cloud) -> Read:
    """Read the hosts of the L40 pools; all of them take servers, and none is locked."""

    def read() -> Members:
        found = cloud.get("nova", "/v2.1/os-aggregates")["aggregates"]
        assert not [key for a in found for key in a["metadata"] if "lock" in key]
        services = cloud.get("nova", "/v2.1/os-services", binary="nova-compute")["services"]
        assert {service["status"] for service in services} == {"enabled"}
        return {
            a["name"].removeprefix("L40-n3").removeprefix("-"): sorted(a["hosts"])
            for a in found
            if a["name"].startswith("L40-n3")
        }

    return read


@pytest.fixture
def emptied(changed: None, cloud: Cloud) -> None:  # noqa: ARG001 - it puts them back
    """No L40 host has a server."""
    found = cloud.get("nova", "/v2.1/servers/detail", all_tenants=1)["servers"]
    ids = [one["id"] for one in found if one["OS-EXT-SRV-ATTR:host"] in L40]
    for server in ids:
        cloud.delete("nova", f"/v2.1/servers/{server}")
    deadline = time.monotonic() + 60
    while {one["id"] for one in _servers(cloud)} & {*ids}:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def _servers(cloud: Cloud) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cloud.get("nova", "/v2.1/servers", all_tenants=1)["servers"]
    return found


def task(**pools: int | str) -> dict[str, Any]:
    return {"gpu_type": "L40", "pools": pools}


@pytest.mark.usefixtures("changed")
def test_check_run_and_again(fleet: Fleet, members: Read) -> None:
    before, wanted = members(), task(ondemand=1, spot="rest", runpod=0)
    checked = fleet.gpu.pools.run(wanted, check=True)
    assert (checked.changed, members(), fleet.journal.list()) == (True, before, [])
    done = fleet.gpu.pools.run(wanted)
    assert (done.changed, done.error, done.warnings) == (True, None, [])
    assert (done.before, done.after) == (checked.before, checked.after)
    assert done.after == {"ondemand": 1, "spot": 2, "runpod": 0}
    (move,), (promised,) = done.moves, checked.moves
    assert (move.name, move.target_aggregate) == ("gpu-host-002", "L40-n3-spot")
    assert len(move.commands_executed) == len(promised.plan.commands if promised.plan else ())
    assert move.verification
    assert (move.verification.in_target, move.verification.placement_in_sync) == (True, True)
    assert members() == {"": L40[:1], "spot": L40[1:], "runpod": []}
    again = fleet.gpu.pools.run(wanted)
    assert (again.changed, again.moves, again.before, again.after) == (
        *(False, [], done.after, done.after),
    )
    assert len(fleet.journal.list()) == 1


@pytest.mark.usefixtures("changed")
def test_plans_can_be_applied_and_undone(fleet: Fleet, members: Read) -> None:
    before = members()
    (plan,) = fleet.gpu.pools.plan(task(ondemand=1, runpod="rest")).plans
    plan.apply()
    assert members()["runpod"] == ["gpu-host-002"]
    plan.undo()
    assert members() == before


@pytest.mark.usefixtures("emptied")
@pytest.mark.parametrize("parallel", [1, 2])
def test_so_many_at_once_and_no_more(fleet: Fleet, members: Read, parallel: int) -> None:
    working: set[str] = set()
    most, lock = 0, threading.Lock()

    def tell(step: Progress) -> None:
        nonlocal most
        with lock:
            ended = (step.number, step.fraction) == (step.total, 1.0)
            working.discard(step.plan) if ended else working.add(step.plan)
            most = max(most, len(working))

    wanted = task(ondemand=0, spot=0, runpod=3)
    done = fleet.gpu.pools.run(wanted, parallel=parallel, on_progress=tell)
    assert (done.error, most) == (None, parallel)
    assert members() == {"": [], "spot": [], "runpod": L40}


@pytest.mark.fault
@pytest.mark.usefixtures("emptied")
@pytest.mark.parametrize("call", ["add_host", "remove_host"])
def test_a_move_that_fails_leaves_the_others(
    proxied_fleet: Fleet, faults: Faults, members: Read, call: str
) -> None:
    rule = Rule("nova", "POST", r"/os-aggregates/\d+/action", f"{call}.*gpu-host-002")
    faults.set(Rule(**{**vars(rule), "action": "answer", "status": 409, "text": "{}"}))
    wanted = task(ondemand=0, spot=0, runpod=3)
    done = proxied_fleet.gpu.pools.run(wanted, parallel=1)
    assert faults.fired() == [1]
    assert [bool(move.error) for move in done.moves] == [False, True, False]
    assert (done.changed, done.error_code) == (True, "failed_items")
    assert (done.error or "").startswith("1 of 3 moves failed: gpu-host-002: ")
    assert (done.error or "").endswith("Now 1 in ondemand, 0 in spot, 2 in runpod.")
    assert done.after == {"ondemand": 1, "spot": 0, "runpod": 2}
    assert members() == {"": ["gpu-host-002"], "spot": [], "runpod": ["gpu-host-001", L40[2]]}
    again = proxied_fleet.gpu.pools.run(wanted)
    assert [move.name for move in again.moves] == ["gpu-host-002"]
    assert (again.error, members()["runpod"]) == (None, L40)


@pytest.mark.usefixtures("changed")
def test_a_host_that_somebody_else_has_moved_meanwhile_is_left_there(
    fleet: Fleet, cloud: Cloud, members: Read
) -> None:
    world = fleet.gpu.observe(flavors=True)
    found = cloud.get("nova", "/v2.1/os-aggregates")["aggregates"]
    ids = {a["name"]: a["id"] for a in found}
    for name, action in (("L40-n3-runpod", "add_host"), ("L40-n3", "remove_host")):
        path = f"/v2.1/os-aggregates/{ids[name]}/action"
        cloud.post("nova", path, {action: {"host": "gpu-host-002"}})
    now = members()
    done = fleet.gpu.pools.run(task(ondemand=1, spot="rest"), world=world)
    assert "it is in L40-n3-runpod: somebody else has moved it" in (done.error or "")
    assert (done.changed, done.after, members()) == (False, {"ondemand": 1, "spot": 1}, now)


@pytest.mark.usefixtures("changed")
def test_servers_are_migrated_away_where_it_must_be(
    environment: None,  # noqa: ARG001 - it comes first
    cloud: Cloud,
    members: Read,
) -> None:
    policy = Policy(protected=("gpu-host-002",))
    config = FleetConfig(openstack=OpenstackConfig(cloud="box"), policy=policy)
    with Fleet(config) as fleet:
        with pytest.raises(Conflict, match=r"001 \(2 servers\), gpu-host-002 \(it is protected"):
            fleet.gpu.pools.run(task(ondemand=1, spot="rest"))
        done = fleet.gpu.pools.run({**task(ondemand=1, spot="rest"), "drain": True})
    assert done.error is None
    assert members() == {"": ["gpu-host-002"], "spot": ["gpu-host-001", L40[2]], "runpod": []}
    found = cloud.get("nova", "/v2.1/servers/detail", all_tenants=1, host="gpu-host-002")
    assert sorted(one["name"] for one in found["servers"]) == ["a-train-1", "a-train-2"]


BAD: list[tuple[dict[str, Any], type[HostlerError], str]] = [
    ({"gpu_type": "l40", "pools": {"spot": 1}}, NotFound, "Did you mean 'L40'"),
    (task(ondemand=12, spot="rest"), InvalidInput, "12 hosts are wanted, and there are 3:"),
    (task(ondemand=0, runpod="rest"), Conflict, "without touching servers: gpu-host-001"),
    ({**task(ondemand=1, spot="rest"), "max_moves": 0}, Conflict, "max_moves is 0"),
]


@pytest.mark.parametrize(("wanted", "error", "says"), BAD)
def test_what_can_not_be_is_refused_whole(
    fleet: Fleet, members: Read, wanted: dict[str, Any], error: type[HostlerError], says: str
) -> None:
    before = members()
    with pytest.raises(error) as caught:
        fleet.gpu.pools.run(wanted)
    assert says in str(caught.value)
    assert (members(), fleet.journal.list()) == (before, [])


@pytest.fixture
def run(environment: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:  # noqa: ARG001
    monkeypatch.setenv("COLUMNS", "80")

    def invoke(*args: str, code: int = 0) -> Any:
        words = ["gpu", "pools", "L40", *args, "--cloud", "box"]
        result = CliRunner().invoke(app, words)
        assert result.exit_code == code, result.output + repr(result.exception)
        return result

    return invoke


@pytest.mark.usefixtures("changed")
def test_in_the_shell(run: Callable[..., Any], members: Read) -> None:
    wanted = ("--set", "ondemand=1", "--set", "spot=rest")
    before = members()
    shown = run(*wanted, "--check").stdout
    assert ["ondemand", "2", "1"] in [line.split() for line in shown.splitlines()]
    assert "  $ openstack aggregate add host L40-n3-spot gpu-host-002\n" in shown
    assert "this needs a yes. Add --yes" in run(*wanted, code=2).stderr
    assert members() == before
    done = [line.split() for line in run(*wanted, "--yes").stdout.splitlines()]
    assert ["POOL", "BEFORE", "NOW"] in done
    assert ["gpu-host-002", "changed", "L40-n3", "L40-n3-spot"] in done
    assert members()["spot"] == L40[1:]
    assert "Nothing to do." in run(*wanted, "--yes").stdout
    assert json.loads(run(*wanted, "--json", "--check").stdout)["changed"] is False


def test_in_the_shell_errors_are_sentences(run: Callable[..., Any], tmp_path: Path) -> None:
    wrong = run("--set", "spot", "--yes", code=2).stderr
    assert "Error: --set: 'spot' is not the number of a pool. Give POOL=HOSTS" in wrong
    wrong = run("--set", "spot=-1", "--yes", code=2).stderr
    assert "spot must be a number of hosts, or rest" in wrong
    wrong = run("--set", "spot=2", "--set", "ondemand=rest", "--max-moves", "0", "--yes", code=1)
    assert "it takes 1 move (gpu-host-002), and max_moves is 0" in wrong.stderr
    assert not (tmp_path / "journal.db").exists()
