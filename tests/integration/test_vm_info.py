# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hostler.fleet.vm_info on a real hypervisor, through both doors."""

from __future__ import annotations

import pytest

from .conftest import PREFIX, Dump, Play

pytestmark = pytest.mark.usefixtures("clean")


def test_vms_are_found_and_shown(play: Play, dump: Dump) -> None:
    info = play("vm_info")
    found = {
        name: [vm["name"].removeprefix(PREFIX) for vm in result["vms"]]
        for name, result in info.items()
        if name not in ("three", "bad page")
    }
    assert found == {
        "globs": ["three", "two"],
        "labels": ["one", "two"],
        "largest first": ["one"],
        "in full": ["one"],
        "nobody": [],
    }
    assert info["largest first"]["pagination"] == {"page": 2, "limit": 2, "total": 3, "pages": 2}
    one = info["in full"]["vms"][0]
    assert one["status"] == "stopped"
    assert one["os_type"] == "linux"
    assert one["snapshots"] == []
    assert one["hardware"]["interfaces"] == []
    assert f"<name>{PREFIX}one</name>" in one["xml"]
    assert info["globs"]["vms"][0]["hardware"] is None
    assert "page" in info["bad page"]["msg"]
    before = dump()
    assert not any(result["changed"] for result in play("vm_info", "--check").values())
    assert dump() == before
