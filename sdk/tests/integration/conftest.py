# SPDX-License-Identifier: Apache-2.0
"""Real hypervisors: this machine's own libvirt, and an isolated one for faults."""

from __future__ import annotations

import fcntl
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import libvirt
import pytest

from hostler import Fleet
from hostler.config import FleetConfig, Policy

from .rig import GUEST, LOCK, NET, Rig
from .state import sweep

SYSTEM = "qemu:///system"
MakeFleet = Callable[..., Fleet]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault: something outside fails on purpose; counted")
    config.addinivalue_line("markers", "slow: takes more than 20 seconds")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many fault cases there were."""
    passed = terminalreporter.stats.get("passed", [])
    count = sum("fault" in report.keywords for report in passed)
    if count:
        terminalreporter.write_line(f"fault cases: {count}")


@pytest.fixture(scope="session", autouse=True)
def _guest() -> None:
    missing = [
        n for n in ("hostler-guest.qcow2", "halt.rom", "vmlinuz") if not (GUEST / n).exists()
    ]
    assert not missing, f"{GUEST} has no {', '.join(missing)}; run: make setup"


@pytest.fixture(scope="session")
def run_prefix() -> str:
    """Start of the names of all that this run makes on a libvirt that others use too."""
    return f"hostler-{secrets.token_hex(2)}-"


@pytest.fixture(scope="session")
def rig() -> Iterator[Rig]:
    """One isolated host; taken down at the end. Another run in this checkout waits for it."""
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        host = Rig(NET, "f")
        host.hosts("down")  # what a run that was killed has left
        host.hosts("up")
        yield host
        host.hosts("down")


@pytest.fixture
def make_fleet(tmp_path: Path) -> Iterator[MakeFleet]:
    """Make fleets with one journal of the test's own; closed at the end."""
    made: list[Fleet] = []

    def make(uri: str, **policy: object) -> Fleet:
        config = FleetConfig(
            uri=uri, store=f"sqlite:///{tmp_path}/journal.db", policy=Policy.model_validate(policy)
        )
        made.append(Fleet(config, uri=uri))
        return made[-1]

    yield make
    for fleet in made:
        fleet.close()


@pytest.fixture
def host(rig: Rig) -> Iterator[Rig]:
    """The isolated host, empty before and after the test."""
    sweep(rig.uri)
    yield rig
    if not _answers(rig.uri):
        rig.restart_daemon()
    sweep(rig.uri)


@pytest.fixture
def fleet(host: Rig, make_fleet: MakeFleet) -> Fleet:
    """A fleet on the isolated host."""
    return make_fleet(host.uri)


@pytest.fixture
def prefix(run_prefix: str) -> Iterator[str]:
    """Start of names on this machine's libvirt; what is named so goes after the test."""
    sweep(SYSTEM, run_prefix)
    yield run_prefix
    sweep(SYSTEM, run_prefix)


@pytest.fixture
def here(prefix: str, make_fleet: MakeFleet) -> Fleet:  # noqa: ARG001 - sweeps
    """A fleet on this machine's own libvirt."""
    return make_fleet(SYSTEM)


@pytest.fixture
def connection(host: Rig) -> Iterator[libvirt.virConnect]:
    """A writing connection to the isolated host, for what tests look at and set up."""
    opened = libvirt.open(host.uri)
    yield opened
    opened.close()


def _answers(uri: str) -> bool:
    try:
        libvirt.open(uri).close()
    except libvirt.libvirtError:
        return False
    return True
