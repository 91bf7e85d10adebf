# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which door a task takes, and that both give the same result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .conftest import PREFIX, Play, Task, Xml, remove_all

pytestmark = pytest.mark.usefixtures("clean")

INFO: Task = {"name": "info", "hostler.fleet.vm_info": {}}

# What differs from run to run, and what only one door adds.
OWN = {"id", "uuid", "created_at", "updated_at", "invocation", "batch_id", "xml", "_ansible_no_log"}


def was_shipped(output: Path) -> bool:
    return "AnsiballZ_vm_info.py" in output.read_text()


@pytest.mark.parametrize("door", ["local"], indirect=True)
@pytest.mark.parametrize(
    ("keywords", "shipped"),
    [
        ({}, False),
        ({"delegate_to": "localhost"}, False),
        ({"become": True, "become_user": "root"}, True),
        ({"environment": {"LC_ALL": "C.UTF-8"}}, True),
        ({"async": 60, "poll": 1}, True),
    ],
)
def test_door(play: Play, tmp_path: Path, keywords: dict[str, Any], shipped: bool) -> None:
    result = play([{**INFO, **keywords}], "-vvv", ansible_become_method="su")
    assert not result["info"].get("failed"), result["info"]
    assert isinstance(result["info"]["vms"], list)
    assert was_shipped(tmp_path / "output.txt") == shipped


@pytest.mark.parametrize("door", ["shipped"], indirect=True)
def test_another_connection_ships_the_module(play: Play, tmp_path: Path) -> None:
    play([INFO], "-vvv")
    assert was_shipped(tmp_path / "output.txt")


def common(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: common(item) for name, item in value.items() if name not in OWN}
    return [common(item) for item in value] if isinstance(value, list) else value


SCENARIOS = ("vm_life", "vm_many", "vm_snapshot", "vm_batch", "check_mode")


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("door", ["local"], indirect=True)
def test_results_are_equal(play: Play, scenario: str, halting: Xml) -> None:
    names = ("one", "two", "three")
    variables = {"vms": [{"name": PREFIX + n, "xml": halting(n)} for n in names]}
    mode = ["--diff", "--check"] if scenario == "check_mode" else ["--diff"]
    here = play(scenario, *mode, **variables)
    remove_all()
    there = play(scenario, *mode, ansible_connection="shipped", **variables)
    assert common(here) == common(there)
