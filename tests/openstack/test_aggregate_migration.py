# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""aggregate_migration through both doors, and its playbook."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from integration.conftest import PLAYBOOK, ROOT, Play
from rigs.openstack.api import Cloud

pytestmark = pytest.mark.usefixtures("changed")

MODULE = "hostler.fleet.aggregate_migration"
HOST, SOURCE, TARGET = "gpu-host-002", "L40-n3", "L40-n3-runpod"
MOVE = {"host": HOST, "target": TARGET}


def where(host: str) -> set[str]:
    found = Cloud().get("nova", "/v2.1/os-aggregates")["aggregates"]
    return {aggregate["name"] for aggregate in found if host in aggregate["hosts"]}


def state() -> dict[str, Any]:
    """All that a move may change."""
    cloud = Cloud()
    aggregates = cloud.get("nova", "/v2.1/os-aggregates")["aggregates"]
    services = cloud.get("nova", "/v2.1/os-services", binary="nova-compute")["services"]
    return {
        "aggregates": {a["name"]: (sorted(a["hosts"]), a["metadata"]) for a in aggregates},
        "services": {s["host"]: (s["status"], s["disabled_reason"]) for s in services},
    }


def test_check_mode_says_what_the_run_does_and_touches_nothing(play: Play) -> None:
    before = state()
    said = play([{"name": "said", MODULE: MOVE, "check_mode": True, "diff": True}])["said"]
    assert state() == before
    results = play([{"name": "moved", MODULE: MOVE, "diff": True}, {"name": "again", MODULE: MOVE}])
    moved, again = results["moved"], results["again"]
    assert where(HOST) == {TARGET}
    assert said["changed"]
    assert moved["changed"]
    assert again["changed"] is False
    assert said["diff"] == moved["diff"]
    assert f"- {SOURCE}" in moved["diff"]["before"]
    assert f"- {TARGET}" in moved["diff"]["after"]
    lines = [f"openstack aggregate {verb}" for verb in ("add host", "remove host")]
    wanted = [f"{lines[0]} {TARGET} {HOST}", f"{lines[1]} {SOURCE} {HOST}"]
    assert [c for c in said["plan"]["commands"] if c in wanted] == wanted
    assert [c for c in moved["commands_executed"] if c in wanted] == wanted
    assert (moved["source_aggregate"], moved["target_aggregate"]) == (SOURCE, TARGET)
    assert moved["execution_time"] > 0
    assert said["verification"] == {
        "aggregates": [SOURCE],
        "source_exists": True,
        "target_exists": True,
        "in_source": True,
        "in_target": False,
        "placement_in_sync": True,
        "compute_enabled": True,
        "servers": 0,
    }
    assert moved["verification"]["in_target"]
    assert moved["verification"]["placement_in_sync"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({**MOVE, "host": "gpu-host-001"}, "2 servers run on it: a-train-1, a-train-2"),
        ({**MOVE, "host": "GPU-HOST-002"}, "Did you mean 'gpu-host-002'?"),
        ({**MOVE, "target": "l40-n3-runpod"}, "Did you mean 'L40-n3-runpod'?"),
        ({**MOVE, "source": "L40-n3-spot"}, "it is not in L40-n3-spot. It is in L40-n3."),
        ({**MOVE, "target": "A100-n3"}, "its GPUs are L40, and A100-n3 is for A100"),
        ({**MOVE, "pool": "spot"}, "give either target or pool"),
        ({"host": HOST}, "one of the following is required: target, pool"),
        ({**MOVE, "target": SOURCE, "source": SOURCE}, "source and target are the same"),
        ({"host": "gpu-host-008", "target": "RTX-A4000-n3", "force": True}, "Nova refuses that"),
        ({"host": "gpu-host-003", "pool": "ondemand", "drain": True}, "it can't be drained"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "",
)
@pytest.mark.parametrize("door", ["local"])
def test_bad_input_is_a_sentence(play: Play, options: dict[str, Any], words: str) -> None:
    before = state()
    result = play([{"name": "bad", MODULE: options, "ignore_errors": True}])["bad"]
    assert words in result["msg"]
    assert "Traceback" not in json.dumps(result)
    assert state() == before


@pytest.mark.parametrize("door", ["local"])
def test_several_hosts_and_one_that_fails(play: Play) -> None:
    hosts = [HOST, "gpu-host-001", "gpu-host-007"]
    task = {"hosts": hosts, "pool": "runpod"}
    result = play([{"name": "many", MODULE: task, "ignore_errors": True}])["many"]
    assert "1 of 3 failed" in result["msg"]
    assert [item["changed"] for item in result["results"]] == [True, False, True]
    assert [where(host) for host in hosts] == [{TARGET}, {SOURCE}, {"RTX-A4000-n3-runpod"}]


@pytest.mark.parametrize("door", ["local"])
def test_a_host_is_drained_to_its_own_pool(play: Play) -> None:
    task = {"host": "gpu-host-001", "target": TARGET, "drain": True}
    said = play([{"name": "said", MODULE: task, "check_mode": True}])["said"]
    moved = play([{"name": "moved", MODULE: task}])["moved"]
    assert said["diff"] == moved["diff"]
    assert where("gpu-host-001") == {TARGET}
    servers = Cloud().get("nova", "/v2.1/servers/detail", all_tenants=1)["servers"]
    hosts = {server["name"]: server["OS-EXT-SRV-ATTR:host"] for server in servers}
    assert (hosts["a-train-1"], hosts["a-train-2"]) == (HOST, HOST)
    assert moved["verification"]["servers"] == 0


def playbook(environment: dict[str, str], *more: str) -> str:
    variables = json.dumps({"gpu_type": "L40", "move": [HOST], "pool": "runpod"})
    done = subprocess.run(
        [PLAYBOOK, "hostler.fleet.migrate_gpu_host", "-e", variables, *more],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_playbook(environment: dict[str, str]) -> None:
    before = state()
    assert f"openstack aggregate add host {TARGET} {HOST}" in playbook(environment, "--check")
    assert state() == before
    said = playbook(environment)
    assert where(HOST) == {TARGET}
    rows = [line.strip(' ",').split() for line in said.splitlines()]
    assert ["L40-n3", "ondemand", "2", "2", "5/16", "1", "2", "5/8"] in rows
    assert [TARGET, "runpod", "0", "0", "0/0", "1", "0", "0/8"] in rows
