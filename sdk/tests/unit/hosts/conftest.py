# SPDX-License-Identifier: Apache-2.0
"""Fleets with a store of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hostler import Fleet
from hostler.config import FleetConfig

MakeFleet = Callable[..., Fleet]


@pytest.fixture
def make_fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeFleet]:
    """Make fleets with one store; fields are those of fleet.yml. Closed at the end."""
    for name in ("HOSTLER_STORE", "HOSTLER_CONFIG", "LIBVIRT_DEFAULT_URI", "OS_CLOUD"):
        monkeypatch.delenv(name, raising=False)
    made: list[Fleet] = []

    def make(**fields: Any) -> Fleet:
        store = f"sqlite:///{tmp_path}/pool.db"
        made.append(Fleet(FleetConfig.model_validate({"store": store, **fields})))
        return made[-1]

    yield make
    for fleet in made:
        fleet.close()


@pytest.fixture
def fleet(make_fleet: MakeFleet) -> Fleet:
    """A fleet with an empty pool."""
    return make_fleet()
