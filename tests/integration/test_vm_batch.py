# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hostler.fleet.vm_batch on a real hypervisor, through both doors."""

from __future__ import annotations

import pytest

from .conftest import PREFIX, Play, Xml

pytestmark = pytest.mark.usefixtures("clean")


def test_operations(play: Play, halting: Xml) -> None:
    names = ("one", "two", "three")
    batch = play("vm_batch", vms=[{"name": PREFIX + n, "xml": halting(n)} for n in names])
    numbers = {
        name: (result["changed"], result["total_vms"], result["status"])
        for name, result in batch.items()
        if "total_vms" in result
    }
    assert numbers == {
        "predicted": (True, 3, "completed"),
        "start": (True, 3, "completed"),
        "start again": (False, 3, "completed"),
        "pause": (True, 2, "completed"),
        "resume": (True, 2, "completed"),
        "stop": (True, 3, "completed"),
        "delete": (True, 3, "completed"),
        "nobody": (False, 0, "completed"),
    }
    assert batch["start"]["counts"] == {"succeeded": 3, "failed": 0, "skipped": 0}
    assert {item["name"] for item in batch["pause"]["results"]} == {PREFIX + "one", PREFIX + "two"}
    assert "one of the following is required" in batch["everybody"]["msg"]
    assert "snapshot" in batch["snapshot without a name"]["msg"]
