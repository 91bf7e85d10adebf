# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is tried (tox.ini), what README says of it, and what the packages ask for, are the same."""

from __future__ import annotations

import re
import tomllib
from configparser import ConfigParser
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version
from stages import oldest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def environments() -> list[str]:
    tox = ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    return tox["tox"]["env_list"].split(", ")


def tried() -> dict[str, str]:
    """The Python of each ansible-core."""
    found = [re.fullmatch(r"py3(\d+)-core(2\.\d+)", name) for name in environments()]
    return {match[2]: f"3.{match[1]}" for match in found if match}


def range_in(name: str) -> SpecifierSet:
    match = re.search(r"ansible-core(>=[\d.]+,<[\d.]+)", (ROOT / name).read_text())
    assert match
    return SpecifierSet(match[1])


def test_readme_says_what_is_tried() -> None:
    rows = re.findall(r"^\| (2\.\d+) \| (3\.\d+) \|", README, re.MULTILINE)
    assert dict(rows) == tried()


def test_the_sdk_is_tried_with_oldest_and_newest_libraries() -> None:
    others = set(environments()) - {
        f"py{py.replace('.', '')}-core{core}" for core, py in tried().items()
    }
    assert others == {"py311-oldest", "py313-newest"}
    assert "oldest libraries that it allows, on Python 3.11, and with the newest, on 3.13" in (
        README.replace("\n", " ")
    )


def test_the_collection_asks_for_the_oldest_core() -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())
    (bound,) = SpecifierSet(runtime["requires_ansible"])
    assert bound.operator == ">="
    assert Version(bound.version) == min(map(Version, tried()))


def test_the_sdk_asks_for_the_oldest_python() -> None:
    project = tomllib.loads((ROOT / "sdk" / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == f">={min(map(Version, tried().values()))}"


@pytest.mark.parametrize(
    "name", ["README.md", "docs/getting-started.md", "tests/setup/requirements.txt"]
)
def test_what_is_installed_is_what_is_tried(name: str) -> None:
    newest = max(map(Version, tried()))
    assert [core for core in tried() if core not in range_in(name)] == []
    assert f"{newest.major}.{newest.minor + 1}" not in range_in(name)


def test_the_oldest_libraries_are_the_bounds() -> None:
    for line in oldest.constraints():
        pinned = Requirement(line)
        assert [part.operator for part in pinned.specifier] == ["=="]
    assert "pydantic" in {Requirement(line).name for line in oldest.constraints()}
