# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""command_log: forgets what is finished, through both doors. Its VM is the test driver's."""

from __future__ import annotations

from typing import Any

from .conftest import Play

VM: dict[str, Any] = {
    "uri": "test:///default",
    "name": "logged",
    "memory": "64MiB",
    "virt_type": "test",
    "networks": [],
}
CLEAR: dict[str, Any] = {"hostler.fleet.command_log": {"state": "cleared"}}
LOG: dict[str, Any] = {"hostler.fleet.command_log_info": {}}


def test_clearing(play: Play) -> None:
    told = play(
        [
            {"name": "made", "hostler.fleet.vm": VM},
            {"name": "would clear", **CLEAR, "check_mode": True},
            {"name": "before", **LOG},
            {"name": "cleared", **CLEAR, "diff": True},
            {"name": "after", **LOG},
            {"name": "again", **CLEAR},
        ]
    )
    number = len(told["before"]["commands"])
    assert number == len(told["made"]["plan"]["commands"]) > 0
    for name in ("would clear", "cleared"):
        assert (told[name]["changed"], told[name]["cleared"]) == (True, number)
        assert told[name]["diff"]["before"] == f"finished_commands: {number}\n"
        assert told[name]["diff"]["after"] == "finished_commands: 0\n"
    assert told["after"]["commands"] == []
    assert (told["again"]["changed"], told["again"]["cleared"]) == (False, 0)


def test_what_to_do_has_to_be_said(play: Play) -> None:
    told = play([{"name": "nothing", "hostler.fleet.command_log": {}, "ignore_errors": True}])
    assert told["nothing"]["failed"]
    assert "state" in told["nothing"]["msg"]
