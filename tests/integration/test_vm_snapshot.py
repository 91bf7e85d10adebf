# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hostler.fleet.vm_snapshot on a real hypervisor, through both doors."""

from __future__ import annotations

import pytest

from .conftest import Play

pytestmark = pytest.mark.usefixtures("clean")


def test_life_of_a_snapshot(play: Play) -> None:
    life = play("vm_snapshot", "--diff")
    changed = {name: result["changed"] for name, result in life.items() if not result["failed"]}
    assert changed == {
        "vm": True,
        "predicted": True,
        "taken": True,
        "taken again": False,
        "reverted": True,
        "several": True,
        "shown": False,
        "removed": True,
        "removed again": False,
    }
    assert life["predicted"]["diff"] == life["taken"]["diff"]
    assert "as it is" in life["taken"]["diff"]["after"]
    assert sorted(life["taken"]["snapshots"]) == ["now"]
    assert [item["changed"] for item in life["several"]["results"]] == [False, True]
    shown = life["shown"]["vms"][0]["snapshots"]
    assert sorted(snapshot["name"] for snapshot in shown) == ["now", "then"]
    assert sorted(life["removed"]["snapshots"]) == ["then"]
    assert life["no such VM"]["error"]["code"] == "not_found"
    assert life["no such snapshot"]["error"]["code"] == "not_found"
    assert "vm" in life["of no VM"]["msg"]
