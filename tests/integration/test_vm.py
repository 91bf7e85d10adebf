# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hostler.fleet.vm on a real hypervisor, through both doors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .conftest import PREFIX, Dump, Play, Task, Xml

pytestmark = pytest.mark.usefixtures("clean")

ONE = {
    "name": f"{PREFIX}one",
    "machine": "q35",
    "virt_type": "qemu",
    "memory": "64MiB",
    "networks": [],
}


def vm(task: str, /, **options: Any) -> Task:
    return {"name": task, "hostler.fleet.vm": options, "ignore_errors": True}


def test_life_of_a_vm(play: Play, dump: Dump) -> None:
    before = dump()
    life = play("vm_life", "--diff")
    assert {name: result["changed"] for name, result in life.items()} == {
        "predicted": True,
        "created": True,
        "again": False,
        "changed": True,
        "changed again": False,
        "removed": True,
        "removed again": False,
    }
    assert life["predicted"]["diff"] == life["created"]["diff"]
    assert life["predicted"]["plan"]["commands"] == life["created"]["plan"]["commands"]
    assert life["created"]["vm"]["status"] == "stopped"
    assert life["created"]["vm"]["memory_mb"] == 64
    assert life["again"]["vm"] == life["created"]["vm"]
    assert life["changed"]["vm"]["memory_mb"] == 128
    assert life["changed"]["vm"]["labels"] == {"stage": "test"}
    assert "64MiB" in life["changed"]["diff"]["before"]
    assert "128MiB" in life["changed"]["diff"]["after"]
    assert life["removed"]["vm"] is None
    assert life["removed"]["diff"]["after"] == ""
    assert dump() == before


def test_check_mode_touches_nothing(play: Play, dump: Dump) -> None:
    play([vm("created", **ONE)])
    before = dump()
    assert ONE["name"] in before["domains"]
    predicted = play("check_mode", "--check")
    assert {name for name, result in predicted.items() if result["changed"]} == {
        "create",
        "change",
        "rename",
        "run",
        "remove",
        "snapshot",
        "batch",
    }
    assert dump() == before


def test_power(play: Play, halting: Xml) -> None:
    power = play("vm_power", xml=halting("one"))
    assert {name: (r["changed"], r["vm"]["status"]) for name, r in power.items()} == {
        "run": (True, "running"),
        "run again": (False, "running"),
        "pause": (True, "paused"),
        "resume": (True, "running"),
        "reset": (True, "running"),
        "stop": (True, "stopped"),
        "stop again": (False, "stopped"),
    }


def test_twenty_vms_in_one_task(play: Play, halting: Xml) -> None:
    short = [f"{i:02}" for i in range(20)]
    vms = [{"name": PREFIX + name, "xml": halting(name)} for name in short]
    stop: Task = {"operation": "stop", "names": [f"{PREFIX}*"], "graceful": False}
    many = play(
        [
            vm("run", vms=vms, state="running"),
            vm("again", vms=vms, state="running"),
            {"name": "stop", "hostler.fleet.vm_batch": stop},
        ]
    )
    assert [result["name"] for result in many["run"]["results"]] == [v["name"] for v in vms]
    assert [v["status"] for v in many["run"]["vms"]] == ["running"] * 20
    assert [many[task]["changed"] for task in ("run", "again", "stop")] == [True, False, True]
    assert (many["stop"]["total_vms"], many["stop"]["status"]) == (20, "completed")


def test_items_take_what_they_leave_out_from_the_task(play: Play) -> None:
    done = play("vm_many", "--diff")
    assert [v["memory_mb"] for v in done["several"]["vms"]] == [64, 96]
    assert [item["changed"] for item in done["removed"]["results"]] == [True, True, False]
    headers = [diff["before_header"] for diff in done["removed"]["diff"]]
    assert headers == [f"{PREFIX}one", f"{PREFIX}two"]


def test_one_of_several_fails(play: Play) -> None:
    lost = {**ONE, "name": f"{PREFIX}two", "networks": [{"network": "hostler-it-nowhere"}]}
    result = play([vm("several", vms=[ONE, lost])])["several"]
    assert result["failed"]
    assert result["msg"].startswith(f"1 of 2 failed. {PREFIX}two: ")
    assert "hostler-it-nowhere" in result["msg"]
    assert [item.get("failed", False) for item in result["results"]] == [False, True]
    assert result["results"][1]["error"]["code"] == "not_found"


BAD: dict[str, dict[str, Any]] = {
    "memory: '4' has no unit": {"name": "x", "memory": 4},
    "Unsupported parameters": {"name": "x", "memroy": "4GiB"},
    "disks.sice": {"name": "x", "disks": [{"sice": "4GiB"}]},
    "value of state must be one of": {"name": "x", "state": "dancing"},
    "mutually exclusive": {"name": "x", "vms": []},
    "one of the following is required: name, vms": {"memory": "1GiB"},
    "would leave its folder": {"name": "../x", "memory": "1GiB"},
    "say the same thing": {"name": "x", "memory": "1GiB", "memory_gb": 1},
    "hostler-it-none": {**ONE, "from_template": {"volume": "hostler-it-none"}},
    "XML": {"name": "hostler-it-one", "xml": "<domain"},
}


def test_bad_input_is_a_sentence(play: Play, dump: Dump) -> None:
    before = dump()
    results = play([vm(words, **options) for words, options in BAD.items()])
    for words in BAD:
        assert results[words]["failed"], words
        assert words in results[words]["msg"]
        assert "Traceback" not in results[words]["msg"]
    assert dump() == before


def test_an_unreachable_hypervisor_is_a_sentence(play: Play) -> None:
    result = play([vm("lost", name="x", state="running", uri="qemu+tcp://127.0.0.1:1/system")])
    assert result["lost"]["failed"]
    assert result["lost"]["error"]["code"] == "unreachable"
    assert "qemu+tcp://127.0.0.1:1/system" in result["lost"]["msg"]


def test_a_secret_is_in_no_output(play: Play, tmp_path: Path) -> None:
    results = play("secrets", "-vvv", "--diff")
    assert [name for name, result in results.items() if result.get("failed")] == []
    assert results["created"]["name"] == f"{PREFIX}one"
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "play.yml"]
    assert len(written) > 2
    for path in written:
        for secret in (b"0pensesa", b"hunter2", b"hunter3"):
            assert secret not in path.read_bytes(), (path.name, secret)
