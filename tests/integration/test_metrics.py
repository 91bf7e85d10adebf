# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics in playbooks, through both doors and by lookups. The hosts are of the test driver."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rigs.prometheus import Prometheus

from .conftest import Play, Task

HOSTLER = Path(sys.executable).parent / "hostler"
NODE = """
<node><cpu><mhz>2000</mhz><model>i686</model><active>8</active><nodes>1</nodes>
  <sockets>1</sockets><cores>8</cores><threads>1</threads></cpu><memory>16777216</memory>
  {vms}
</node>
"""
VM = """
<domain type='test'><name>{name}</name><memory unit='GiB'>2</memory><vcpu>2</vcpu>
  <os><type>hvm</type></os></domain>
"""
QUICK = {"window": 0.1}


@pytest.fixture
def environment(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """A pool: ``kvm1`` has two VMs, ``kvm2`` has one, ``gone`` does not answer."""
    hosts = {}
    for host, names in {"kvm1": ("web-1", "web-2"), "kvm2": ("db",)}.items():
        vms = "".join(VM.format(name=name) for name in names)
        (tmp_path / f"{host}.xml").write_text(NODE.format(vms=vms))
        hosts[host] = {"uri": f"test://{tmp_path}/{host}.xml"}
    hosts["gone"] = {"uri": "qemu+tcp://127.0.0.1:1/system"}
    config = tmp_path / "fleet.yml"
    config.write_text(json.dumps({"hosts": hosts, "connect_timeout": 2}))
    known = {name: v for name, v in environment.items() if name != "LIBVIRT_DEFAULT_URI"}
    return {**known, "HOSTLER_CONFIG": str(config)}


def task(title: str, module: str, /, **options: Any) -> Task:
    return {"name": title, f"hostler.fleet.{module}": options, "ignore_errors": True}


def look(title: str, expression: str) -> Task:
    return {
        "name": title,
        "ansible.builtin.set_fact": {"found": "{{ " + expression + " }}"},
        "ignore_errors": True,
    }


def found(told: dict[str, Any], title: str) -> Any:
    return told[title]["ansible_facts"]["found"]


def collect(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [HOSTLER, "metrics", "collect"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "hosts: 2, VMs: 3" in done.stdout


def test_modules(play: Play, environment: dict[str, str]) -> None:
    collect(environment)
    told = play(
        [
            task("now", "vm_metrics_info", **QUICK),
            {**task("check", "vm_metrics_info", names="web-*", **QUICK), "check_mode": True},
            task("some", "vm_metrics_info", name="db", metrics="state,cpu.count", **QUICK),
            task("past", "vm_metrics_info", names=["web-1"], hours=1, aggregation="max"),
            task("hosts", "host_metrics_info", **QUICK),
            task("one host", "host_metrics_info", id="kvm1", interval="5m"),
            task("no vm", "vm_metrics_info", names="db", host="kvm1", **QUICK),
            task("no metric", "vm_metrics_info", metrics="cpus"),
            task("too fine", "vm_metrics_info", hours=48, interval="1m"),
            task("both", "vm_metrics_info", uri="test:///default", host="kvm1"),
        ]
    )
    assert [vm["name"] for vm in told["now"]["vms"]] == ["db", "web-1", "web-2"]
    assert list(told["now"]["unreachable_hosts"]) == ["gone"]
    assert not told["now"]["changed"]
    assert [vm["name"] for vm in told["check"]["vms"]] == ["web-1", "web-2"]
    [db] = told["some"]["vms"]
    assert db["metrics"] == {"state": {"up": 1, "code": 1}, "cpu": {"count": None}}
    [past] = told["past"]["vms"]
    assert past["history"]["values"]["state.up"][-1] in (1, None)
    assert past["metrics"]["state"]["up"] == 1
    status = {host["host_id"]: host["status"] for host in told["hosts"]["hosts"]}
    assert status == {"gone": "unreachable", "kvm1": "reachable", "kvm2": "reachable"}
    [one] = told["one host"]["hosts"]
    assert (one["metrics"]["vms"]["total"], one["source"]) == (2, "store")
    assert "VM 'db': there is no such VM" in told["no vm"]["msg"]
    assert told["no vm"]["error"]["code"] == "not_found"
    assert "there is no metric 'cpus' of a vm" in told["no metric"]["msg"]
    assert "figures by 60 s are kept for 24 hours" in told["too fine"]["msg"]
    assert "mutually exclusive" in told["both"]["msg"]


VMS = "query('hostler.fleet.vm_metrics'"
HOSTS = "query('hostler.fleet.host_metrics'"
SYSTEM = "lookup('hostler.fleet.system_metrics'"


@pytest.mark.parametrize("door", ["local"], indirect=True)
def test_lookups(play: Play, environment: dict[str, str]) -> None:
    collect(environment)
    told = play(
        [
            look("all", f"{VMS}, window=0.1)"),
            look("some", f"{VMS}, 'web-*', 'db', metrics='state', window=0.1)"),
            look("past", f"{VMS}, 'web-1', metrics=['state.up'], hours=1)"),
            look("hosts", f"{HOSTS}, 'kvm*', window=0.1)"),
            look("system", f"{SYSTEM}, metrics='vms,memory', window=0.1)"),
            look("system past", f"{SYSTEM}, metrics='vms', interval='5m')"),
            look("no option", f"{VMS}, metric='cpu')"),
            look("no vm", f"{VMS}, 'web-3', host='kvm1', window=0.1)"),
            look("no host", f"{HOSTS}, 'kvm3')"),
        ]
    )
    assert [vm["name"] for vm in found(told, "all")] == ["db", "web-1", "web-2"]
    assert [vm["metrics"] for vm in found(told, "some")] == [{"state": {"up": 1, "code": 1}}] * 3
    [past] = found(told, "past")
    assert list(past["history"]["values"]) == ["state.up"]
    assert [host["host_id"] for host in found(told, "hosts")] == ["kvm1", "kvm2"]
    system = found(told, "system")
    assert (system["total_hosts"], system["active_hosts"]) == (3, 2)
    assert system["metrics"]["vms"] == {"total": 3, "running": 3}
    assert system["stats"]["total_cpu_cores"] == 16
    assert found(told, "system past")["metrics"]["vms"]["total"] == 3
    assert "no option 'metric'. Did you mean 'metrics'?" in told["no option"]["msg"]
    assert "Did you mean 'web-" in told["no vm"]["msg"]
    assert "Did you mean 'kvm" in told["no host"]["msg"]


@pytest.fixture
def scraped(environment: dict[str, str]) -> Iterator[str]:
    """A Prometheus that scrapes the exporter; gives its address."""
    command = [str(HOSTLER), "metrics", "export", "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as exporter:
        assert exporter.stdout
        address = exporter.stdout.readline().rpartition("//")[2].partition("/")[0]
        try:
            with Prometheus([address]) as prometheus:
                count = "count_over_time(hostler_host_up[1m])"
                prometheus.wait(lambda: (prometheus.value(count) or 0) >= 3, "it scrapes nothing")
                yield prometheus.url
        finally:
            exporter.terminate()


@pytest.mark.parametrize("door", ["local"], indirect=True)
def test_history_of_prometheus(play: Play, environment: dict[str, str], scraped: str) -> None:
    config = Path(environment["HOSTLER_CONFIG"])
    told = json.loads(config.read_text())
    told["metrics_backend"] = "prometheus"
    told["metrics"] = {"prometheus": {"url": scraped, "rate_window": 4}}
    config.write_text(json.dumps(told))
    time.sleep(1)
    told = play(
        [
            look("past", f"{VMS}, 'web-*', metrics='state.up', interval='1m')"),
            task("module", "vm_metrics_info", names="db", metrics="state", hours=1),
            task("hosts", "host_metrics_info", metrics="state,vms", interval="1m"),
        ]
    )
    assert [vm["name"] for vm in found(told, "past")] == ["web-1", "web-2"]
    assert {vm["source"] for vm in found(told, "past")} == {"prometheus"}
    [db] = told["module"]["vms"]
    assert db["history"]["values"]["state.up"][-1] == 1
    ups = {host["host_id"]: host["metrics"]["state"]["up"] for host in told["hosts"]["hosts"]}
    assert ups == {"gone": 0, "kvm1": 1, "kvm2": 1}
