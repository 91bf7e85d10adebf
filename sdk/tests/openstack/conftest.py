# SPDX-License-Identifier: Apache-2.0
"""A real OpenStack with fake GPU hosts: tests/rigs/openstack."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rigs.openstack.fixtures import changed, faults, rig
from rigs.openstack.layout import CLOUDS

from hostler import Fleet

__all__ = ["changed", "faults", "rig"]

MakeFleet = Callable[[str], Fleet]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault: something outside fails on purpose; counted")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many fault cases there were."""
    passed = terminalreporter.stats.get("passed", [])
    count = sum("fault" in report.keywords for report in passed)
    if count:
        terminalreporter.write_line(f"fault cases: {count}")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The rig's clouds, and a journal of the test's own; also for programs that it starts."""
    for name in os.environ:
        if name.startswith(("OS_", "HOSTLER_CONFIG", "NETBOX_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(CLOUDS))
    monkeypatch.setenv("HOSTLER_STORE", f"sqlite:///{tmp_path}/journal.db")


@pytest.fixture
def make_fleet(environment: None) -> Iterator[MakeFleet]:  # noqa: ARG001 - it comes first
    """Make fleets on clouds of clouds.yaml, with one journal; closed at the end."""
    made: list[Fleet] = []

    def make(cloud: str) -> Fleet:
        made.append(Fleet(cloud=cloud))
        return made[-1]

    yield make
    for fleet in made:
        fleet.close()


@pytest.fixture
def fleet(make_fleet: MakeFleet) -> Fleet:
    """A fleet, as the cloud's administrator."""
    return make_fleet("box")


@pytest.fixture
def proxied_fleet(make_fleet: MakeFleet) -> Fleet:
    """The same; every call goes through the fault proxy."""
    return make_fleet("box-proxied")


@pytest.fixture
def reader_fleet(make_fleet: MakeFleet) -> Fleet:
    """A user who may read in tenant-a, and change nothing."""
    return make_fleet("box-reader")
