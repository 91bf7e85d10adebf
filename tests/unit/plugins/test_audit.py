# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""extensions/audit finds the nodes in the results of modules."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.hostler.fleet.plugins.module_utils import _host, _module, _vm, _vm_info

ROOT = Path(__file__).resolve().parents[3]
QUERIES = yaml.safe_load((ROOT / "extensions" / "audit" / "event_query.yml").read_text())
TEST = "test:///default"
UUID = "6695eb01-f6a4-8304-79aa-97f2502e193f"
"""Of the VM that libvirt's test driver always has."""


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTLER_STORE", f"sqlite:///{tmp_path}/journal.db")


def perform(module: _module.Module, *, check: bool = False, **options: Any) -> _module.Result:
    checked = ArgumentSpecValidator(**module.arguments).validate(options)
    assert not checked.error_messages
    return module.perform(checked.validated_parameters, check=check)


def nodes(name: str, result: Any) -> list[dict[str, Any]]:
    """Run a module's query on a result."""
    query = QUERIES[f"hostler.fleet.{name}"]["query"]
    done = subprocess.run(
        ["jq", "--compact-output", query],
        input=json.dumps(result, default=str),
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_queries_are_of_modules() -> None:
    modules = {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")}
    assert {name.removeprefix("hostler.fleet.") for name in QUERIES} <= modules


def test_vms() -> None:
    (read,) = nodes("vm_info", perform(_vm_info.MODULE, uri=TEST))
    assert read == {
        "name": "test",
        "canonical_facts": {"uuid": UUID},
        "facts": {
            "infra_type": "PrivateCloud",
            "infra_bucket": "Compute",
            "device_type": "VM",
            "hypervisor": TEST,
        },
    }
    assert nodes("vm", perform(_vm.MODULE, uri=TEST, name="test", state="running")) == [read]
    many = perform(_vm.MODULE, uri=TEST, vms=[{"name": "test"}], state="running")
    assert nodes("vm", many) == [read]
    assert nodes("vm", perform(_vm.MODULE, uri=TEST, name="none", state="absent")) == []


def test_hypervisors() -> None:
    perform(_host.HOST, id="kvm1", uri=TEST)
    (node,) = nodes("host_info", perform(_host.INFO))
    assert node["name"] == "kvm1"
    assert node["canonical_facts"] == {"uri": TEST, "uuid": None}  # the test driver has none


@pytest.mark.parametrize(
    ("name", "result", "found"),
    [
        ("hyperstack_vm", {"vm": {"id": 7, "name": "a"}}, [("a", {"hyperstack_id": 7})]),
        ("hyperstack_vm", {"vm": None}, []),
        ("hyperstack_vm_info", {"vms": [{"id": 7, "name": "a"}]}, [("a", {"hyperstack_id": 7})]),
        (
            "openstack_server_info",
            {"servers": [{"id": "7", "name": "a"}]},
            [("a", {"openstack_id": "7"})],
        ),
        ("openstack_server_info", {"msg": "it failed"}, []),
    ],
)
def test_clouds(name: str, result: Any, found: list[tuple[str, dict[str, Any]]]) -> None:
    assert [(node["name"], node["canonical_facts"]) for node in nodes(name, result)] == found
