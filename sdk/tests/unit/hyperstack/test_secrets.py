# SPDX-License-Identifier: Apache-2.0
"""Keys and user data are in nothing that is written, printed or raised."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from hostler import Fleet
from hostler.config import FleetConfig
from hostler.errors import HostlerError
from hostler.models.hyperstack_config import HyperstackConfig
from hostler.testing.hyperstack import FakeHyperstack

from .conftest import ENV, NEW

WORD = "hunter2-in-user-data"
SEED = {"user_data": f"#cloud-config\npassword: {WORD}\n"}


@pytest.fixture
def told(fleet: Fleet, fake: FakeHyperstack) -> list[str]:
    """All that a script gets to see: plans, results, errors, with and without failures."""
    text: list[str] = []

    def run(**task: Any) -> None:
        whole = {**NEW, **SEED, **task}
        try:
            text.extend(repr(plan) for plan in fleet.hyperstack.vms.plan([whole]))
            results = fleet.hyperstack.vms.run([whole])
            text.extend(result.model_dump_json() for result in results)
            text.extend(repr(result) for result in results)
        except HostlerError as error:
            text.extend([str(error), repr(error), repr(vars(error))])

    fake.fail("POST", "/core/virtual-machines", 400, message=f"bad key {fake.api_key}")
    for task in ({}, {}, {"name": "two", "flavor": "none"}, {"nonsense": 1}, {"user_data": [WORD]}):
        run(**task)
    key, fake.api_key = fake.api_key, "another"
    run(name="three")
    fake.api_key = key
    text.append(json.dumps([repr(entry) for entry in fleet.journal.log()]))
    text.append(repr([stored.plan for stored in fleet.journal.list()]))
    return text


def test_what_scripts_see(told: list[str], fake: FakeHyperstack) -> None:
    assert fake.vms[0]["_user_data"] == SEED["user_data"]
    assert len(told) > 12
    whole = "\n".join(told)
    assert "api_key: ****" in whole
    assert "sha256:" in whole
    assert str(fake.api_key) not in whole
    assert WORD not in whole


@pytest.mark.usefixtures("told")
def test_what_is_on_disk(fake: FakeHyperstack, tmp_path: Path) -> None:
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    for path in files:
        data = path.read_bytes()
        assert str(fake.api_key).encode() not in data, path
        assert WORD.encode() not in data, path


def test_what_is_logged(
    fleet: Fleet, fake: FakeHyperstack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fake.fail("GET", "/core/environments", 500)
    fleet.hyperstack.vms.run([{**NEW, **SEED}])
    assert caplog.text
    assert str(fake.api_key) not in caplog.text
    assert WORD not in caplog.text


def test_a_traceback_with_its_variables(fleet: Fleet, fake: FakeHyperstack) -> None:
    fake.fail("GET", "/core/regions", 400)
    api = fleet.hyperstack_api()
    seen: list[str] = []
    try:
        api.regions()
    except HostlerError as error:
        trace = error.__traceback__
        while trace:
            seen += [repr(value) for value in trace.tb_frame.f_locals.values()]
            trace = trace.tb_next
    assert len(seen) > 5
    assert str(fake.api_key) not in "\n".join(seen)


def test_the_configuration_shows_no_key(fake: FakeHyperstack) -> None:
    config = FleetConfig(hyperstack=HyperstackConfig.model_validate({"api_key": fake.api_key}))
    for text in (repr(config), str(config), config.model_dump_json()):
        assert str(fake.api_key) not in text


@pytest.mark.slow
def test_arguments_of_processes(fake: FakeHyperstack, tmp_path: Path) -> None:
    fake.slow("GET", "/core/regions", seconds=3)
    environment = {
        **os.environ,
        "HYPERSTACK_API_URL": fake.url,
        "HYPERSTACK_API_KEY": str(fake.api_key),
        "HOSTLER_STORE": f"sqlite:///{tmp_path}/journal.db",
    }
    program = Path(sys.executable).with_name("hostler")
    command: list[str | Path] = [program, "hyperstack", "regions"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
        time.sleep(1.5)
        assert process.poll() is None
        seen = b"".join(path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline"))
        output, _ = process.communicate(timeout=30)
    assert b"CANADA-1" in output
    assert b"hyperstack\0regions" in seen
    assert str(fake.api_key).encode() not in seen + output


def test_user_data_of_a_task_is_a_secret() -> None:
    from hostler.models.hyperstack_task import HyperstackVmTask

    task = HyperstackVmTask.model_validate({"name": "x", "environment": ENV, **SEED})
    assert WORD not in f"{task!r} {task} {task.model_dump_json()}"
