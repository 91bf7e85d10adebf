# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs playbooks against a real hypervisor, through both doors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest
import yaml
from returns import documented

from . import state

__all__ = ["documented"]

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
URI = os.environ.get("HOSTLER_TEST_URI", "qemu:///system")
PREFIX = "hostler-it-"

PLAYBOOK = Path(sys.executable).parent / "ansible-playbook"

Task = dict[str, Any]
Results = dict[str, dict[str, Any]]
Play = Callable[..., Results]
Dump = Callable[[], dict[str, Any]]
Xml = Callable[[str], str]


@pytest.fixture(params=["local", "shipped"])
def door(request: pytest.FixtureRequest) -> str:
    """The connection: in Ansible's process, or as a module that is shipped."""
    return str(request.param)


@pytest.fixture
def play(door: str, environment: dict[str, str], tmp_path: Path) -> Play:
    """Run tasks, or the scenario of that name; returns the result of each task by its name."""

    def run(tasks: str | list[Task], *arguments: str, **variables: Any) -> Results:
        if isinstance(tasks, str):
            tasks = yaml.safe_load((HERE / "scenarios" / f"{tasks}.yml").read_text())
        # An implicit localhost would always be local.
        book = {"hosts": "rig", "connection": door, "gather_facts": False, "tasks": tasks}
        (tmp_path / "play.yml").write_text(json.dumps([book]))
        results = Path(environment["HOSTLER_TEST_RESULTS"])
        results.unlink(missing_ok=True)
        extra = json.dumps({"prefix": PREFIX, **variables})
        done = subprocess.run(
            [
                PLAYBOOK,
                tmp_path / "play.yml",
                "--inventory",
                "rig,",
                "--extra-vars",
                extra,
                *arguments,
            ],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        (tmp_path / "output.txt").write_text(done.stdout + done.stderr)
        assert results.exists(), done.stdout + done.stderr
        return dict(json.loads(line) for line in results.read_text().splitlines())

    return run


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of ansible-playbook: this checkout's collection, a journal of its own."""
    return {
        **os.environ,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".venv" / "collections"),
        "ANSIBLE_CONNECTION_PLUGINS": str(HERE / "plugins" / "connection"),
        "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "plugins" / "callback"),
        "ANSIBLE_CALLBACKS_ENABLED": "results",
        "HOSTLER_TEST_RESULTS": str(tmp_path / "results.jsonl"),
        "HOSTLER_STORE": f"sqlite:///{tmp_path}/journal.db",
        "LIBVIRT_DEFAULT_URI": URI,
    }


@pytest.fixture
def dump() -> Dump:
    """Read the whole state of the daemon."""
    return lambda: state.dump(URI)


@pytest.fixture
def halting() -> Xml:
    """Give the XML of a guest that runs under KVM and does nothing: it costs no CPU."""
    rom = ROOT / ".cache" / "guest" / "halt.rom"
    assert rom.exists(), f"{rom} is missing; run: make setup"
    return lambda name: (
        f"<domain type='kvm'><name>{PREFIX}{name}</name><memory unit='MiB'>64</memory>"
        "<vcpu>1</vcpu><os><type arch='x86_64' machine='q35'>hvm</type>"
        f"<loader type='rom'>{rom}</loader></os><features><acpi/></features>"
        "<devices><controller type='usb' model='none'/></devices></domain>"
    )


@pytest.fixture
def clean() -> Iterator[None]:
    """Remove the tests' domains, volumes, pools and networks, before and after."""
    remove_all()
    yield
    remove_all()


def remove_all() -> None:
    """Remove the tests' domains, volumes, pools and networks."""
    connection = libvirt.open(URI)
    for domain in connection.listAllDomains():
        if domain.name().startswith(PREFIX):
            if domain.isActive():
                domain.destroy()
            domain.undefineFlags(
                libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
                | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
                | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
            )
    for pool in connection.listAllStoragePools(libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE):
        for volume in pool.listAllVolumes():
            if volume.name().startswith(PREFIX):
                volume.delete()
    for thing in (*connection.listAllStoragePools(), *connection.listAllNetworks()):
        if thing.name().startswith(PREFIX):
            if thing.isActive():
                thing.destroy()
            thing.undefine()
    connection.close()
