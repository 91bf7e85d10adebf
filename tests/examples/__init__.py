# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of modules and lookups, as tasks that a test runs on a real system.

A file for each system lists the plugins whose examples run there, in their order, each with:

* prepare: tasks that run before its examples
* replace: words of the examples, and what is said here instead
* unrun: names of examples that can't run there, each with the reason
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
PLUGINS = HERE.parents[1] / "plugins"
SYSTEMS = ("hyperstack", "libvirt", "openstack")

Task = dict[str, Any]


def entries(system: str) -> list[dict[str, Any]]:
    """Return what the file of a system lists."""
    return list(yaml.safe_load((HERE / f"{system}.yml").read_text()))


def examples(plugin: str) -> str:
    """Return a plugin's EXAMPLES."""
    (file,) = [
        PLUGINS / kind / f"{plugin}.py"
        for kind in ("modules", "lookup", "inventory")
        if (PLUGINS / kind / f"{plugin}.py").exists()
    ]
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "EXAMPLES":
            return str(ast.literal_eval(node.value))
    raise ValueError(f"{plugin} has no EXAMPLES")


def tasks(system: str) -> list[Task]:
    """Return all tasks for a system; the names of examples begin with their plugin's."""
    found = []
    for entry in entries(system):
        plugin, text = entry["plugin"], examples(entry["plugin"])
        for old, new in entry.get("replace", {}).items():
            if old not in text:
                raise ValueError(f"no example of {plugin} says {old}")
            text = text.replace(old, new)
        for number, task in enumerate(entry.get("prepare", ())):
            found.append({"name": f"{plugin}: prepared {number}", **task})
        found += [
            {**task, "name": f"{plugin}: {task['name']}", "ignore_errors": True}
            for task in yaml.safe_load(text)
            if task["name"] not in entry.get("unrun", {})
        ]
    return found


def check(system: str, told: dict[str, dict[str, Any]]) -> None:
    """Hold the results to: none has failed, up to the last; a loop of nothing tells nothing."""
    failed = {name: result for name, result in told.items() if result["failed"]}
    assert not failed, failed
    assert tasks(system)[-1]["name"] in told
