# SPDX-License-Identifier: Apache-2.0
"""Moves of GPU hosts where nothing fails: what is done, said and written down."""

from __future__ import annotations

import os
import subprocess

import pytest
from rigs.openstack.layout import VENV

from hostler import Fleet

from .moving import ADD_FIRST, REMOVE_FIRST, Move, admin, clean, is_clean, run, truth

pytestmark = pytest.mark.usefixtures("changed")

FULL = Move("gpu-host-001", "L40-n3", "L40-n3-runpod")


@pytest.mark.parametrize("move", [ADD_FIRST, REMOVE_FIRST], ids=["add first", "remove first"])
def test_a_move_and_again(fleet: Fleet, move: Move) -> None:
    done = run(fleet, move)
    assert (done.error, done.changed, done.warnings) == (None, True, [])
    assert (done.source_aggregate, done.target_aggregate) == (move.source, move.target)
    assert done.plan is not None
    assert done.commands_executed == list(done.plan.commands)
    assert done.execution_time is not None
    assert 0 < done.execution_time < 60
    is_clean(move.host, move.target)
    assert done.verification is not None
    assert done.verification.model_dump() == {
        "aggregates": [move.target],
        "source_exists": True,
        "target_exists": True,
        "in_source": False,
        "in_target": True,
        "placement_in_sync": True,
        "compute_enabled": True,
        "servers": 0,
    }
    again = run(fleet, move)
    assert (again.error, again.changed, again.commands_executed) == (None, False, [])
    assert len(fleet.journal.list()) == 1


def test_every_command_is_in_the_log(fleet: Fleet) -> None:
    done = run(fleet, ADD_FIRST)
    assert done.plan is not None
    log = fleet.journal.log()
    assert [entry.command for entry in reversed(log)] == done.commands_executed
    assert {(entry.plan_id, entry.status) for entry in log} == {(done.plan.id, "done")}
    assert all(entry.user and entry.timestamp and entry.execution_time is not None for entry in log)


def test_with_its_servers_where_that_is_said(fleet: Fleet) -> None:
    refused = run(fleet, FULL)
    assert "2 servers run on it: a-train-1, a-train-2" in (refused.error or "")
    is_clean(FULL.host, FULL.source)
    done = run(fleet, FULL, force=True)
    assert done.error is None
    is_clean(FULL.host, FULL.target)
    found = admin().get("nova", "/v2.1/servers", all_tenants=1, host=FULL.host)["servers"]
    assert {server["name"] for server in found} == {"a-train-1", "a-train-2"}
    assert done.plan is not None
    assert "2 of its servers stay on it and change the pool with it." in done.plan.warnings


def test_its_compute_service_may_be_left_alone(fleet: Fleet) -> None:
    done = run(fleet, ADD_FIRST, disable_compute=False)
    assert done.error is None
    is_clean(ADD_FIRST.host, ADD_FIRST.target)
    assert not [command for command in done.commands_executed if "compute service" in command]


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("move", [ADD_FIRST, REMOVE_FIRST], ids=["add first", "remove first"])
def test_the_commands_of_a_preview_are_real_ones(fleet: Fleet, move: Move) -> None:
    """The client of OpenStack does by them what we do; it can't look into placement by itself."""
    plan = fleet.gpu.migrations.plan(move.task)
    lines = [command for command in plan.commands if "resource provider" not in command]
    assert len(lines) == len(plan.commands) - 2
    words = [line.removeprefix("openstack ") for line in lines]
    done = subprocess.run(
        [VENV / "bin" / "openstack"],
        input="\n".join([*words, "exit", ""]),
        env={**os.environ, "OS_CLOUD": "box"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert truth(move.host) == clean(move.target), done.stdout + done.stderr
