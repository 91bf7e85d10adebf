# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs Molecule, on the collection's own scenarios or on others."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]
MOLECULE = Path(sys.executable).parent / "molecule"

# The collection's scenarios, by what they need: a hypervisor, two of them, a machine, an OpenStack.
HYPERVISOR = ("fleet_report", "instances", "inventory_plugin", "vm_fleet", "vm_lifecycle")
POOL = ("host_maintenance",)
MACHINE = ("hypervisor", "metrics_collector")
OPENSTACK = ("gpu_pool", "runpod_host")
SCENARIOS = {"default", *HYPERVISOR, *POOL, *MACHINE, *OPENSTACK}

KEPT = ("ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_CONNECTION_PLUGINS")


def run(folder: Path, environment: dict[str, str], *words: str) -> str:
    """Run Molecule there, with the programs of this Python and a home of its own."""
    kept = {k: v for k, v in environment.items() if not k.startswith("ANSIBLE_C") or k in KEPT}
    # ssh has sockets at home, and a socket's path has few letters.
    with TemporaryDirectory(prefix="home-") as home:
        done = subprocess.run(
            [MOLECULE, *words],
            cwd=folder,
            env=kept
            | {
                "HOME": home,
                "NO_COLOR": "1",
                "PATH": f"{MOLECULE.parent}{os.pathsep}{os.environ['PATH']}",
            },
            capture_output=True,
            text=True,
            check=False,
        )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def scenarios(environment: dict[str, str], *names: str) -> str:
    """Run scenarios of the collection; each must have done something, and failed in nothing."""
    said = run(ROOT, environment, "test", "--report", *(f"--scenario-name={n}" for n in names))
    recap = {name for name in names if re.search(rf"^{name} .*failed=0", said, re.MULTILINE)}
    assert recap == {*names}, said
    return said
