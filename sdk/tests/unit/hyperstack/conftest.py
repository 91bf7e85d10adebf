# SPDX-License-Identifier: Apache-2.0
"""A Hyperstack for each test. What was asked and answered is held to contracts/hyperstack.yaml."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rigs.hyperstack.contract import hold
from rigs.hyperstack.furniture import ENV, furnish

from hostler import Fleet
from hostler.config import FleetConfig, Policy
from hostler.models.hyperstack_config import HyperstackConfig
from hostler.testing.hyperstack import FakeHyperstack

__all__ = ["ENV", "NEW", "MakeFleet"]

NEW: dict[str, Any] = {
    "name": "web-1",
    "environment": ENV,
    "image": "Ubuntu 22.04",
    "flavor": "n3-L40x1",
    "key": "ops",
}
MakeFleet = Callable[..., Fleet]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault: something outside fails on purpose; counted")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many fault cases there were."""
    passed = terminalreporter.stats.get("passed", [])
    count = sum("fault" in r.keywords and "hyperstack" in r.nodeid for r in passed)
    if count:
        terminalreporter.write_line(f"Hyperstack fault cases: {count}")


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HYPERSTACK_API_URL", "HYPERSTACK_API_KEY", "HOSTLER_CONFIG", "HOSTLER_STORE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def fake() -> Iterator[FakeHyperstack]:
    with FakeHyperstack() as made:
        furnish(made)
        yield made
    hold(made.calls)


@pytest.fixture
def make_fleet(fake: FakeHyperstack, tmp_path: Path) -> Iterator[MakeFleet]:
    """Make fleets on the test's Hyperstack, with one journal."""
    made: list[Fleet] = []

    def make(policy: Policy | None = None, **settings: Any) -> Fleet:
        quick = {"retry_delay": 0.001, "poll_interval": 0.01, "timeout": 5, "rate_limit": 100000}
        config = FleetConfig(
            store=f"sqlite:///{tmp_path}/journal.db",
            policy=policy or Policy(),
            hyperstack=HyperstackConfig.model_validate(
                {"url": fake.url, "api_key": fake.api_key, **quick, **settings}
            ),
        )
        made.append(Fleet(config))
        return made[-1]

    yield make
    for fleet in made:
        fleet.close()


@pytest.fixture
def fleet(make_fleet: MakeFleet) -> Fleet:
    return make_fleet()
