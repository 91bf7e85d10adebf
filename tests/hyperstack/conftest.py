# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs playbooks against a Hyperstack to test with, through both doors."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.conftest import HERE as INTEGRATION
from integration.conftest import ROOT, documented, door, play
from rigs.hyperstack.contract import hold
from rigs.hyperstack.furniture import furnish

from hostler.testing.hyperstack import FakeHyperstack

__all__ = ["documented", "door", "play"]


@pytest.fixture
def fake() -> Iterator[FakeHyperstack]:
    """A Hyperstack; what was asked and answered is held to contracts/hyperstack.yaml."""
    with FakeHyperstack() as made:
        furnish(made)
        yield made
    hold(made.calls)


@pytest.fixture
def environment(fake: FakeHyperstack, tmp_path: Path) -> dict[str, str]:
    """The environment of Ansible's programs: this checkout's collection, the test's Hyperstack."""
    config = tmp_path / "fleet.yml"
    config.write_text("hyperstack: {poll_interval: 0.02, retry_delay: 0.01, retries: 2}\n")
    return {
        **os.environ,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".venv" / "collections"),
        "ANSIBLE_CONNECTION_PLUGINS": str(INTEGRATION / "plugins" / "connection"),
        "ANSIBLE_CALLBACK_PLUGINS": str(INTEGRATION / "plugins" / "callback"),
        "ANSIBLE_CALLBACKS_ENABLED": "results",
        "HOSTLER_TEST_RESULTS": str(tmp_path / "results.jsonl"),
        "HOSTLER_STORE": f"sqlite:///{tmp_path}/journal.db",
        "HOSTLER_CONFIG": str(config),
        "HYPERSTACK_API_URL": fake.url,
        "HYPERSTACK_API_KEY": str(fake.api_key),
    }
