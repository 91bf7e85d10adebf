# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alerts and the report in playbooks, through both doors. The host is of the test driver."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import PLAYBOOK, ROOT, Play, Task

VM = """
<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'><name>{name}</name>
  <metadata><hostler:vm xmlns:hostler='https://hostler.dev/vm/1'>
    <hostler:label name='keep_running'>true</hostler:label></hostler:vm></metadata>
  <memory unit='GiB'>2</memory><vcpu>2</vcpu><os><type>hvm</type></os>
  <test:runstate>{state}</test:runstate>
</domain>
"""
NODE = """
<node><cpu><mhz>2000</mhz><model>i686</model><active>8</active><nodes>1</nodes>
  <sockets>1</sockets><cores>8</cores><threads>1</threads></cpu><memory>16777216</memory>{vms}</node>
"""
MEASURED = ("host_cpu", "host_memory", "host_storage", "pool_full")
"""Rules for which hosts are looked at twice."""


@pytest.fixture
def config(tmp_path: Path, environment: dict[str, str]) -> str:
    """The fleet.yml of a host whose VM ``db`` should run and does not; ``web`` runs."""
    del environment["LIBVIRT_DEFAULT_URI"]  # it would be looked at in place of the pool
    vms = VM.format(name="db", state=5) + VM.format(name="web", state=1)
    (tmp_path / "kvm1.xml").write_text(NODE.format(vms=vms))
    data: dict[str, Any] = {
        "hosts": {"kvm1": {"uri": f"test://{tmp_path}/kvm1.xml"}},
        "alerts": {"rules": {name: {"enabled": False} for name in MEASURED}},
    }
    path = tmp_path / "fleet.yml"
    path.write_text(yaml.safe_dump(data))
    return str(path)


def info(title: str, config: str, /, **options: Any) -> Task:
    task = {"config": config, **options}
    return {"name": title, "hostler.fleet.alert_info": task, "ignore_errors": True}


def test_alert_info(play: Play, config: str) -> None:
    told = play(
        [
            info("all", config),
            {**info("check mode", config, rules=["vm_*"]), "check_mode": True},
            info("one VM", config, resource="web", severity=["critical", "info"]),
            info("no such rule", config, rule="nothing"),
        ]
    )
    (alert,) = told["all"]["alerts"]
    assert not told["all"]["changed"]
    assert {key: alert[key] for key in ("id", "rule", "severity", "resource", "host", "since")} == {
        "id": "vm_down:kvm1/db",
        "rule": "vm_down",
        "severity": "critical",
        "resource": "db",
        "host": "kvm1",
        "since": None,
    }
    assert told["all"]["counts"] == {"critical": 1, "warning": 0, "info": 0}
    assert (told["all"]["pending"], told["all"]["unknown"]) == ([], [])
    assert told["check mode"]["alerts"] == [alert]
    assert told["one VM"]["alerts"] == []
    assert "there is no such rule; there are host_unreachable" in told["no such rule"]["msg"]
    assert told["no such rule"]["error"]["code"] == "not_found"


@pytest.mark.parametrize("door", ["local"], indirect=True)
def test_lookup(play: Play, config: str) -> None:
    def ask(title: str, query: str) -> Task:
        debug = {"msg": "{{ " + query + " }}"}
        return {"name": title, "ansible.builtin.debug": debug, "ignore_errors": True}

    name = "query('hostler.fleet.alerts'"
    told = play(
        [
            ask(
                "all", f"{name}, config=config, severities=['critical']) | map(attribute='message')"
            ),
            ask("web", f"{name}, 'web', config=config)"),
            ask("wrong", f"{name}, config=config, severity='critical')"),
        ],
        config=config,
    )
    assert told["all"]["msg"] == ["db on kvm1: should run, and does not"]
    assert told["web"]["msg"] == []
    assert "there is no option 'severity'. Did you mean 'severities'?" in told["wrong"]["msg"]


def test_playbook_report(config: str, environment: dict[str, str], tmp_path: Path) -> None:
    dest = tmp_path / "out.html"

    def run(*words: str) -> str:
        extra = json.dumps({"dest": str(dest), "fleet_report_config": config})
        done = subprocess.run(
            [PLAYBOOK, ROOT / "playbooks" / "report.yml", "-e", extra, *words],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "db on kvm1: should run, and does not" in run("--check")
    assert not dest.exists()
    run()
    told = dest.read_text()
    assert "db on kvm1: should run, and does not" in told
    assert dest.stat().st_mode & 0o777 == 0o644
