# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Molecule on real guests: the collection's own scenarios, and that of docs/molecule.md."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from . import molecule
from .conftest import PLAYBOOK, ROOT, Dump
from .test_host_maintenance import _two, config, sweep

__all__ = ["_two", "config"]

GUEST = ROOT / ".cache" / "guest" / "hostler-guest.qcow2"
pytestmark = pytest.mark.timeout(600)

# The small guest has no Python and no user but root: so much of the page is changed.
CONVERGE = """
- name: Use the instance
  hosts: molecule
  gather_facts: false
  tasks:
    - name: Ask for its name
      ansible.builtin.raw: hostname
      changed_when: false
"""


@pytest.fixture
def words(environment: dict[str, str]) -> dict[str, str]:
    """The environment, with an image for the instances."""
    assert GUEST.exists(), f"{GUEST} is missing; run: make setup"
    return environment | {"HOSTLER_TEST_IMAGE": str(GUEST)}


def test_each_scenario_is_run_somewhere() -> None:
    there = {path.parent.name for path in (ROOT / "extensions/molecule").glob("*/molecule.yml")}
    assert there == molecule.SCENARIOS


def test_scenarios_on_a_hypervisor(words: dict[str, str], dump: Dump) -> None:
    before = dump()
    molecule.scenarios(words, *molecule.HYPERVISOR)
    assert dump() == before


def test_scenarios_on_a_pool_of_hosts(environment: dict[str, str], config: str) -> None:
    sweep()  # its VMs: one of them must not be moved
    molecule.scenarios({**environment, "HOSTLER_CONFIG": config}, *molecule.POOL)


def documented() -> dict[str, str]:
    """The files that the page shows, by their names."""
    text = (ROOT / "docs" / "molecule.md").read_text()
    blocks = re.findall(r"^```yaml\n# (\S+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return dict(blocks)


def test_the_scenario_of_the_documentation(
    words: dict[str, str], tmp_path: Path, dump: Dump
) -> None:
    files = documented()
    inventory = yaml.safe_load(files["molecule/default/inventory/hosts.yml"])
    group = inventory["molecule"]
    group["vars"]["ansible_user"] = "root"
    group["vars"]["molecule_vm"] |= {"disks": [{"image": str(GUEST)}], "memory": "192MiB"}
    group["hosts"] = {f"hostler-{name}": None for name in group["hosts"]}
    files["molecule/default/inventory/hosts.yml"] = json.dumps(inventory)
    files["molecule/default/converge.yml"] = CONVERGE
    for name, text in files.items():
        (tmp_path / "role" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "role" / name).write_text(text)
    before = dump()
    said = molecule.run(tmp_path / "role", words, "test")
    for host in group["hosts"]:
        assert re.search(rf"ok: \[{host}\]", said)
    assert dump() == before


def test_a_vm_that_is_no_instance_is_left_alone(words: dict[str, str], tmp_path: Path) -> None:
    """Its name is that of an instance, but it has no label."""
    inventory = tmp_path / "hosts.json"
    hosts = {"test": {"molecule_vm": {"name": "test"}}}
    inventory.write_text(json.dumps({"molecule": {"hosts": hosts}}))
    environment = words | {
        "LIBVIRT_DEFAULT_URI": "test:///default",
        "MOLECULE_EPHEMERAL_DIRECTORY": str(tmp_path),
    }
    for playbook, code in (("molecule_create", 2), ("molecule_destroy", 0)):
        done = subprocess.run(
            [PLAYBOOK, "-i", inventory, f"hostler.fleet.{playbook}"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "changed=0" in done.stdout if code == 0 else "no label 'molecule'" in done.stdout
