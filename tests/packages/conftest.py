# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds both halves, and installs them where nothing of this checkout is seen."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import artefacts
import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = "ansible-core"


@dataclass(frozen=True)
class Installed:
    """A fresh virtual environment with both halves, and a home of its own.

    Attributes:
        folder: where its commands run.
        environment: of its commands.
    """

    folder: Path
    environment: dict[str, str]

    def run(self, *argv: str, answer: str = "", uri: str = "test:///default") -> str:
        """Run a command to its good end; what it printed."""
        done = subprocess.run(
            argv,
            cwd=self.folder,
            env=self.environment | {"LIBVIRT_DEFAULT_URI": uri},
            input=answer,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{argv}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="session", autouse=True)
def tools() -> Path:
    """Programs that build and check packages."""
    assert artefacts.TOOLS.exists(), f"{artefacts.TOOLS} is missing; run: make setup"
    return artefacts.TOOLS


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build wheel, sdist and tarball; the folder that has them."""
    folder = tmp_path_factory.mktemp("dist")
    artefacts.packages(ROOT, folder)
    return folder


@pytest.fixture(scope="session")
def file(dist: Path) -> Callable[[str], Path]:
    """Find the one artefact that fits a pattern."""

    def found(pattern: str) -> Path:
        (path,) = dist.glob(pattern)
        return path

    return found


@pytest.fixture(scope="session")
def installed(file: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Install the packages, with the ansible-core that the tests have."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "venv")
    programs, home = folder / "venv" / "bin", folder / "home"
    home.mkdir()
    install = ("install", "--quiet", f"{file('*.whl')}[libvirt]", _same(CORE))
    artefacts.run(sys.executable, "-m", "pip", "--python", programs / "python", *install)
    kept = {name: value for name, value in os.environ.items() if name in ("LANG", "LC_ALL")}
    environment = {
        **kept,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "COLUMNS": "200",
        "NO_COLOR": "1",
    }
    made = Installed(folder, environment)
    made.run("ansible-galaxy", "collection", "install", "--offline", str(file("hostler-fleet-*")))
    return made


def _same(package: str) -> str:
    show = [sys.executable, "-m", "pip", "freeze", "--exclude-editable"]
    frozen = subprocess.run(show, capture_output=True, text=True, check=True).stdout
    return next(line for line in frozen.splitlines() if line.startswith(f"{package}=="))
