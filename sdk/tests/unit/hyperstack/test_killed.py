# SPDX-License-Identifier: Apache-2.0
"""A process is killed between steps; another one finishes its plan, or takes it back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hostler import Fleet
from hostler.errors import PlanError
from hostler.testing.hyperstack import FakeHyperstack

from .conftest import ENV, NEW

pytestmark = [pytest.mark.fault, pytest.mark.slow]

Kill = Callable[[dict[str, Any], str], str]
MOMENTS = ["before:0", "after:0", "before:1", "after:1", "before:2", "after:2"]
WHOLE: dict[str, Any] = {**NEW, "floating_ip": True, "volumes": ["data"]}
CHANGE: dict[str, Any] = {**NEW, "labels": ["x"], "volumes": ["data"], "state": "stopped"}


@pytest.fixture
def kill(fake: FakeHyperstack, fleet: Fleet, tmp_path: Path) -> Kill:
    """Run a task in a process that is killed at a moment; returns its plan's id."""
    fake.add_volume("data", ENV)

    def run(task: dict[str, Any], moment: str) -> str:
        file = tmp_path / "task.json"
        file.write_text(json.dumps(task))
        program = Path(__file__).with_name("dies.py")
        keys = {"HYPERSTACK_API_URL": fake.url, "HYPERSTACK_API_KEY": str(fake.api_key)}
        done = subprocess.run(
            [sys.executable, program, tmp_path / "journal.db", file, moment],
            env={**os.environ, **keys},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == -signal.SIGKILL, done.stderr
        return fleet.journal.list(unfinished=True)[0].plan.id

    return run


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_creation_is_finished(
    kill: Kill, fleet: Fleet, fake: FakeHyperstack, moment: str
) -> None:
    fleet.runner.resume(kill(WHOLE, moment))
    (vm,) = fake.vms
    assert (vm["status"], len(vm["volume_attachments"])) == ("ACTIVE", 1)
    assert fake.count("POST", "/core/virtual-machines") == 1


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_creation_is_taken_back(
    kill: Kill, fleet: Fleet, fake: FakeHyperstack, moment: str
) -> None:
    fleet.runner.undo(kill(WHOLE, moment))
    assert fake.vms == []
    assert fake.volumes[0]["status"] == "available"


@pytest.mark.parametrize("moment", ["before:1", "after:1", "after:2"])
@pytest.mark.parametrize("verb", ["resume", "undo"])
def test_a_change(kill: Kill, fleet: Fleet, fake: FakeHyperstack, moment: str, verb: str) -> None:
    fake.add_vm("web-1", ENV, image=NEW["image"], flavor=NEW["flavor"], key="ops")
    plan = kill(CHANGE, moment)
    getattr(fleet.runner, verb)(plan)
    (vm,) = fake.vms
    done = verb == "resume"
    assert vm["labels"] == (["x"] if done else [])
    assert len(vm["volume_attachments"]) == done
    assert vm["status"] == ("SHUTOFF" if done else "ACTIVE")


@pytest.mark.parametrize("moment", ["before:0", "after:0", "before:1", "after:1"])
@pytest.mark.parametrize("verb", ["resume", "undo"])
def test_attachments(
    kill: Kill, fleet: Fleet, fake: FakeHyperstack, moment: str, verb: str
) -> None:
    common: dict[str, Any] = {"image": "Ubuntu 22.04", "flavor": "n3-L40x1"}
    rows = [fake.add_vm(name, ENV, **common) for name in ("a", "b", "c")]
    for name in ("guard", "other"):
        fake.attach(fake.add_firewall(name, ENV), rows[2])
    plan = kill({"firewall": "guard", "environment": ENV, "vms": ["a", "b"]}, moment)
    getattr(fleet.runner, verb)(plan)
    assert fake.attached("guard") == (["a", "b", "c"] if verb == "resume" else ["c"])
    assert fake.attached("other") == ["c"]


def test_user_data_is_lost_with_the_process(
    kill: Kill, fleet: Fleet, fake: FakeHyperstack, tmp_path: Path
) -> None:
    task = {**WHOLE, "user_data": "#cloud-config\npassword: hunter2"}
    plan = kill(task, "before:0")
    assert b"hunter2" not in (tmp_path / "journal.db").read_bytes()
    with pytest.raises(PlanError, match="needs user_data, and secrets are never stored"):
        fleet.runner.resume(plan)
    fleet.runner.undo(plan)
    assert fake.vms == []
    fleet.runner.resume(kill(task, "after:0"))
    assert len(fake.vms) == 1
