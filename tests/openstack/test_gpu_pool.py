# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gpu_pool through both doors; the role of that name and the playbook that uses it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from integration.conftest import PLAYBOOK, Play, Task
from rigs.openstack.api import Cloud
from rigs.openstack.faults import Faults, Rule

POOL = "hostler.fleet.gpu_pool"
L40: dict[str, Any] = {"gpu_type": "L40", "pools": {"ondemand": 1, "spot": "rest"}}


def pool(task: str, /, *, check: bool = False, **options: Any) -> Task:
    return {"name": task, POOL: options, "ignore_errors": True, "check_mode": check, "diff": True}


def hosts(aggregate: str) -> list[str]:
    found = Cloud().get("nova", "/v2.1/os-aggregates")["aggregates"]
    return sorted(next(a["hosts"] for a in found if a["name"] == aggregate))


@pytest.mark.usefixtures("changed")
def test_check_run_and_again(play: Play) -> None:
    told = play([pool("check", check=True, **L40), pool("run", **L40), pool("again", **L40)])
    check, run, again = told["check"], told["run"], told["again"]
    assert [result["changed"] for result in (check, run, again)] == [True, True, False]
    assert not any(result["failed"] for result in told.values())
    for result in (check, run):
        assert result["gpu_type"] == "L40"
        assert result["before"] == {"ondemand": 2, "spot": 1}
        assert result["after"] == {"ondemand": 1, "spot": 2}
        assert result["diff"]["before"] == "ondemand: 2\nspot: 1\n"
        assert result["diff"]["after"] == "ondemand: 1\nspot: 2\n"
        (move,) = result["moves"]
        assert (move["name"], move["changed"]) == ("gpu-host-002", True)
        assert (move["source_aggregate"], move["target_aggregate"]) == ("L40-n3", "L40-n3-spot")
    (promised,), (done,) = check["moves"], run["moves"]
    assert (promised["commands_executed"], promised["verification"]["in_source"]) == ([], True)
    assert (len(done["commands_executed"]), done["verification"]["in_target"]) == (
        *(len(promised["plan"]["commands"]), True),
    )
    assert (again["moves"], again["before"], again["after"]) == ([], run["after"], run["after"])
    assert "diff" not in again or not again["diff"]
    assert hosts("L40-n3-spot") == ["gpu-host-002", "gpu-host-003"]


@pytest.mark.usefixtures("changed")
def test_a_move_that_fails_is_reported_with_the_numbers(play: Play, faults: Faults) -> None:
    faults.set(Rule("nova", "POST", "/action", "add_host.*-002", action="answer", status=409))
    told = play([pool("run", cloud="box-proxied", **L40)])["run"]
    assert faults.fired() == [1]
    assert (told["failed"], told["changed"], told["error"]["code"]) == (True, False, "failed_items")
    assert told["error"]["message"] == told["msg"]
    assert told["msg"].startswith("1 of 1 moves failed: gpu-host-002: could not put host")
    assert told["msg"].endswith("Now 2 in ondemand, 1 in spot.")
    assert told["after"] == told["before"] == {"ondemand": 2, "spot": 1}
    assert told["moves"][0]["failed"]
    assert hosts("L40-n3") == ["gpu-host-001", "gpu-host-002"]


BAD = {
    "type": (pool("type", gpu_type="l40", pools={"spot": 1}), "not_found", "mean 'L40'?"),
    "pool": (pool("pool", gpu_type="L40", pools={"spto": 1}), "not_found", "mean 'spot'?"),
    "sum": (
        pool("sum", gpu_type="L40", pools={"ondemand": 12, "spot": "rest"}),
        "invalid_input",
        "pools of L40: 12 hosts are wanted, and there are 3: 2 in ondemand, 1 in spot.",
    ),
    "number": (
        pool("number", gpu_type="L40", pools={"spot": "some"}),
        "invalid_input",
        "pools: spot must be a number of hosts, or rest.",
    ),
    "servers": (
        pool("servers", gpu_type="L40", pools={"ondemand": 0, "spot": "rest"}),
        "conflict",
        "spot lacks 1, and no other host can go there without touching servers: gpu-host-001 (2",
    ),
    "moves": (pool("moves", max_moves=0, **L40), "conflict", "it takes 1 move (gpu-host-002)"),
    "rights": (pool("rights", cloud="box-reader", **L40), "denied", "we may not do that"),
}


def test_bad_input_is_a_sentence(play: Play, door: str) -> None:
    cases = BAD if door == "local" else {name: BAD[name] for name in ("number", "servers")}
    told = play([case[0] for case in cases.values()])
    for name, case in cases.items():
        code, says = case[1:]
        assert (told[name]["failed"], told[name]["error"]["code"]) == (True, code), told[name]
        assert says in told[name]["msg"]
        assert "\n" not in told[name]["msg"]
    assert hosts("L40-n3") == ["gpu-host-001", "gpu-host-002"]


def rebalance(environment: dict[str, str], *arguments: str, **variables: Any) -> str:
    book = "hostler.fleet.rebalance_pools"
    command: list[Path | str] = [PLAYBOOK, book, "--extra-vars", json.dumps(variables), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


WANTED: list[dict[str, Any]] = [
    L40,
    {"gpu_type": "A100", "variant": "NVLink", "pools": {"ondemand": 0, "spot": 1}},
    {"gpu_type": "RTX-A4000", "pools": {"ondemand": 9, "spot": "rest"}},
]


@pytest.mark.usefixtures("changed")
def test_role_and_playbook(environment: dict[str, str]) -> None:
    check = rebalance(environment, "--check", pools=WANTED[:2])
    assert "changed=1 " in check, check
    assert hosts("L40-n3-spot") == ["gpu-host-003"]
    run = rebalance(environment, pools=WANTED)
    says = ("L40: {'ondemand': 2, 'spot': 1} -> {'ondemand': 1, 'spot': 2}", "RTX-A4000: ? -> ?")
    assert all(words in run for words in says), run
    assert "9 hosts are wanted, and there are 2" in run
    assert "failed=1 " in run
    assert hosts("L40-n3-spot") == ["gpu-host-002", "gpu-host-003"]
    assert hosts("A100-n3-NVLink-spot") == ["gpu-host-005"]


def test_role_checks_its_variables(environment: dict[str, str], tmp_path: Path) -> None:
    environment["HOSTLER_STORE"] = f"sqlite:///{tmp_path}/other.db"
    for pools, says in (
        ([{"gpu_type": "L40"}], "missing required arguments: pools"),
        ([{**L40, "force": True}], "force"),
    ):
        assert says in rebalance(environment, pools=pools)
    assert not (tmp_path / "other.db").exists()
