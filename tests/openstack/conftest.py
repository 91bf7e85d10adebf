# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs playbooks and programs of Ansible's against a real OpenStack: tests/rigs/openstack."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from integration.conftest import HERE as INTEGRATION
from integration.conftest import ROOT, documented, door, play
from rigs.openstack.fixtures import changed, faults, rig
from rigs.openstack.layout import CLOUDS

__all__ = ["changed", "documented", "door", "faults", "play", "rig"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of Ansible's programs: this checkout's collection, the rig's clouds."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OS_", "NETBOX_", "HOSTLER_CONFIG"))
    }
    return {
        **ours,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".venv" / "collections"),
        "ANSIBLE_CONNECTION_PLUGINS": str(INTEGRATION / "plugins" / "connection"),
        "ANSIBLE_CALLBACK_PLUGINS": str(INTEGRATION / "plugins" / "callback"),
        "ANSIBLE_CALLBACKS_ENABLED": "results",
        "HOSTLER_TEST_RESULTS": str(tmp_path / "results.jsonl"),
        "HOSTLER_STORE": f"sqlite:///{tmp_path}/journal.db",
        "OS_CLIENT_CONFIG_FILE": str(CLOUDS),
        "OS_CLOUD": "box",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
