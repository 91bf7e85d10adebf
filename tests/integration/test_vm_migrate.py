# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMs move between two real hosts, through both doors."""

from __future__ import annotations

import fcntl
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import libvirt
import pytest

from .conftest import PLAYBOOK, Play, Results
from .test_doors import common
from .test_host_maintenance import LOCK, URIS, VM, hosts, places, sweep

DISK = (
    "<disk type='file' device='disk'><source file='/var/lib/libvirt/images/db.raw'/>"
    "<target dev='vda' bus='virtio'/></disk></devices>"
)
VOLUME = (
    "<volume><name>db.raw</name><capacity unit='MiB'>64</capacity>"
    "<allocation unit='MiB'>64</allocation><target><format type='raw'/></target></volume>"
)
MOVED = {"downtime", "data", "seconds"}
"""What differs from move to move."""


@pytest.fixture(scope="module")
def _hosts() -> Iterator[None]:
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        hosts("down")  # what a run that was killed has left
        hosts("up", *URIS)
        yield
        hosts("down")


@pytest.fixture
def vms(_hosts: None) -> Iterator[None]:
    make()
    yield
    remove()


def make() -> None:
    """Make, on host a: web and db that run, spare that is stopped."""
    remove()
    with closing(libvirt.open(URIS["a"])) as connection:
        connection.storagePoolLookupByName("default").createXML(VOLUME)
        connection.defineXML(VM.format("web")).create()
        connection.defineXML(VM.format("db").replace("</devices>", DISK)).create()
        connection.defineXML(VM.format("spare"))


def remove() -> None:
    sweep()
    for uri in URIS.values():
        with closing(libvirt.open(uri)) as connection:
            for volume in connection.storagePoolLookupByName("default").listAllVolumes():
                volume.delete()


def same(told: Results) -> Any:
    """Return what the results of two runs must have in common."""

    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: strip(item) for name, item in value.items() if name not in MOVED}
        return [strip(item) for item in value] if isinstance(value, list) else value

    return strip(common(told))


@pytest.mark.parametrize("door", ["local"], indirect=True)
@pytest.mark.usefixtures("vms")
def test_moves(play: Play) -> None:
    """Through the one door, and then the same through the other one."""
    told = play("vm_migrate", "--diff", uris=URIS)
    predicted, moved = told["predicted"], told["moved"]
    assert (predicted["changed"], predicted["status"]) == (True, "planned")
    assert predicted["diff"] == moved["diff"]
    assert predicted["plan"]["commands"] == moved["plan"]["commands"]
    assert (moved["status"], moved["runs_on"]) == ("migrated", URIS["b"])
    assert moved["downtime"] is not None
    assert moved["data"]
    assert f"host: {URIS['b']}" in moved["diff"]["after"]
    assert (told["again"]["status"], told["again"]["changed"]) == ("unchanged", False)
    several = {item["name"]: item for item in told["several"]["results"]}
    assert [(item["status"], item["runs_on"]) for item in several.values()] == [
        ("migrated", URIS["b"]),
        ("migrated", None),
    ]
    assert "vol-create-as default db.raw" in several["db"]["plan"]["commands"][0]
    refused = told["refused"]
    assert (refused["failed"], refused["changed"]) == (True, False)
    assert "3 of 3 failed" in refused["msg"]
    codes = [item["error"]["code"] for item in refused["results"]]
    assert codes == ["invalid_input", "invalid_input", "not_found"]
    assert "is the same host" in told["itself"]["msg"]
    assert (told["back"]["status"], told["back"]["runs_on"]) == ("migrated", URIS["a"])
    assert places() == {"web": "a", "db": "b"}
    make()
    assert same(play("vm_migrate", "--diff", uris=URIS, ansible_connection="shipped")) == same(told)


@pytest.mark.usefixtures("vms")
def test_what_is_told_meanwhile(door: str, environment: dict[str, str], tmp_path: Path) -> None:
    """With -v, a line every five seconds; a module that is shipped is not heard before its end."""
    options = {"uri": URIS["a"], "vm": "db", "target_uri": URIS["b"]}
    module = {**options, "storage": "copy", "bandwidth": 8 if door == "local" else 800}
    tasks = [{"name": "move", "hostler.fleet.vm_migrate": module}]
    book = {"hosts": "rig", "connection": door, "gather_facts": False, "tasks": tasks}
    (tmp_path / "play.yml").write_text(json.dumps([book]))
    with subprocess.Popen(
        [PLAYBOOK, tmp_path / "play.yml", "--inventory", "rig,", "-v"],
        env=environment,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        told = [
            time.monotonic()
            for line in process.stdout
            if line.startswith("db: ") and " MiB left" in line
        ]
    ended = time.monotonic()
    assert process.returncode == 0
    assert places()["db"] == "b"
    if door == "shipped":
        assert told == []
        return
    assert len(told) >= 2
    assert ended - told[0] > 5
    assert told[1] - told[0] > 4
