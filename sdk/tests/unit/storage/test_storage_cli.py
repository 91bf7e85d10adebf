# SPDX-License-Identifier: Apache-2.0
"""hostler storage and hostler network on the test driver: what people read, what programs read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import libvirt
import pytest
from typer.testing import CliRunner

from hostler.cli.app import app
from hostler.cli.storage_tables import size

pytestmark = pytest.mark.slow

Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, connection: libvirt.virConnect) -> Run:
    """Run the command in this process, on a test driver that lives as long as the test."""
    assert connection.isAlive()
    monkeypatch.setenv("HOSTLER_STORE", f"sqlite:///{tmp_path}/journal.db")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LIBVIRT_DEFAULT_URI", "test:///default")
    monkeypatch.delenv("HOSTLER_CONFIG", raising=False)

    def invoke(*args: str, code: int = 0, answer: str | None = None) -> Any:
        result = CliRunner().invoke(app, [*args], input=answer)
        assert result.exit_code == code, result.output + repr(result.exception)
        assert "Traceback" not in result.output
        return result

    return invoke


def test_life_of_a_pool(run: Run) -> None:
    words = ("storage", "pool", "set", "vms", "--path", "/srv/vms")
    assert "$ virsh -c test:///default pool-define" in run(*words, "--check").stdout
    assert "vms" not in run("storage", "pool", "list").stdout
    made = run(*words, "--diff").stdout
    assert "Done: create storage pool vms" in made
    assert "+path: /srv/vms" in made
    assert "Nothing to do." in run(*words).stdout
    assert "/srv/vms" in run("storage", "pool", "show", "vms").stdout
    shown = json.loads(run("storage", "pool", "list", "v*", "--json").stdout)
    assert [(one["name"], one["active"], one["volumes"]) for one in shown] == [("vms", True, 0)]
    changed = run("storage", "pool", "set", "vms", "--stopped", "--json").stdout
    assert json.loads(changed)["pool"]["active"] is False
    assert "stopped" in run("storage", "pool", "list").stdout
    assert "Done: remove storage pool vms" in run("storage", "pool", "remove", "vms").stdout
    assert "there is none" in run("storage", "pool", "show", "vms", code=1).stderr
    assert "needs a path" in run("storage", "pool", "set", "x", code=2).stderr


def test_life_of_a_volume(run: Run) -> None:
    volume = ("storage", "volume")
    words = (*volume, "set", "default-pool", "data")
    assert "has no volumes" in run(*volume, "list", "default-pool").stdout
    assert "vol-create-as" in run(*words, "--size", "1GiB", "--check").stdout
    assert "Done: create volume data" in run(*words, "--size", "1GiB").stdout
    assert "1 GiB" in run(*volume, "list", "default-pool").stdout
    assert "/default-pool/data" in run(*volume, "show", "default-pool", "data").stdout
    assert "would lose data" in run(*words, "--size", "1MiB", code=1).stderr
    remove = (*volume, "remove", "default-pool", "data")
    assert "vol-delete" in run(*remove, "--check").stdout
    assert "--yes" in run(*remove, code=2).stderr
    assert "Done: delete volume data" in run(*remove, "--yes").stdout
    assert json.loads(run(*volume, "list", "default-pool", "--json").stdout) == []


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("upload", "default-pool", "data", "/no/such/file"), 1, "there is no such file"),
        (("upload", "default-pool", "data", "http://127.0.0.1:1/x"), 1, "Connection refused"),
        (("upload", "default-pool", "data", "x", "--checksum", "md5:1"), 2, "sha256:"),
        (("download", "default-pool", "data", "x"), 1, "no such volume"),
        (("list", "nowhere"), 1, "there is none"),
    ],
)
def test_bad_input(run: Run, words: tuple[str, ...], code: int, told: str) -> None:
    assert told in run("storage", "volume", *words, code=code).stderr


def test_life_of_a_network(run: Run) -> None:
    words = ("network", "set", "lab", "--address", "10.20.0.1/24")
    dhcp = ("--dhcp", "10.20.0.100-10.20.0.200", "--reserve", "52:54:00:AA:BB:01=10.20.0.10,web")
    assert "net-define" in run(*words, *dhcp, "--check").stdout
    assert "Done: create network lab" in run(*words, *dhcp).stdout
    assert "Nothing to do." in run(*words, *dhcp).stdout
    shown = run("network", "show", "lab").stdout
    assert "10.20.0.100-10.20.0.200" in shown
    assert "52:54:00:aa:bb:01" in shown
    switch = ("network", "set", "sw", "--mode", "openvswitch", "--bridge", "br0")
    made = run(*switch, "--portgroup", "office=10", "--portgroup", "all=10,20", "--json").stdout
    assert [group["vlans"] for group in json.loads(made)["network"]["portgroups"]] == [
        [10],
        [10, 20],
    ]
    assert "office     default  10" in run("network", "show", "sw").stdout
    assert "10.20.0.1/24" in run("network", "list").stdout
    assert "Done: remove network lab" in run("network", "remove", "lab").stdout
    assert [one["name"] for one in json.loads(run("network", "list", "--json").stdout)] == [
        "default",
        "sw",
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--dhcp", "10.20.0.1"), "Write FIRST-LAST"),
        (("--reserve", "10.20.0.1"), "Write MAC=ADDRESS"),
        (("--mode", "bridge"), "bridge"),
        (("--address", "10.20.0.0/24"), "not a host's address"),
        (("--mode", "openvswitch", "--bridge", "b", "--vlan", "5000"), "vlans"),
    ],
)
def test_bad_networks(run: Run, words: tuple[str, ...], told: str) -> None:
    assert told in run("network", "set", "lab", *words, code=2).stderr


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, ""), (0, "0 B"), (1023, "1023 B"), (1 << 30, "1 GiB"), (1536 << 20, "1.5 GiB")],
)
def test_sizes(count: int | None, text: str) -> None:
    assert size(count) == text
