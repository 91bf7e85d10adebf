# SPDX-License-Identifier: Apache-2.0
"""hostler openstack: tables in 80 columns, JSON, changes that are asked about, exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from rigs.openstack.porting import NAME, NETWORK, SERVER, Seen, cloud, impatient, seen, storage
from typer.testing import CliRunner

from hostler.cli.app import app

__all__ = ["cloud", "impatient", "seen", "storage"]

Run = Callable[..., Any]


@pytest.fixture
def run(environment: None, monkeypatch: pytest.MonkeyPatch) -> Run:  # noqa: ARG001 - it comes first
    """Run the command in this process."""
    monkeypatch.setenv("COLUMNS", "80")

    def invoke(*args: str, code: int = 0, cloud: str = "box") -> Any:
        result = CliRunner().invoke(app, ["openstack", *args, "--cloud", cloud])
        assert result.exit_code == code, result.output + repr(result.exception)
        return json.loads(result.stdout) if "--json" in args else result

    return invoke


def words(result: Any) -> list[list[str]]:
    assert max(map(len, result.stdout.splitlines())) <= 80
    return [line.split() for line in result.stdout.splitlines()]


def test_servers(run: Run) -> None:
    lines = words(run("server", "list"))
    assert lines[0] == ["SERVER", "STATUS", "HOST", "PROJECT", "ADDRESSES"]
    assert [SERVER, "ACTIVE", "gpu-host-001", "tenant-a"] in [line[:4] for line in lines]
    assert len(run("server", "list", "--project", "tenant-b", "--json")) == 3
    assert "No servers." in run("server", "list", "--name", "nobody").stdout
    shown = run("server", "show", SERVER, "--json")
    assert (shown["name"], len(shown["ports"])) == (SERVER, 1)
    lines = words(run("server", "show", shown["id"]))
    assert ["id", shown["id"]] in lines
    assert ["PORT", "STATUS", "ADDRESSES", "MAC"] in lines


def test_networks(run: Run) -> None:
    line = [NETWORK, "ACTIVE", "vlan", "150", "yes", "10.150.0.0/20"]
    assert line in words(run("network", "list"))
    assert len(run("network", "list", "--json")) >= 3
    lines = words(run("network", "show", NETWORK))
    assert ["kind", "vlan", "150"] in lines
    assert "storage-subnet" in [line[0] for line in lines if line]
    assert run("network", "show", NETWORK, "--json")["subnets"][0]["cidr"] == "10.150.0.0/20"


def test_attach_and_detach(run: Run, seen: Seen) -> None:
    here = (SERVER, NETWORK)
    checked = run("port", "attach", *here, "--fixed-ip", "10.150.0.40", "--check").stdout
    assert "$ openstack port create --network storage-network" in checked
    assert seen() == []
    attached = run("port", "attach", *here, "--fixed-ip", "10.150.0.40", "--yes", "--json")
    assert (attached["changed"], attached["port"]["id"]) == (True, seen()[0]["id"])
    again = run("port", "attach", *here)
    assert [NAME, "ACTIVE", "10.150.0.40"] in [line[:3] for line in words(again)]
    refused = run("port", "attach", *here, "--fixed-ip", "10.150.0.41", code=1)
    assert "Error: port" in refused.stderr
    assert "its address is 10.150.0.40" in refused.stderr
    asked = run("port", "detach", *here, code=2)
    assert "Add --yes where there is no terminal." in asked.stderr
    assert len(seen()) == 1
    assert f"There is no port {NAME}." in run("port", "detach", *here, "--yes").stdout
    assert seen() == []
    assert not run("port", "detach", *here, "--json")["changed"]


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("server", "show", "A-Train-2"), 1, "Did you mean 'a-train-2'?"),
        (("network", "show", "Storage-network"), 1, "Did you mean 'storage-network'?"),
        (("port", "attach", SERVER, "nowhere"), 1, "there is none of that name or id"),
        (("port", "attach", SERVER, NETWORK, "--fixed-ip", "10.150"), 2, "'10.150' does not"),
        (("port", "attach", SERVER, NETWORK, "--mac", "fa:16"), 2, "is not a MAC address"),
    ],
)
def test_errors_are_sentences(run: Run, args: tuple[str, ...], code: int, says: str) -> None:
    failed = run(*args, code=code)
    assert says in failed.stderr
    assert "Traceback" not in failed.output
