# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every example of every module is one that Ansible takes, and so does the module."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import examples as runnable
import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from unit.plugins.test_specs import COLLECTIONS, MODULES, documentation

PLAUSIBLE: dict[str, Any] = {
    "bool": True,
    "dict": {},
    "float": 1.5,
    "int": 1,
    "list": [],
    "path": "/there",
    "raw": "1",
    "str": "1",
}
"""What stands for a template whose value only a run knows, by the option's type."""


def examples(module: str) -> list[dict[str, Any]]:
    found = yaml.safe_load(documentation()[module]["examples"])
    assert isinstance(found, list)
    return found


def tasks(module: str) -> list[dict[str, Any]]:
    """The module's tasks among its examples."""
    name = f"hostler.fleet.{module}"
    found = [task[name] or {} for task in examples(module) if name in task]
    assert found
    return found


def filled(value: Any, option: dict[str, Any]) -> Any:
    """The value, with something plausible for each template in it."""
    if isinstance(value, str) and "{{" in value:
        return (
            option["choices"][0] if option.get("choices") else PLAUSIBLE[option.get("type", "str")]
        )
    inner = option.get("options")
    if isinstance(value, dict) and inner:
        return {key: filled(item, inner.get(key, {})) for key, item in value.items()}
    if isinstance(value, list):
        element = {"type": option.get("elements", "str"), **({"options": inner} if inner else {})}
        return [filled(item, element) for item in value]
    return value


@pytest.mark.parametrize("module", MODULES)
def test_the_module_takes_its_examples(module: str) -> None:
    arguments = MODULES[module].arguments
    for task in tasks(module):
        values = filled(task, {"options": arguments["argument_spec"]})
        checked = ArgumentSpecValidator(**arguments).validate(values)
        assert not checked.error_messages, task


def test_ansible_takes_all_examples(tmp_path: Path) -> None:
    """Keywords, names of modules, templates in conditions: what a syntax check sees."""
    plays = [
        {"hosts": "localhost", "gather_facts": False, "tasks": examples(module)}
        for module in MODULES
    ]
    (tmp_path / "examples.yml").write_text(json.dumps(plays))
    done = subprocess.run(
        [
            Path(sys.executable).parent / "ansible-playbook",
            "--syntax-check",
            tmp_path / "examples.yml",
        ],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


LISTED = [(system, entry) for system in runnable.SYSTEMS for entry in runnable.entries(system)]


def test_all_examples_are_run() -> None:
    """On one system each."""
    lookups = [file.stem for file in (runnable.PLUGINS / "lookup").glob("[!_]*.py")]
    assert sorted(entry["plugin"] for _system, entry in LISTED) == sorted([*MODULES, *lookups])
    for system in runnable.SYSTEMS:
        assert runnable.tasks(system)


def test_few_examples_are_not_run() -> None:
    unrun = {
        (entry["plugin"], name): reason
        for _system, entry in LISTED
        for name, reason in entry.get("unrun", {}).items()
    }
    assert len(unrun) <= 8
    for (plugin, name), reason in unrun.items():
        assert reason
        assert name in [task["name"] for task in examples(plugin)]
