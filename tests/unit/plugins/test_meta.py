# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection says about itself in several places is the same in all of them."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[3]
REQUIREMENTS = ("requirements.txt", "meta/ee-requirements.txt")


def load(name: str) -> dict[str, object]:
    document = yaml.safe_load((ROOT / name).read_text())
    assert isinstance(document, dict)
    return document


def collection_version() -> str:
    return str(load("galaxy.yml")["version"])


def sdk_range() -> SpecifierSet:
    sdk = importlib.import_module("ansible_collections.hostler.fleet.plugins.module_utils._sdk")
    return SpecifierSet(sdk.SDK_RANGE)


def requirement(name: str) -> Requirement:
    lines = (ROOT / name).read_text().splitlines()
    (line,) = [line for line in lines if line and not line.startswith("#")]
    return Requirement(line)


def test_action_group_lists_every_module() -> None:
    modules = sorted(
        file.stem for file in (ROOT / "plugins" / "modules").glob("*.py") if file.stem != "__init__"
    )
    groups = load("meta/runtime.yml")["action_groups"]
    assert groups == {"fleet": modules}


def test_every_module_has_its_action_plugin() -> None:
    folders = [
        {file.name for file in (ROOT / "plugins" / kind).glob("*.py")} - {"__init__.py"}
        for kind in ("modules", "action")
    ]
    assert folders[0] == folders[1]


def test_sdk_has_the_collections_version() -> None:
    text = (ROOT / "sdk" / "src" / "hostler" / "_version.py").read_text()
    match = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    assert match is not None
    assert match[1] == collection_version()


def test_sdk_range_admits_the_version() -> None:
    assert sdk_range().contains(collection_version())


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_requirements_ask_for_the_sdk_range(name: str) -> None:
    assert requirement(name).name == "hostler"
    assert requirement(name).specifier == sdk_range()


def test_documentation_asks_for_the_sdk_range() -> None:
    said = {
        (file.name, match[1])
        for folder in ("plugins", "extensions", "docs/reference/modules")
        for file in (ROOT / folder).rglob("*.*")
        if file.suffix in (".py", ".md")
        for match in re.finditer(r"hostler(?:\[[\w,]+\])? (>=[^(\n]+)", file.read_text())
    }
    assert said
    assert {SpecifierSet(asked) for file, asked in said} == {sdk_range()}, said


def test_changelog_heads_with_the_version() -> None:
    releases = load("changelogs/changelog.yaml")["releases"]
    assert isinstance(releases, dict)
    in_preparation = [file.stem for file in (ROOT / "changelogs" / "fragments").glob("[0-9]*.yml")]
    assert max([*releases, *in_preparation], key=Version) == collection_version()


def test_no_sanity_check_is_ignored() -> None:
    assert list((ROOT / "tests" / "sanity").glob("ignore-*.txt")) == []
