# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases, prepared for real in clones of this checkout. The bill of materials is made once."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import artefacts
import prepare
import pytest
import yaml
from packaging.specifiers import SpecifierSet

from .conftest import ROOT

pytestmark = pytest.mark.timeout(600)  # the bill of materials installs much
NEXT = "0.9.0"
BILL = artefacts.bill_of_materials


def git(tree: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", tree, *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone of the checkout, with a fragment: something is new."""
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "A tester")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "tester@example.com")
    git(tmp_path, "clone", "--quiet", "--no-tags", str(ROOT), "fleet")
    clone = tmp_path / "fleet"
    fragment = clone / "changelogs" / "fragments" / "news.yml"
    fragment.write_text("---\nminor_changes:\n  - vm - something new, for the test.\n")
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", "News")
    return clone


def bill(tree: Path, wheel: Path, file: Path) -> None:
    """Make the bill of materials, and look at it: it is gone when the dry run is over."""
    BILL(tree, wheel, file)
    made = json.loads(file.read_text())
    assert made["bomFormat"] == "CycloneDX"
    assert made["metadata"]["component"]["name"] == "hostler"
    names = {component["name"] for component in made["components"]}
    assert {"pydantic", "openstacksdk", "libvirt-python"} <= names


def test_dry_run(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = git(tree, "rev-parse", "HEAD")
    monkeypatch.setattr(artefacts, "bill_of_materials", bill)
    files = prepare.release(tree, NEXT, dry_run=True)
    assert files == [
        f"hostler-{NEXT}-py3-none-any.whl",
        f"hostler-{NEXT}.cdx.json",
        f"hostler-{NEXT}.tar.gz",
        f"hostler-fleet-{NEXT}.tar.gz",
        "SHA256SUMS",
    ]
    assert git(tree, "rev-parse", "HEAD") == head
    assert git(tree, "status", "--porcelain") == git(tree, "tag") == ""
    assert not (tree / "dist").exists()


def test_release(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artefacts, "bill_of_materials", lambda *arguments: arguments[-1].touch())
    prepare.release(tree, NEXT, dry_run=False)
    assert git(tree, "status", "--porcelain") == ""
    assert git(tree, "describe", "--exact-match") == f"v{NEXT}"
    assert str(prepare.current(tree)) == NEXT
    assert not list((tree / "changelogs" / "fragments").glob("*.yml"))
    news = yaml.safe_load((tree / "changelogs" / "changelog.yaml").read_text())
    assert "something new" in str(news["releases"][NEXT])
    assert "something new" in (tree / "CHANGELOG.rst").read_text()
    for file in prepare.with_range(tree):
        assert NEXT in file.read_text()
        assert "0.10" in file.read_text()
    for line in (tree / "dist" / NEXT / artefacts.SUMS).read_text().splitlines():
        digest, name = line.split("  ")
        content = (tree / "dist" / NEXT / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest


def tag(tree: Path) -> None:
    git(tree, "tag", f"v{NEXT}")


def change(tree: Path) -> None:
    (tree / "README.md").write_text("")


def nothing_new(tree: Path) -> None:
    git(tree, "rm", "--quiet", "changelogs/fragments/*.yml")
    git(tree, "commit", "--quiet", "--message", "No news")


def as_it_is(tree: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("version", "before", "why"),
    [
        ("next", as_it_is, "no version"),
        ("0.9.0rc1", as_it_is, "no version of a release"),
        ("0.0.1", as_it_is, "older than"),
        (NEXT, tag, "tag v0.9.0 already"),
        (NEXT, change, "not committed"),
        (NEXT, nothing_new, "nothing new"),
    ],
)
def test_refused(tree: Path, version: str, before: object, why: str) -> None:
    assert callable(before)
    before(tree)
    head = git(tree, "rev-parse", "HEAD")
    with pytest.raises(prepare.Refused, match=why):
        prepare.release(tree, version, dry_run=False)
    assert git(tree, "rev-parse", "HEAD") == head


@pytest.mark.parametrize(
    ("version", "above"), [("0.1.0", "0.2"), ("0.1.7", "0.2"), ("1.0.0", "2"), ("2.3.4", "3")]
)
def test_the_range_ends_where_things_may_break(version: str, above: str) -> None:
    assert prepare.too_new(version) == above
    assert version in SpecifierSet(f">={version},<{above}")
