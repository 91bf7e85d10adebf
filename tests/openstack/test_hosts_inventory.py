# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory of GPU hosts, as ansible-inventory tells it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from rigs.openstack.api import Cloud

from hostler.testing.netbox import FakeNetbox

Inventory = dict[str, Any]
Run = Callable[..., subprocess.CompletedProcess[str]]
PROGRAM = Path(sys.executable).with_name("ansible-inventory")


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Run:
    """Run ansible-inventory with an inventory file of these options."""

    def run(
        *arguments: str, environ: dict[str, str] | None = None, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        path = tmp_path / "hosts.hostler.yml"
        path.write_text(yaml.safe_dump({"plugin": "hostler.fleet.hosts", **options}))
        return subprocess.run(
            [PROGRAM, "-i", path, *arguments],
            env={
                **environment,
                "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
                **(environ or {}),
            },
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def listed(done: subprocess.CompletedProcess[str]) -> Inventory:
    """Read what `--list` wrote, where strings may be marked as unsafe."""
    assert done.returncode == 0, done.stderr
    text = done.stdout[done.stdout.index("{") :]
    return dict(json.loads(text, object_hook=lambda part: part.get("__ansible_unsafe", part)))


def groups(inventory: Inventory) -> dict[str, list[str]]:
    return {
        name: [host.removeprefix("gpu-host-") for host in sorted(group["hosts"])]
        for name, group in inventory.items()
        if name != "_meta" and "hosts" in group
    }


def failed(done: subprocess.CompletedProcess[str], says: str) -> None:
    assert done.returncode != 0
    assert says in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_hosts_and_groups(run: Run) -> None:
    inventory = listed(
        run(
            "--list",
            compose={"ansible_host": "hostler_host.hostname ~ '.mgmt.example.com'"},
            groups={"idle": "not hostler_host.has_vms"},
            keyed_groups=[{"key": "hostler_host.availability_zone", "prefix": "az"}],
        )
    )
    assert groups(inventory) == {
        "pool_ondemand": ["001", "002", "004", "005", "007"],
        "pool_spot": ["003", "008"],
        "pool_contract": ["006"],
        "gpu_L40": ["001", "002", "003"],
        "gpu_A100": ["004", "005"],
        "gpu_H100_SXM5": ["006"],
        "gpu_RTX_A4000": ["007", "008"],
        "status_active": ["001", "002", "003", "004", "005", "006", "007", "008"],
        "idle": ["002", "005", "007"],
        "az_az_1": ["007"],
        "az_az_2": ["008"],
    }
    variables = inventory["_meta"]["hostvars"]["gpu-host-001"]
    assert variables["ansible_host"] == "gpu-host-001.mgmt.example.com"
    expected = {
        "hostname": "gpu-host-001",
        "source": "openstack",
        "cloud": "box",
        "pools": ["ondemand"],
        "gpu_type": "L40",
        "gpu_used": 5,
        "gpu_capacity": 8,
        "vm_count": 2,
        "tenant": None,
    }
    assert {name: variables["hostler_host"][name] for name in expected} == expected


@pytest.mark.usefixtures("changed")
def test_disabled_hosts_and_those_in_no_pool(run: Run) -> None:
    cloud = Cloud()
    services = cloud.get("nova", "/v2.1/os-services", host="gpu-host-002")["services"]
    disabled = {"status": "disabled", "disabled_reason": "{{ 6 * 7 }}"}
    cloud.put("nova", f"/v2.1/os-services/{services[0]['id']}", disabled)
    aggregates = cloud.get("nova", "/v2.1/os-aggregates")["aggregates"]
    nvlink = next(a["id"] for a in aggregates if a["name"] == "A100-n3-NVLink")
    out = {"remove_host": {"host": "gpu-host-005"}}
    cloud.post("nova", f"/v2.1/os-aggregates/{nvlink}/action", out)
    inventory = listed(run("--list"))
    found = groups(inventory)
    assert (found["status_disabled"], found["unclassified"]) == (["002"], ["005"])
    host = inventory["_meta"]["hostvars"]["gpu-host-002"]["hostler_host"]
    assert host["disabled_reason"] == "{{ 6 * 7 }}"
    graph = run("--graph", group_by=["status"], statuses=["disabled"]).stdout
    assert "@status_disabled:" in graph
    assert "gpu-host-001" not in graph


def test_tenants_are_groups(run: Run) -> None:
    with FakeNetbox() as netbox:
        netbox.add_tenant("Acme Corp", group="Investors")
        netbox.add_device("gpu-host-006", tenant="Acme Corp")
        done = run(
            "--list",
            netbox_url=netbox.url,
            netbox_token=netbox.token,
            gpu_types=["H100-SXM5"],
            group_by=["tenant", "owner_group"],
        )
    assert groups(listed(done)) == {
        "tenant_Acme_Corp": ["006"],
        "owner_group_Investors": ["006"],
    }


def test_the_cache_knows_whom_it_asked_and_keeps_no_secret(run: Run, tmp_path: Path) -> None:
    cache = {"cache": True, "cache_plugin": "jsonfile", "cache_connection": str(tmp_path / "kept")}
    with FakeNetbox() as netbox:
        options = {**cache, "netbox_url": netbox.url, "netbox_token": netbox.token}
        asked = run("--list", **options)
        token = netbox.token
    gone = {"OS_CLIENT_CONFIG_FILE": str(tmp_path / "none.yml")}
    (file,) = (tmp_path / "kept").iterdir()
    assert token not in file.read_text()
    kept = run("--list", **options)
    assert kept.stdout == asked.stdout
    few = groups(listed(run("--list", **options, pools=["spot"])))
    assert few["pool_spot"] == ["003", "008"]
    assert "pool_ondemand" not in few
    failed(run("--list", environ=gone, **options), "Cloud box was not found")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"gpu_types": ["l40"]}, "nothing has the GPU type 'l40'. Did you mean 'L40'?"),
        ({"gpu_type": ["L40"]}, "there is no option 'gpu_type'. Did you mean 'gpu_types'?"),
        ({"pools": ["Spot"]}, "Invalid value"),
        ({"cloud": "box-reader"}, "we may not do that: Policy doesn't allow"),
        ({"cloud": "bocks"}, "Cloud bocks was not found."),
        ({"config": "nowhere.yml"}, "nowhere.yml"),
    ],
)
def test_bad_input_is_a_sentence(run: Run, options: dict[str, Any], says: str) -> None:
    failed(run("--list", **options), says)
