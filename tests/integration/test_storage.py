# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pools, volumes and networks on a real hypervisor, through both doors."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from .conftest import Dump, Play, Results, remove_all
from .test_doors import common

pytestmark = [
    pytest.mark.usefixtures("clean"),
    pytest.mark.parametrize("door", ["local"], indirect=True),  # and the other one: both_doors
]

CONTENT = b"hostler" * 300_000


class Handler(SimpleHTTPRequestHandler):
    """Serves files, and prints nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


class Server(ThreadingHTTPServer):
    """Lets clients leave early."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing."""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A web server with an image and its checksum; it lets everybody in."""
    files = tmp_path / "web"
    files.mkdir()
    (files / "image.raw").write_bytes(CONTENT)
    listed = f"{hashlib.sha256(CONTENT).hexdigest()}  image.raw\n"
    (files / "SHA256SUMS").write_text(listed)
    with Server(("127.0.0.1", 0), partial(Handler, directory=files)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def both_doors(play: Play, scenario: str, **variables: str) -> Results:
    """Run a scenario through both doors: they say the same."""
    here = play(scenario, "--diff", **variables)
    remove_all()
    (Path(variables.get("place", "")) / "copy.raw").unlink(missing_ok=True)
    there = play(scenario, "--diff", ansible_connection="shipped", **variables)
    assert steady(common(here)) == steady(common(there))
    return there


def steady(value: Any) -> Any:
    """Leave out what others on this machine change meanwhile: free space."""
    if isinstance(value, dict):
        kept = value.keys() - {"available", "allocation"}
        return {name: steady(value[name]) for name in kept}
    return [steady(item) for item in value] if isinstance(value, list) else value


def changes(told: Results) -> dict[str, bool]:
    return {name: result["changed"] for name, result in told.items() if not result.get("failed")}


def refusals(told: Results) -> dict[str, str]:
    failed = {name: result for name, result in told.items() if result.get("failed")}
    assert not any("Traceback" in result["msg"] for result in failed.values())
    return {name: result.get("error", {}).get("code", "spec") for name, result in failed.items()}


def same_plan(told: Results, predicted: str, done: str) -> None:
    """What check mode says is what the run does."""
    for key in ("diff", "plan"):
        assert common(told[predicted][key]) == common(told[done][key])


def test_life_of_a_pool(play: Play, dump: Dump, tmp_path: Path) -> None:
    before = dump()
    place = str(tmp_path)
    checked = play("storage_pool", "--check", place=place)
    assert checked["created"]["changed"]
    assert dump() == before
    told = both_doors(play, "storage_pool", place=place)
    assert changes(told) == {
        "predicted": True,
        "created": True,
        "created again": False,
        "changed predicted": True,
        "changed": True,
        "changed again": False,
        "stopped": True,
        "shown": False,
        "removed": True,
        "removed again": False,
    }
    same_plan(told, "predicted", "created")
    same_plan(told, "changed predicted", "changed")
    assert told["created"]["pool"]["active"]
    assert "autostart: false" in told["changed"]["diff"]["after"]
    (shown,) = told["shown"]["pools"]
    assert (shown["active"], shown["path"]) == (False, f"{place}/elsewhere")
    assert told["removed"]["pool"] is None
    assert refusals(told) == {
        "no path": "invalid_input",
        "half a path": "invalid_input",
        "no such type": "spec",
        "another type": "conflict",
        "nothing to read": "not_found",
    }
    assert dump() == before


def test_life_of_a_volume(play: Play, dump: Dump, tmp_path: Path, address: str) -> None:
    variables = {"place": str(tmp_path), "address": address}
    told = both_doors(play, "storage_volume", **variables)
    assert changes(told) == {
        "pool": True,
        "predicted": True,
        "created": True,
        "created again": False,
        "grown predicted": True,
        "grown": True,
        "grown again": False,
        "cloned": True,
        "linked": True,
        "shown": False,
        "download predicted": True,
        "downloaded": True,
        "downloaded again": False,
        "removed": True,
        "removed again": False,
    }
    same_plan(told, "predicted", "created")
    same_plan(told, "grown predicted", "grown")
    same_plan(told, "download predicted", "downloaded")
    assert len(told["shown"]["volumes"]) == 3
    assert (tmp_path / "copy.raw").read_bytes().startswith(CONTENT)
    assert refusals(told) == {
        "what a clone needs": "conflict",
        "shrunk": "conflict",
        "wrong checksum": "plan_failed",
        "nothing there": "not_found",
        "no size": "invalid_input",
        "no pool": "not_found",
        "two origins": "invalid_input",
    }
    before = dump()
    checked = play("storage_volume", "--check", **variables)
    assert checked["linked"]["changed"]
    assert dump() == before


def test_life_of_a_network(play: Play, dump: Dump) -> None:
    before = dump()
    assert play("network", "--check")["created"]["changed"]
    assert dump() == before
    told = both_doors(play, "network")
    assert changes(told) == {
        "predicted": True,
        "created": True,
        "created again": False,
        "reserved predicted": True,
        "reserved": True,
        "reserved again": False,
        "moved": True,
        "stopped": True,
        "shown": False,
        "switch": True,
        "removed": True,
        "removed again": False,
    }
    same_plan(told, "predicted", "created")
    same_plan(told, "reserved predicted", "reserved")
    assert "net-update" in told["reserved"]["plan"]["commands"][0]
    (shown,) = told["shown"]["networks"]
    assert (shown["address"], shown["domain"]) == ("10.231.7.2/24", "lab.example.com")
    assert [group["vlans"] for group in told["switch"]["network"]["portgroups"]] == [[10], [10, 20]]
    assert refusals(told) == {
        "DHCP elsewhere": "invalid_input",
        "no bridge": "invalid_input",
        "VLAN of nobody": "invalid_input",
        "half a range": "spec",
        "nothing to read": "not_found",
    }
    remove_all()
    assert dump() == before


def test_no_secret_is_told(play: Play, tmp_path: Path, address: str) -> None:
    secret = address.replace("://", "://reader:pa55w0rd@")
    for door in ("local", "shipped"):
        remove_all()
        (tmp_path / "copy.raw").unlink(missing_ok=True)
        more = {"place": str(tmp_path), "ansible_connection": door}
        wrong = play("storage_volume", "-vvv", address=f"{secret}/none?pa55w0rd", **more)
        assert "404" in wrong["predicted"]["msg"]
        output = (tmp_path / "output.txt").read_text()
        told = play("storage_volume", "-vvv", "--diff", address=secret, **more)
        assert told["downloaded"]["changed"]
        assert "pa55w0rd" not in output + (tmp_path / "output.txt").read_text()
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("journal.db*"))
    assert b"storage_volume/" in kept
    assert b"pa55w0rd" not in kept
