# SPDX-License-Identifier: Apache-2.0
"""hostler alerts and hostler report: for people, for programs, for monitoring."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from hostler.cli.app import app

from ..hosts.nodes import node, vm

pytestmark = pytest.mark.slow

Run = Callable[..., Any]
MEASURED = ("host_cpu", "host_memory", "host_storage", "pool_full")
"""Rules for which hosts are looked at twice."""


@pytest.fixture
def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A host whose VM ``db`` should run, and does not; ``web`` runs. Runs the command on it."""
    vms = [vm("db", labels={"keep_running": "true"}, running=False), vm("web")]
    config: dict[str, Any] = {"hosts": {"kvm1": {"uri": node(tmp_path / "kvm1.xml", *vms)}}}
    off = {name: {"enabled": False} for name in MEASURED}
    (tmp_path / "fleet.yml").write_text(yaml.safe_dump({**config, "alerts": {"rules": off}}))
    monkeypatch.setenv("HOSTLER_CONFIG", str(tmp_path / "fleet.yml"))
    monkeypatch.setenv("HOSTLER_STORE", f"sqlite:///{tmp_path}/pool.db")
    for name in ("LIBVIRT_DEFAULT_URI", "OS_CLOUD", "OS_AUTH_URL"):
        monkeypatch.delenv(name, raising=False)

    def invoke(*args: str, code: int = 0) -> Any:
        result = CliRunner().invoke(app, [*args])
        assert result.exit_code == code, result.output + repr(result.exception)
        return result

    return invoke


def test_for_people(pool: Run) -> None:
    told = pool("alerts").stdout
    assert "critical  vm_down  db on kvm1: should run, and does not" in told
    assert pool("alerts", "--severity", "info").stdout == "No alerts.\n"
    assert "gpu_pool_full" in pool("alerts", "rules").stdout


def test_for_programs(pool: Run) -> None:
    page = json.loads(pool("alerts", "--json", "--resource", "db").stdout)
    assert [(a["rule"], a["resource"], a["state"]) for a in page["alerts"]] == [
        ("vm_down", "db", "firing")
    ]
    assert (page["pending"], page["unknown"]) == ([], [])
    rules = json.loads(pool("alerts", "rules", "--json").stdout)
    assert {"host_unreachable", "vm_down"} <= {rule["name"] for rule in rules}
    assert pool("alerts", "rules", "--prometheus").stdout.startswith("# Alerts of Hostler")


def test_for_monitoring(pool: Run, tmp_path: Path) -> None:
    told = pool("alerts", "--plugin", code=2).stdout.splitlines()
    assert told == [
        "HOSTLER CRITICAL - 1 critical, 0 warning, 0 info",
        "critical: db on kvm1: should run, and does not",
    ]
    quiet = pool("alerts", "--plugin", "--resource", "web").stdout
    assert quiet == "HOSTLER OK - 0 critical, 0 warning, 0 info\n"
    wrong = pool("alerts", "--plugin", "--rule", "nothing", code=3).stdout
    assert wrong.startswith("HOSTLER UNKNOWN - rule 'nothing': there is no such rule")
    (tmp_path / "fleet.yml").write_text("alerts: {rules: {host_cpu: {duration: 10x}}}")
    assert pool("alerts", "--plugin", code=3).stdout.startswith("HOSTLER UNKNOWN - ")


def test_what_can_not_be_said_is_unknown(pool: Run, tmp_path: Path) -> None:
    config = yaml.safe_load((tmp_path / "fleet.yml").read_text())
    del config["alerts"]
    (tmp_path / "fleet.yml").write_text(yaml.safe_dump(config))
    told = pool("alerts", "--plugin", "--rule", "host_cpu", code=3).stdout.splitlines()
    assert told == [
        "HOSTLER UNKNOWN - 0 critical, 0 warning, 0 info",
        "unknown: host_cpu of kvm1: its hypervisor does not tell it",
    ]
    people = pool("alerts", "--rule", "host_cpu")
    assert people.stdout == "No alerts.\n"
    assert "Not known: host_cpu of kvm1: its hypervisor does not tell it." in people.stderr


def test_what_makes_no_sense(pool: Run) -> None:
    assert "no severity 'loud'" in pool("alerts", "--severity", "loud", code=2).stderr
    assert "no such rule" in pool("alerts", "--rule", "nothing", code=1).stderr


def test_report(pool: Run, tmp_path: Path) -> None:
    path = tmp_path / "out.html"
    assert "1 host, 2 VMs, 1 alert" in pool("report", "-o", str(path)).stdout.replace("\n", " ")
    assert "<title>Fleet report</title>" in path.read_text()
    told = json.loads(pool("report", "--json", "-o", str(path), "--title", "Ours").stdout)
    assert told == {"path": str(path), "hosts": 1, "vms": 2, "alerts": 1}
    assert "<title>Ours</title>" in path.read_text()
    wrong = pool("report", "-o", str(tmp_path / "nowhere" / "x.html"), code=2)
    assert "it can't be written: No such file or directory" in wrong.stderr.replace("\n", " ")
