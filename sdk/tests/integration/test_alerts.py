# SPDX-License-Identifier: Apache-2.0
"""Alerts of a real hypervisor, now and as events; and its rules in the hands of promtool."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import libvirt
import pytest
import yaml

from hostler import Fleet
from hostler.alerts.prometheus import rule_file
from hostler.config import FleetConfig
from hostler.events.stream import EventStream
from hostler.metrics.collector import Collector
from hostler.models.alert_config import AlertsConfig
from hostler.models.event import RESOURCE_ALERT
from hostler.report.service import rendered

from .rig import Rig
from .test_events import XML

PROMTOOL = shutil.which("promtool")
NAME = "hostler-alert"


@pytest.fixture
def watched(host: Rig, connection: libvirt.virConnect, tmp_path: Path) -> Fleet:
    """A fleet whose VM starts with its host, and runs."""
    domain = connection.defineXML(XML.format(name=NAME))
    domain.setAutostart(1)
    domain.create()
    store = f"sqlite:///{tmp_path}/alerts.db"
    return Fleet(FleetConfig.model_validate({"uri": host.uri, "store": store}))


def told_of(stream: EventStream, count: int) -> list[tuple[str, str]]:
    """Return rule and state of the next alerts, all of the VM."""
    events = [stream.get(30) for _number in range(count)]
    assert {(event.type, event.vm) for event in events if event} == {(RESOURCE_ALERT, NAME)}
    return sorted((event.data["rule"], event.data["state"]) for event in events if event)


@pytest.mark.fault
def test_a_vm_is_killed(watched: Fleet, host: Rig) -> None:
    collector = Collector(watched)
    with watched, watched.events(hosts=[], alerts=True, poll=0.5) as stream:
        collector.collect()
        page = watched.alerts.read(timeout=10)
        assert page.alerts == []
        assert {one.rule for one in page.unknown} <= {"host_cpu", "host_memory"}
        pid = host.inside("cat", f"/run/libvirt/qemu/{NAME}.pid").strip()
        host.inside("kill", f"-{signal.SIGKILL}", pid)
        assert told_of(stream, 2) == [("vm_crashed", "firing"), ("vm_down", "firing")]
        collector.collect()
        (crash, alert) = sorted(watched.alerts.list(timeout=10), key=lambda one: one.rule)
        assert (crash.rule, crash.resource) == ("vm_crashed", NAME)
        assert (alert.resource, alert.host, alert.severity) == (NAME, host.uri, "critical")
        told = rendered(watched.report.data(timeout=10))
        assert f"{NAME} on {host.uri}: should run, and does not" in told
        watched.vms.run([{"name": NAME, "state": "running"}])
        assert told_of(stream, 2) == [("vm_crashed", "resolved"), ("vm_down", "resolved")]
        assert watched.alerts.list(timeout=10) == []


@pytest.mark.fault
def test_a_host_goes_away(watched: Fleet, host: Rig) -> None:
    with watched, host.frozen_daemon():
        page = watched.alerts.read(timeout=2)
        (alert,) = page.alerts
        assert (alert.rule, alert.resource) == ("host_unreachable", host.uri)
        assert "no answer" in alert.message
        told = {one.reason for one in page.unknown}
        assert told == {"its host does not answer"}


def test_the_command(watched: Fleet, host: Rig, tmp_path: Path) -> None:
    watched.close()
    config = tmp_path / "fleet.yml"
    config.write_text(yaml.safe_dump({"uri": host.uri, "store": watched.config.store}))

    def hostler(*words: str) -> subprocess.CompletedProcess[str]:
        argv = [str(Path(sys.executable).parent / "hostler"), "--config", str(config), *words]
        return subprocess.run(argv, capture_output=True, text=True, check=False)

    quiet = hostler("alerts", "--rule", "vm_*", "--plugin")
    assert (quiet.returncode, quiet.stdout) == (0, "HOSTLER OK - 0 critical, 0 warning, 0 info\n")
    domain = libvirt.open(host.uri).lookupByName(NAME)
    domain.destroy()
    loud = hostler("alerts", "--plugin", "--severity", "critical")
    assert loud.returncode == 2
    assert loud.stdout.splitlines()[0] == "HOSTLER CRITICAL - 1 critical, 0 warning, 0 info"
    report = hostler("report", "-o", str(tmp_path / "fleet.html"), "--json")
    assert json.loads(report.stdout)["alerts"] == 1
    assert NAME in (tmp_path / "fleet.html").read_text()


OWN: dict[str, Any] = {
    "host_cpu": {"threshold": 80, "clear": 60, "duration": "5m"},
    "few": {"resource": "host", "metric": "vms.running", "operator": "below", "threshold": 1},
    "db": {
        "resource": "vm",
        "metric": "disk.write_mbps",
        "threshold": 1.5,
        "names": ["db-[0-9]*", "a.b", 'with"quote'],
        "hosts": ["kvm?"],
        "summary": "{{ writes }} & \\more",
    },
}
SERIES = """
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {series: 'hostler_host_up{host="kvm1"}', values: '1x20'}
      - {series: 'hostler_host_up{host="kvm2"}', values: '1x3 0x16'}
      - series: 'hostler_host_cpu_seconds_total{host="kvm1", mode="user"}'
        values: '0+54x10 576+42x5 776+6x5'
      - series: 'hostler_host_cpu_seconds_total{host="kvm1", mode="idle"}'
        values: '0+6x10 84+18x5 164+54x5'
      - {series: 'hostler_vm_state{host="kvm1", vm="web", uuid="u"}', values: '1x4 6x15'}
    alert_rule_test:
      - {eval_time: 2m, alertname: HostlerHostUnreachable, exp_alerts: []}
      - eval_time: 5m
        alertname: HostlerHostUnreachable
        exp_alerts:
          - exp_labels: {severity: critical, rule: host_unreachable, host: kvm2}
            exp_annotations: {summary: 'kvm2: does not answer'}
      - {eval_time: 5m, alertname: HostlerHostCpu, exp_alerts: []}
      - eval_time: 9m
        alertname: HostlerHostCpu
        exp_alerts: &busy
          - exp_labels: {severity: warning, rule: host_cpu, host: kvm1}
            exp_annotations:
              summary: 'kvm1: CPUs are busy'
              description: 'It is 90.0 %; the rule is above 80 %.'
      - eval_time: 14m
        alertname: HostlerHostCpu
        exp_alerts:
          - exp_labels: {severity: warning, rule: host_cpu, host: kvm1}
            exp_annotations:
              summary: 'kvm1: CPUs are busy'
              description: 'It is 70.0 %; the rule is above 80 %.'
      - {eval_time: 20m, alertname: HostlerHostCpu, exp_alerts: []}
      - eval_time: 8m
        alertname: HostlerVmCrashed
        exp_alerts:
          - exp_labels: {severity: critical, rule: vm_crashed, host: kvm1, vm: web, uuid: u}
            exp_annotations: {summary: 'web on kvm1: crashed'}
"""


def test_promtool_takes_the_rules_and_they_fire(tmp_path: Path) -> None:
    assert PROMTOOL, "there is no promtool; run: make setup"
    rules = AlertsConfig.model_validate({"rules": OWN}).effective()
    text = rule_file(rules, window=120)
    (tmp_path / "rules.yml").write_text(text)
    (tmp_path / "tests.yml").write_text(SERIES)
    for words in (["check", "rules", "rules.yml"], ["test", "rules", "tests.yml"]):
        done = subprocess.run(
            [PROMTOOL, *words], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert "# vm_down is not in it: state.down (vm) is not exported." in text


def test_the_command_writes_the_same_rules(tmp_path: Path) -> None:
    hostler = Path(sys.executable).parent / "hostler"
    (tmp_path / "fleet.yml").write_text(yaml.safe_dump({"alerts": {"rules": OWN}}, sort_keys=False))
    done = subprocess.run(
        [hostler, "--config", tmp_path / "fleet.yml", "alerts", "rules", "--prometheus"],
        capture_output=True,
        text=True,
        check=True,
    )
    rules = AlertsConfig.model_validate({"rules": OWN}).effective()
    assert done.stdout == rule_file(rules, window=60)
