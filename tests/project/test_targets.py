# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module has an integration target, of the same parts, that asserts what there is to."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TARGETS = ROOT / "tests" / "integration" / "targets"
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))
TRY = {"block": ["prepare.yml", "test.yml"], "always": ["cleanup.yml"]}
GROUPS = {"hostler/libvirt", "hostler/openstack", "hostler/hyperstack"}

READS = {"read", "check", "refused"}
ACTS = {"check", "changed", "unchanged", "refused"}
KEEPS = {"check", "diff", "created", "unchanged", "changed", "absent", "refused"}


def target(module: str) -> Path:
    """ansible-test runs a target as a role: one of ours of that name would come first."""
    role = (ROOT / "roles" / module).exists()
    return TARGETS / (f"{module}_module" if role else module)


def wanted(module: str) -> set[str]:
    """What the names of the assertions have to speak of."""
    if module.endswith("_info"):
        return READS
    action = import_module(f"ansible_collections.hostler.fleet.plugins.action.{module}")
    spec = action.ActionModule.module.arguments["argument_spec"]
    states = set(spec.get("state", {}).get("choices", ()))
    return KEEPS if {"present", "absent"} <= states else ACTS


@cache
def tasks(module: str, part: str) -> list[dict[str, Any]]:
    loaded = yaml.safe_load((target(module) / "tasks" / f"{part}.yml").read_text())
    assert isinstance(loaded, list)
    return loaded


def assertions(module: str) -> list[dict[str, Any]]:
    found = [task for task in tasks(module, "test") if "ansible.builtin.assert" in task]
    assert all(task["ansible.builtin.assert"]["that"] for task in found)
    return found


@pytest.mark.parametrize("module", MODULES)
def test_the_parts_are_the_same(module: str) -> None:
    groups = GROUPS & set((target(module) / "aliases").read_text().split())
    assert len(groups) == 1
    (block,) = tasks(module, "main")
    parts = {name: [task["ansible.builtin.import_tasks"] for task in block[name]] for name in TRY}
    assert parts == TRY
    assert tasks(module, "prepare")
    assert tasks(module, "cleanup")


@pytest.mark.parametrize("module", MODULES)
def test_the_module_is_run(module: str) -> None:
    assert any(f"hostler.fleet.{module}" in task for task in tasks(module, "test"))


@pytest.mark.parametrize("module", MODULES)
def test_what_is_asserted(module: str) -> None:
    said = {word for task in assertions(module) for word in re.findall(r"\w+", task["name"])}
    assert wanted(module) - said == set()


@pytest.mark.parametrize("module", MODULES)
def test_every_result_is_looked_at(module: str) -> None:
    looked = str([task["ansible.builtin.assert"]["that"] for task in assertions(module)])
    kept = {task["register"] for task in tasks(module, "test") if "register" in task}
    assert {name for name in kept if not re.search(rf"\b{name}\b", looked)} == set()
