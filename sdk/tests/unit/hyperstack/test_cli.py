# SPDX-License-Identifier: Apache-2.0
"""hostler hyperstack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from hostler.cli.app import app
from hostler.testing.hyperstack import FakeHyperstack

from .conftest import ENV

pytestmark = pytest.mark.slow

CREATE = ["vm", "create", "web-1", "-e", ENV, "--image", "Ubuntu 22.04", "--flavor", "n3-L40x1"]


@pytest.fixture(autouse=True)
def _surroundings(fake: FakeHyperstack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "fleet.yml"
    config.write_text("hyperstack: {poll_interval: 0.01, retry_delay: 0.001}\n")
    monkeypatch.setenv("HOSTLER_CONFIG", str(config))
    monkeypatch.setenv("HYPERSTACK_API_URL", fake.url)
    monkeypatch.setenv("HYPERSTACK_API_KEY", str(fake.api_key))
    monkeypatch.setenv("HOSTLER_STORE", f"sqlite:///{tmp_path}/journal.db")
    monkeypatch.setenv("COLUMNS", "150")


def hostler(*words: str) -> Result:
    return CliRunner().invoke(app, ["hyperstack", *words])


def data(*words: str) -> Any:
    result = hostler(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["regions"], "CANADA-1"),
        (["environments"], ENV),
        (["keypairs"], "ops"),
        (["images", "--region", "canada-1", "--type", "debian"], "Debian 12"),
        (["flavors", "--gpu", "L40"], "8 x L40"),
        (["stock"], "8x:1"),
        (["quota", ENV], f"{ENV}: 0 of 100 VMs, 100 more can be made"),
        (["vm", "list"], "No VMs."),
        (["firewall", "list"], "No firewalls."),
    ],
)
def test_lists(command: list[str], words: str) -> None:
    result = hostler(*command)
    assert (result.exit_code, words in result.output) == (0, True), result.output
    assert data(*command) is not None


def test_life_of_a_vm(fake: FakeHyperstack, tmp_path: Path) -> None:
    seed = tmp_path / "seed"
    seed.write_text("#cloud-config\n")
    create = [*CREATE, "--key", "ops", "--floating-ip", "--user-data", str(seed)]
    checked = hostler(*create, "--check")
    assert "api_key: ****" in checked.output
    assert fake.vms == []
    made = hostler(*create)
    assert made.exit_code == 0, made.output
    assert "changed" in made.output
    assert "ACTIVE" in made.output
    assert fake.vms[0]["_user_data"] == "#cloud-config\n"
    assert "Nothing to do." in hostler(*create).output
    shown = hostler("vm", "show", "web-1", "-e", ENV, "--logs", "--events")
    assert "web-1 boots" in shown.output
    assert [vm["name"] for vm in data("vm", "list", "web-*", "-e", ENV)] == ["web-1"]
    for verb, status in [
        ("stop", "SHUTOFF"),
        ("start", "ACTIVE"),
        ("hibernate", "HIBERNATED"),
        ("restore", "ACTIVE"),
        ("reboot", "ACTIVE"),
    ]:
        result = hostler("vm", verb, "web-1", "-e", ENV)
        assert (result.exit_code, fake.vms[0]["status"]) == (0, status), result.output
    refused = hostler("vm", "delete", "web-1", "-e", ENV)
    assert refused.exit_code == 2
    assert "Add --yes" in refused.output
    gone = data("vm", "delete", "web-1", "-e", ENV, "--yes")
    assert (gone["changed"], gone["failed"], gone["results"][0]["seen"]) == (True, 0, None)
    assert fake.vms == []


def test_firewalls(fake: FakeHyperstack) -> None:
    vm = fake.add_vm("a", ENV, image="Ubuntu 22.04", flavor="n3-L40x1")
    fake.add_firewall("guard", ENV, [{"port_range_min": 22}])
    assert hostler("firewall", "attach", "guard", "a", "-e", ENV).exit_code == 0
    assert fake.attached("guard") == ["a"]
    shown = hostler("firewall", "show", "guard", "-e", ENV).output
    assert "ingress tcp 22 from 0.0.0.0/0" in shown
    assert "a (SUCCESS)" in shown
    assert data("firewall", "list")[0]["attachments"][0]["vm"]["id"] == vm["id"]
    assert hostler("firewall", "detach", "guard", "a", "-e", ENV, "--yes").exit_code == 0
    assert fake.attached("guard") == []


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (["vm", "show", "none", "-e", ENV], 1, "there is no such VM"),
        (["vm", "stop", "none", "-e", ENV], 1, "no such VM that could be stopped"),
        (["quota", "none"], 1, "there is no environment 'none'"),
        ([*CREATE, "--key", "none"], 1, "there is no key 'none'"),
        (["firewall", "attach", "none", "a", "-e", ENV], 1, "firewall 'none'"),
        (["vm", "start", "x" * 51, "-e", ENV], 2, "name"),
    ],
)
def test_errors(command: list[str], code: int, words: str) -> None:
    result = hostler(*command)
    assert result.exit_code == code, result.output
    assert words in result.output


def test_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYPERSTACK_API_KEY")
    result = hostler("regions")
    assert result.exit_code == 1
    assert "Set HYPERSTACK_API_KEY" in result.output
