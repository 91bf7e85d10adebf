# SPDX-License-Identifier: Apache-2.0
"""A fleet on libvirt's test driver, with a store of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import libvirt
import pytest

from hostler import Fleet
from hostler.config import FleetConfig, Policy

TEST = "test:///default"
OpenFleet = Callable[..., Fleet]


@pytest.fixture
def connection() -> Iterator[libvirt.virConnect]:
    """The test driver; it forgets everything when nobody is connected."""
    opened = libvirt.open(TEST)
    yield opened
    opened.close()


@pytest.fixture
def open_fleet(tmp_path: Path, connection: libvirt.virConnect) -> Iterator[OpenFleet]:
    """Open fleets; fields are those of the policy."""
    assert connection.isAlive()
    made: list[Fleet] = []

    def make(**policy: bool) -> Fleet:
        store = f"sqlite:///{tmp_path}/journal.db"
        config = FleetConfig(store=store, policy=Policy.model_validate(policy))
        made.append(Fleet(config, uri=TEST))
        return made[-1]

    yield make
    for fleet in made:
        fleet.close()
