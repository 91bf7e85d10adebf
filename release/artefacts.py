# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds what a release consists of: artefacts.py FOLDER.

The SDK's wheel and sdist, the collection's tarball, a bill of materials of the SDK with all its
backends (CycloneDX, https://cyclonedx.org), and the checksums of all.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / ".cache" / "release" / "tools" / "bin"
SUMS = "SHA256SUMS"


def build(tree: Path, folder: Path) -> list[Path]:
    """Build the artefacts of a checkout into an empty folder; returns their paths."""
    folder.mkdir(parents=True)
    packages(tree, folder)
    (wheel,) = folder.glob("*.whl")
    bill_of_materials(tree, wheel, folder / f"{wheel.name.partition('-py3')[0]}.cdx.json")
    artefacts = sorted(folder.iterdir())
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}" for file in artefacts]
    (folder / SUMS).write_text("\n".join(sums) + "\n")
    return [*artefacts, folder / SUMS]


def packages(tree: Path, folder: Path) -> None:
    """Build wheel, sdist and tarball out of the files that git knows, or would add."""
    with tempfile.TemporaryDirectory() as name:
        clean = Path(name) / "tree"
        _copy(tree, clean)
        out = str(folder.resolve())
        run(TOOLS / "python", "-m", "build", "--no-isolation", "--outdir", out, clean / "sdk")
        galaxy = Path(sys.executable).with_name("ansible-galaxy")
        run(galaxy, "collection", "build", "--output-path", out, cwd=clean)


def bill_of_materials(tree: Path, wheel: Path, file: Path) -> None:
    """List what an installation of the SDK with all its backends brings, with versions."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder)
        python = Path(folder) / "bin" / "python"
        install = ("install", "--quiet", "--no-compile", f"{wheel}[all]")
        run(sys.executable, "-m", "pip", "--python", python, *install)
        project = ("--pyproject", tree / "sdk" / "pyproject.toml", "--mc-type", "library")
        options = ("--output-reproducible", "--output-file", file)
        run(TOOLS / "cyclonedx-py", "environment", *project, *options, python)


def run(*argv: str | Path, cwd: Path | None = None) -> None:
    """Run a command; it says why it fails, and so ends the build."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    subprocess.run(
        argv, cwd=cwd, env=environment, check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr
    )


def _copy(tree: Path, target: Path) -> None:
    names = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    listing = subprocess.run(names, cwd=tree, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listing.split("\0")):
        if (tree / name).exists():  # not one that is deleted, and not committed yet
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(tree / name, target / name)


if __name__ == "__main__":
    print("\n".join(str(path) for path in build(ROOT, Path(sys.argv[1]))))
