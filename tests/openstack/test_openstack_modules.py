# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""openstack_server_port, openstack_server_info and openstack_network_info, through both doors."""

from __future__ import annotations

from typing import Any

import pytest
from integration.conftest import Play, Task
from rigs.openstack.faults import Faults, Rule
from rigs.openstack.porting import NAME, NETWORK, SERVER, TASK, Seen, cloud, seen, storage

__all__ = ["cloud", "seen", "storage"]


def task(title: str, /, module: str, *, check: bool = False, **options: Any) -> Task:
    return {
        "name": title,
        f"hostler.fleet.openstack_{module}": options,
        "ignore_errors": True,
        "check_mode": check,
        "diff": True,
    }


def test_port_present_and_absent(play: Play, seen: Seen) -> None:
    wanted = {**TASK, "security_groups": ["default"], "fixed_ip": "10.150.0.30"}
    told = play(
        [
            task("check", "server_port", check=True, **wanted),
            task("unseen", "server_info", name=SERVER, ports=True),
            task("made", "server_port", **wanted),
            task("again", "server_port", **wanted),
            task("seen", "server_info", name=SERVER, ports=True),
            task("differs", "server_port", **{**wanted, "fixed_ip": "10.150.0.31"}),
            task("gone", "server_port", state="absent", **TASK),
            task("gone again", "server_port", state="absent", **TASK),
        ]
    )
    changed = {name: result["changed"] for name, result in told.items() if "changed" in result}
    assert changed == {
        "check": True,
        "unseen": False,
        "made": True,
        "again": False,
        "seen": False,
        "differs": False,
        "gone": True,
        "gone again": False,
    }
    check, made = told["check"], told["made"]
    assert (check["name"], check["port"], len(check["plan"]["commands"])) == (NAME, None, 2)
    assert check["diff"] == made["diff"]
    assert "server: a-train-2" in made["diff"]["after"]
    assert made["port"]["addresses"] == ["10.150.0.30"]
    assert told["again"]["port"] == made["port"]
    (server,) = told["seen"]["servers"]
    assert made["port"] in server["ports"]
    assert made["port"]["server_id"] == server["id"]
    assert made["port"] not in told["unseen"]["servers"][0]["ports"]
    assert (told["differs"]["failed"], told["differs"]["error"]["code"]) == (True, "conflict")
    assert "its address is 10.150.0.30" in told["differs"]["msg"]
    assert (told["gone"]["port"], seen()) == (None, [])


def test_servers_and_networks(play: Play) -> None:
    told = play(
        [
            task("all", "server_info"),
            task("some", "server_info", project="tenant-b", status="Active", host="gpu-host-004"),
            task("none", "server_info", name="A-train-2"),
            task("network", "network_info", name=NETWORK),
            task("counted", "network_info", name=NETWORK, ports=True),
            task("networks", "network_info"),
            task("no network", "network_info", name="storage"),
        ]
    )
    assert (len(told["all"]["servers"]), told["all"]["servers"][0]["ports"]) == (7, None)
    assert [one["name"] for one in told["some"]["servers"]] == ["b-batch-1", "b-infer-2"]
    assert told["none"]["servers"] == told["no network"]["networks"] == []
    (network,) = told["network"]["networks"]
    assert (network["segmentation_id"], network["subnets"][0]["cidr"]) == (150, "10.150.0.0/20")
    assert network in told["networks"]["networks"]
    assert (network["ports"], told["counted"]["networks"][0]["ports"]) == (None, 0)


BAD = {
    "case": (task("case", "server_port", **{**TASK, "server": "A-Train-2"}), "not_found"),
    "address": (task("address", "server_port", fixed_ip="10.150", **TASK), "invalid_input"),
    "rights": (task("rights", "server_port", cloud="box-reader", **TASK), "denied"),
    "reading": (task("reading", "server_info", cloud="box-reader"), "denied"),
    "cloud": (task("cloud", "network_info", cloud="bocks"), "invalid_input"),
}


def test_bad_input_is_a_sentence(play: Play, seen: Seen) -> None:
    told = play([case[0] for case in BAD.values()])
    for name, (_task, code) in BAD.items():
        assert (told[name]["failed"], told[name]["error"]["code"]) == (True, code), told[name]
        assert "\n" not in told[name]["msg"]
    assert "Did you mean 'a-train-2'?" in told["case"]["msg"]
    assert seen() == []


@pytest.mark.parametrize("door", ["local"], indirect=True)
def test_what_fails_is_undone_and_said(play: Play, seen: Seen, faults: Faults) -> None:
    rule = Rule("nova", "POST", "/os-interface$", action="answer", status=400, text="{}")
    faults.set(rule)
    told = play([task("run", "server_port", cloud="box-proxied", **TASK)])["run"]
    assert faults.fired() == [1]
    assert (told["failed"], told["changed"], told["error"]["code"]) == (True, False, "plan_failed")
    assert f"Undone again: make port {NAME}" in told["msg"]
    assert (told["port"], seen()) == (None, [])
