# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds what modules return, in every test that runs them, to what their RETURN says."""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

MODULES = Path(__file__).resolve().parents[1] / "plugins" / "modules"
RECORD = "HOSTLER_TEST_RECORD"
"""Environment: a folder for all results, which docs/samples.py takes samples from."""
TYPES: dict[str, type | tuple[type, ...]] = {
    "bool": bool,
    "dict": dict,
    "float": (float, int),
    "int": int,
    "list": list,
    "str": str,
}
ANSIBLES = {
    "ansible_loop_var",
    "attempts",
    "changed",
    "deprecations",
    "exception",
    "failed",
    "failed_when_result",
    "invocation",
    "msg",
    "warnings",
}
"""What Ansible itself adds to results."""

Fields = dict[str, dict[str, Any]]


@pytest.fixture(autouse=True)
def documented(tmp_path: Path) -> Iterator[None]:
    """After each test: all results of modules are as documented. The callback has written them."""
    yield
    file = tmp_path / "modules.jsonl"
    lines = file.read_text().splitlines() if file.exists() else []
    found = []
    for module, result in map(json.loads, lines):
        found += [f"{module}: {problem}" for problem in problems(fields(module), result)]
        if folder := os.environ.get(RECORD):
            with (Path(folder) / f"{module}.jsonl").open("a") as record:
                record.write(json.dumps(result) + "\n")
    assert not found, "\n".join(sorted(set(found)))


@cache
def fields(module: str) -> Fields:
    """Return what a module's RETURN documents."""
    for node in ast.parse((MODULES / f"{module}.py").read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "RETURN":
            return dict(yaml.safe_load(ast.literal_eval(node.value)))
    raise ValueError(f"{module} has no RETURN")


def problems(documented: Fields, result: dict[str, Any]) -> Iterator[str]:
    """Say what a result has that is not documented, or of another type."""
    own = {k: v for k, v in result.items() if k not in ANSIBLES and not k.startswith("_ansible")}
    yield from _dict(documented, own, "")


def _dict(documented: Fields, values: dict[str, Any], where: str) -> Iterator[str]:
    for key, value in values.items():
        if key not in documented:
            yield f"{where}{key} is not documented"
        else:
            yield from _value(documented[key], value, f"{where}{key}")


def _value(field: dict[str, Any], value: Any, where: str) -> Iterator[str]:
    if value is None or field["type"] == "raw":  # none is not known, or there is none
        return
    if not is_a(value, field["type"]):
        yield f"{where} is no {field['type']}: {value!r}"
    elif isinstance(value, list):
        inner = {**field, "type": field["elements"]}
        for item in value:
            yield from _value(inner, item, f"{where}[]")
    elif isinstance(value, dict) and "contains" in field:
        yield from _dict(field["contains"], value, f"{where}.")


def is_a(value: Any, name: str) -> bool:
    """Whether a value is of the type of that name; a bool is no number."""
    return isinstance(value, TYPES[name]) and (name == "bool" or not isinstance(value, bool))
