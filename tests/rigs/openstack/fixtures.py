# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of all tests that need the rig; their conftest.py imports them."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from functools import cache
from typing import IO

import pytest

from rigs.openstack import cloud as seeded
from rigs.openstack import processes, seed, services
from rigs.openstack.faults import Faults
from rigs.openstack.layout import USE_LOCK

__all__ = ["changed", "faults", "rig"]


@pytest.fixture(scope="session", autouse=True)
def rig() -> None:
    """The rig runs, is as seeded, and is ours until this process ends."""
    wanted = services.expected(host.name for host in seeded.HOSTS)
    missing = wanted - set(processes.running())
    assert not missing, f"not running: {', '.join(sorted(missing))}: make rig-openstack"
    _lock()
    seed.reset()


@pytest.fixture
def changed() -> Iterator[None]:
    """Whatever the test changed is put back."""
    yield
    seed.reset()


@pytest.fixture
def faults() -> Iterator[Faults]:
    """The fault proxy, which passes everything before and after the test."""
    faults = Faults()
    faults.clear()
    yield faults
    faults.clear()


@cache
def _lock() -> IO[str]:
    """Wait until nobody else uses the rig; once, since several conftest.py ask for it."""
    file = USE_LOCK.open("w")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file
