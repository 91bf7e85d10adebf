# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""command_log_info and plan_info: what the journal tells, through both doors."""

from __future__ import annotations

import pytest

from .conftest import PREFIX, Play

pytestmark = pytest.mark.usefixtures("clean")


def test_journal(play: Play) -> None:
    told = play("journal")
    assert not any(told[name]["changed"] for name in list(told)[2:])
    commands = told["commands"]["commands"]
    expected = [*told["made"]["plan"]["commands"], *told["removed"]["plan"]["commands"]]
    assert [entry["command"] for entry in reversed(commands)] == expected
    assert {entry["status"] for entry in commands} == {"done"}
    assert all(entry["execution_time"] > 0 for entry in commands)
    assert told["last command"]["commands"] == commands[:1]
    of_plan = told["commands of a plan"]["commands"]
    assert {entry["plan_id"] for entry in of_plan} == {told["made"]["plan"]["id"]}
    assert {entry["target"] for entry in of_plan} == {commands[0]["target"]}
    assert PREFIX + "one" in commands[0]["target"]
    assert told["failed commands"]["commands"] == []
    assert told["commands to come"]["commands"] == []
    assert told["no time"]["error"]["code"] == "invalid_input"


def test_plans(play: Play) -> None:
    told = play("journal")
    made, removed = told["made"]["plan"], told["removed"]["plan"]
    assert [plan["id"] for plan in told["plans"]["plans"]] == [removed["id"], made["id"]]
    (plan,) = told["plan"]["plans"]
    assert plan["status"] == "done"
    assert plan["running"] is False
    assert plan["before"] == {}
    assert [step["command"] for step in plan["steps"]] == made["commands"]
    assert {step["status"] for step in plan["steps"]} == {"done"}
    assert told["unfinished"]["plans"] == []
    assert told["no such plan"]["error"]["code"] == "not_found"
