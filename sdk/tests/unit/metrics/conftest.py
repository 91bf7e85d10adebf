# SPDX-License-Identifier: Apache-2.0
"""A store for each test; fault cases are counted."""

from __future__ import annotations

import pytest

from hostler.store import Store

from ..test_store import any_store

__all__ = ["any_store"]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault: something outside fails on purpose; counted")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many fault cases there were."""
    passed = terminalreporter.stats.get("passed", [])
    count = sum("fault" in r.keywords and "metrics" in r.nodeid for r in passed)
    if count:
        terminalreporter.write_line(f"fault cases of metrics: {count}")


@pytest.fixture
def store(any_store: Store) -> Store:
    """A store in each database that there is to test with."""
    return any_store
