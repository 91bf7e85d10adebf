# SPDX-License-Identifier: Apache-2.0
"""A store for each test; fault cases are counted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hostler.store import Store


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault: something outside fails on purpose; counted")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many fault cases there were."""
    passed = terminalreporter.stats.get("passed", [])
    count = sum("fault" in r.keywords and "metrics" in r.nodeid for r in passed)
    if count:
        terminalreporter.write_line(f"fault cases of metrics: {count}")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(f"sqlite:///{tmp_path}/hostler.db")
    yield made
    made.close()
