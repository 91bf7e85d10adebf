# SPDX-License-Identifier: Apache-2.0
"""Counts the fault cases."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault: something outside fails on purpose; counted")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many fault cases there were."""
    passed = terminalreporter.stats.get("passed", [])
    count = sum("fault" in r.keywords and "unit/logs" in r.nodeid for r in passed)
    if count:
        terminalreporter.write_line(f"log fault cases: {count}")
