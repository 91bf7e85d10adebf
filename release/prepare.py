# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prepares a release: prepare.py VERSION [--dry-run], or `make release VERSION=...`.

All is done in a clone: versions, changelog, artefacts, commit and tag. Only when it is whole do
commit and tag come to the checkout, by a fast-forward, and the artefacts to dist/. Nothing is
pushed or uploaded.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import artefacts
from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).resolve().parents[1]
VERSION = re.compile(r"\d+\.\d+\.\d+")
SDK_RANGE = re.compile(r'(hostler(?:\[[\w,]+\])? ?|SDK_RANGE = ")>=( ?)[\d.]+,( ?)<( ?)[\d.]+')
WITH_RANGE = ("requirements.txt", "meta", "plugins", "extensions", "docs/reference/modules")
"""Files and folders that say which SDK the collection needs."""


class Refused(Exception):
    """There can be no such release; says why."""


def main() -> int:
    """Do what the command line asks for; the exit code."""
    parser = argparse.ArgumentParser(description="Prepare a release of both halves.")
    parser.add_argument("version", help="such as 0.2.0")
    parser.add_argument("--dry-run", action="store_true", help="leave checkout and dist/ alone")
    arguments = parser.parse_args()
    try:
        files = release(ROOT, arguments.version, dry_run=arguments.dry_run)
    except Refused as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    print("\n".join(files))
    if arguments.dry_run:
        print("This was a dry run: nothing was changed here.")
    else:
        print(
            f"Look at it, then: git push --follow-tags; twine upload dist/{arguments.version}/..."
        )
    return 0


def release(root: Path, version: str, *, dry_run: bool) -> list[str]:
    """Prepare a release of a checkout's HEAD; returns the names of its artefacts.

    Raises:
        Refused: the version is none, or is not newer; the checkout has changes, or nothing new.
    """
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "fleet"
        _git(root, "clone", "--quiet", str(root), str(clone))
        refuse(root, clone, version)
        set_versions(clone, version)
        changelog = Path(sys.executable).with_name("antsibull-changelog")
        artefacts.run(changelog, "release", "--version", version, cwd=clone)
        built = artefacts.build(clone, Path(folder) / "dist")
        _git(clone, "add", "--all")
        _git(clone, "commit", "--quiet", "--message", f"Release {version}")
        _git(clone, "tag", "--annotate", "--message", f"Hostler {version}", f"v{version}")
        if not dry_run:
            _git(root, "fetch", "--quiet", str(clone), "tag", f"v{version}")
            _git(root, "merge", "--quiet", "--ff-only", f"v{version}")
            shutil.copytree(Path(folder) / "dist", root / "dist" / version)
        return [file.name for file in built]


def refuse(root: Path, clone: Path, version: str) -> None:
    """Raise Refused where there can be no release."""
    try:
        wanted = Version(version)
    except InvalidVersion:
        raise Refused(f"{version} is no version: say MAJOR.MINOR.PATCH") from None
    if not VERSION.fullmatch(version):
        raise Refused(f"{version} is no version of a release: say MAJOR.MINOR.PATCH")
    if _git(root, "status", "--porcelain"):
        raise Refused("the checkout has changes that are not committed: commit or stash them")
    if f"v{version}" in _git(clone, "tag").splitlines():
        raise Refused(f"there is a tag v{version} already")
    if wanted < (now := current(clone)):
        raise Refused(f"{version} is older than {now}, the version in galaxy.yml")
    if not list((clone / "changelogs" / "fragments").glob("*.yml")):
        raise Refused("there is nothing new: changelogs/fragments has no fragments")


def current(tree: Path) -> Version:
    """Return the version that galaxy.yml has."""
    (line,) = re.findall(r"^version: (\S+)$", (tree / "galaxy.yml").read_text(), re.MULTILINE)
    return Version(line)


def set_versions(tree: Path, version: str) -> None:
    """Write a version wherever one is said. The collection needs the SDK that it comes with."""
    _replace(tree / "galaxy.yml", r"(?m)^version: .*", f"version: {version}")
    module = tree / "sdk" / "src" / "hostler" / "_version.py"
    _replace(module, r'__version__ = ".*"', f'__version__ = "{version}"')
    for file in with_range(tree):
        _replace(file, SDK_RANGE, rf"\1>=\g<2>{version},\g<3><\g<4>{too_new(version)}")


def with_range(tree: Path) -> list[Path]:
    """Return the files that say which SDK the collection needs."""
    names = _git(tree, "ls-files", "--", *WITH_RANGE).splitlines()
    return [tree / name for name in names if SDK_RANGE.search((tree / name).read_text())]


def too_new(version: str) -> str:
    """Return the first version of the SDK that may break: the next minor, and from 1.0 major."""
    parsed = Version(version)
    return f"{parsed.major + 1}" if parsed.major else f"0.{parsed.minor + 1}"


def _replace(file: Path, pattern: str | re.Pattern[str], text: str) -> None:
    old = file.read_text()
    new, count = re.subn(pattern, text, old)
    if not count:
        raise Refused(f"{file} has no version where one is expected")
    if new != old:
        file.write_text(new)


def _git(tree: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", tree, *arguments], check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise Refused(f"git {arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
