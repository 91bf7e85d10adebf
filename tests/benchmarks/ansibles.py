# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two Ansibles that are measured: ours, and the one that brings community.libvirt."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import Cost, measure
from benchmarks.rig import ROOT

PEER = ROOT / ".cache" / "bench" / "venv"
PEER_REQUIREMENTS = ("ansible==12.*", "libvirt-python", "lxml")

Task = dict[str, Any]


@dataclass(frozen=True)
class Ansible:
    """An installation of Ansible, with a folder to write playbooks and inventories in."""

    bin: Path
    work: Path

    @property
    def env(self) -> dict[str, str]:
        """Nothing of the user's configuration; a journal of our own."""
        config = self.work / "ansible.cfg"
        config.touch()
        return {
            "ANSIBLE_CONFIG": str(config),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".venv" / "collections"),
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0",
            "HOSTLER_STORE": f"sqlite:///{self.work}/journal.db",
            "LC_ALL": "C.UTF-8",
        }

    def play(self, tasks: Sequence[Task], *, runs: int, **more: Any) -> Cost:
        """Measure a playbook of these tasks on localhost."""
        book = self.work / "play.json"
        variables = {"ansible_python_interpreter": str(self.bin / "python")}
        play = {"hosts": "localhost", "connection": "local", "gather_facts": False}
        book.write_text(json.dumps([{**play, "vars": variables, "tasks": list(tasks)}]))
        command = [self.bin / "ansible-playbook", book]
        return measure(command, runs=runs, env=self.env, **more)

    def inventory(self, name: str, config: Mapping[str, Any], *, runs: int) -> Cost:
        """Measure `ansible-inventory --list` of an inventory file."""
        path = self.work / name
        path.write_text(json.dumps(config))
        command = [self.bin / "ansible-inventory", "-i", path, "--list"]
        return measure(command, runs=runs, env=self.env)


def ours(work: Path) -> Ansible:
    """Return the checkout's own Ansible."""
    return Ansible(Path(sys.executable).parent, work)


def peer(work: Path) -> Ansible:
    """Return an Ansible with community.libvirt, installed when it is not there."""
    python = PEER / "bin" / "python"
    if not (PEER / "bin" / "ansible-playbook").exists():
        print(f"installing {' '.join(PEER_REQUIREMENTS)} into {PEER.relative_to(ROOT)}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", PEER], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PEER_REQUIREMENTS], check=True)
    return Ansible(PEER / "bin", work)


def peer_version() -> str:
    """Return community.libvirt's version."""
    (manifest,) = PEER.glob(
        "lib/*/site-packages/ansible_collections/community/libvirt/MANIFEST.json"
    )
    return str(json.loads(manifest.read_text())["collection_info"]["version"])
