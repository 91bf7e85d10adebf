# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wheel, sdist and tarball: what is in them, what Galaxy and PyPI say of them."""

from __future__ import annotations

import os
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from .conftest import ROOT, Installed

File = Callable[[str], Path]

pytestmark = pytest.mark.timeout(600)
IN_COLLECTION = {
    *("CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "COPYING", "LICENSES", "README.md", "REUSE.toml"),
    *("SECURITY.md", "FILES.json", "MANIFEST.json", "changelogs", "docs", "extensions", "meta"),
    *("playbooks", "plugins", "requirements.txt", "roles"),
}


def test_pypi_would_take_them(file: File, tools: Path) -> None:
    packages = [file("*.whl"), file("hostler-[0-9]*.tar.gz")]
    done = subprocess.run(
        [tools / "twine", "check", "--strict", *packages],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_galaxy_would_take_it(file: File, tools: Path, tmp_path: Path) -> None:
    config = tmp_path / "galaxy-importer.cfg"
    # ansible-test and ansible-lint are stages of their own.
    off = "run_ansible_test = False\nrun_ansible_lint = False\n"
    config.write_text(f"[galaxy-importer]\n{off}")
    done = subprocess.run(
        [tools / "python", "-m", "galaxy_importer.main", file("hostler-fleet-*")],
        cwd=tmp_path,
        env={
            **os.environ,
            "GALAXY_IMPORTER_CONFIG": str(config),
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "Importer processing completed successfully" in said
    assert not [line for line in said.splitlines() if line.startswith(("WARNING", "ERROR"))]


def test_the_tarball_has_the_collection_and_nothing_else(file: File) -> None:
    with tarfile.open(file("hostler-fleet-*")) as tarball:
        names = set(tarball.getnames())
    assert {name.partition("/")[0] for name in names} - IN_COLLECTION <= {"CHANGELOG.rst"}
    assert {name for name in IN_COLLECTION if (ROOT / name).exists()} <= {
        name.partition("/")[0] for name in names
    }
    modules = {f"plugins/modules/{path.name}" for path in (ROOT / "plugins/modules").glob("*.py")}
    assert modules <= names
    assert not [name for name in names if name.endswith((".pyc", ".db", ".log"))]


def test_the_wheel_has_types_licence_and_the_databases_migrations(file: File) -> None:
    with zipfile.ZipFile(file("*.whl")) as wheel:
        names = set(wheel.namelist())
        metadata = next(name for name in names if name.endswith("METADATA"))
        text = wheel.read(metadata).decode()
    assert "hostler/py.typed" in names
    assert [name for name in names if name.endswith("licenses/LICENSE")]
    assert "License-Expression: Apache-2.0" in text
    assert not [name for name in names if name.startswith("tests/")]
    source = {
        str(path.relative_to(ROOT / "sdk" / "src"))
        for path in (ROOT / "sdk" / "src").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert source <= names


def test_the_installed_package_is_the_wheel_alone(installed: Installed) -> None:
    where = installed.run("python", "-c", "import hostler; print(hostler.__file__)")
    assert where.startswith(str(installed.folder))
    version = installed.run("hostler", "--version")
    listed = installed.run("ansible-galaxy", "collection", "list", "hostler.fleet")
    assert version.split()[-1] in listed


def test_an_execution_environment_would_get_what_it_needs(
    installed: Installed, tools: Path
) -> None:
    collections = str(installed.folder / "home" / ".ansible" / "collections")
    found = yaml.safe_load(installed.run(str(tools / "ansible-builder"), "introspect", collections))
    (sdk,) = [Requirement(line.partition("#")[0]) for line in found["python"]]
    assert (sdk.name, sdk.extras) == ("hostler", {"all"})
    assert installed.run("hostler", "--version").split()[-1] in sdk.specifier
    system = {line.split()[0] for line in found["system"]}
    assert {"gcc", "libvirt-dev", "libvirt0", "libvirt-devel", "libvirt-libs"} <= system
