# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each role says what it takes; its specs, defaults, variables and README agree."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ROLES = sorted(path for path in (ROOT / "roles").iterdir() if path.is_dir())
roles = pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)


def load(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text()) if path.exists() else {}


def specs(role: Path) -> dict[str, Any]:
    found = load(role / "meta" / "argument_specs.yml")
    return dict(found["argument_specs"])


def names(role: Path) -> set[str]:
    return {name for spec in specs(role).values() for name in spec["options"]}


def test_there_are_roles() -> None:
    assert len(ROLES) >= 6


@roles
def test_each_entry_point_has_specs(role: Path) -> None:
    files = {path.stem: path.read_text() for path in (role / "tasks").glob("*.yml")}
    includes = re.findall(r"include_tasks: (\S+|\".*\")\n", "\n".join(files.values()))
    patterns = [re.sub(r"\{\{.*?\}\}", ".*", name.strip('"')) for name in includes]
    inner = {name for name in files if any(re.fullmatch(p, f"{name}.yml") for p in patterns)}
    parts = set(re.findall(r"tasks_from: (\w+)", (role / "README.md").read_text()))
    assert (files.keys() - inner) | parts <= specs(role).keys() <= files.keys()
    for spec in specs(role).values():
        assert spec["short_description"]
        assert spec["author"]
        assert all(option["description"] for option in spec["options"].values())


@roles
def test_variables_have_the_role_as_prefix(role: Path) -> None:
    kept = [load(path) for path in [role / "defaults" / "main.yml", *role.glob("vars/*.yml")]]
    tasks = "\n".join(path.read_text() for path in role.glob("tasks/*.yml"))
    registered = set(re.findall(r"^ *register: (\S+)", tasks, re.MULTILINE))
    every = names(role) | registered | {name for variables in kept for name in variables}
    assert [name for name in every if not name.startswith(f"{role.name}_")] == []


@roles
def test_defaults_are_those_that_the_specs_name(role: Path) -> None:
    options, defaults = specs(role)["main"]["options"], load(role / "defaults" / "main.yml")
    assert defaults.keys() <= options.keys()
    said = {name: option["default"] for name, option in options.items() if "default" in option}
    worked_out = {name for name, value in defaults.items() if "{{" in str(value)}
    assert {k: v for k, v in said.items() if k not in worked_out} == {
        k: v for k, v in defaults.items() if k not in worked_out and (v or k in said)
    }
    for name, option in options.items():
        assert not (option.get("required") and name in defaults)


@roles
def test_the_readme_names_each_variable(role: Path) -> None:
    text = (role / "README.md").read_text()
    assert [name for name in sorted(names(role)) if f"`{name}`" not in text] == []


def test_the_readme_of_the_collection_names_each_role() -> None:
    text = (ROOT / "README.md").read_text()
    assert [role.name for role in ROLES if f"roles/{role.name}/" not in text] == []
