# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two Ansibles that are measured: ours, and the one that brings community.libvirt."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import Run
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

    def play(self, tasks: Sequence[Task], **more: Any) -> Run:
        """Return the run of a playbook of these tasks on localhost."""
        variables = {"ansible_python_interpreter": str(self.bin / "python")}
        play = {"hosts": "localhost", "connection": "local", "gather_facts": False}
        book = self._write([{**play, "vars": variables, "tasks": list(tasks)}], "play.json")
        return Run([self.bin / "ansible-playbook", book], self.env, **more)

    def inventory(self, config: Mapping[str, Any], **more: Any) -> Run:
        """Return the run of `ansible-inventory --list` with an inventory file."""
        path = self._write(config, "hostler.yml")
        return Run([self.bin / "ansible-inventory", "-i", path, "--list"], self.env, **more)

    def _write(self, content: Any, suffix: str) -> Path:
        descriptor, path = tempfile.mkstemp(dir=self.work, suffix=f".{suffix}")
        with os.fdopen(descriptor, "w") as file:
            json.dump(content, file)
        return Path(path)


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
