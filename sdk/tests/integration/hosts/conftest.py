# SPDX-License-Identifier: Apache-2.0
"""Three isolated hosts, and pools of them with a store of the test's own."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hostler import Fleet
from hostler.config import FleetConfig

from ..state import sweep
from .hypervisors import LOCK, NAMES, NET, Hypervisors, MakePool


@pytest.fixture(scope="session")
def hypervisors() -> Iterator[Hypervisors]:
    """Three hosts; taken down at the end. Another run in this checkout waits for them."""
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        hosts = Hypervisors(NET)
        hosts.run("down")  # what a run that was killed has left
        hosts.run("up", *NAMES)
        hosts.run("ssh", "b")
        hosts.run("tls", "c")
        yield hosts
        hosts.run("down")


@pytest.fixture
def make_pool(
    hypervisors: Hypervisors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MakePool]:
    """Make fleets with one store of the test's own, on empty hosts."""
    for name in ("HOSTLER_STORE", "HOSTLER_CONFIG", "LIBVIRT_DEFAULT_URI"):
        monkeypatch.delenv(name, raising=False)
    made: list[Fleet] = []
    hypervisors.run("up", *NAMES)  # one whose libvirtd has crashed
    for host in NAMES:
        sweep(hypervisors.tcp(host))

    def make(**fields: Any) -> Fleet:
        store = f"sqlite:///{tmp_path}/pool.db"
        made.append(Fleet(FleetConfig.model_validate({"store": store, **fields})))
        return made[-1]

    yield make
    for fleet in made:
        fleet.close()
    hypervisors.run("up", *NAMES)  # those that a test has crashed
    for host in NAMES:
        sweep(hypervisors.tcp(host))


@pytest.fixture
def pool(make_pool: MakePool, hypervisors: Hypervisors) -> Fleet:
    """A pool of the three hosts, each reached in its own way."""
    fleet = make_pool(connect_timeout=4)
    uris = {"a": hypervisors.tcp("a"), "b": hypervisors.ssh("b"), "c": hypervisors.tls("c")}
    results = fleet.hosts.run([{"id": name, "uri": uri} for name, uri in uris.items()])
    assert [result.error for result in results] == [None] * 3
    return fleet


@pytest.fixture
def declared(make_pool: MakePool, hypervisors: Hypervisors) -> Fleet:
    """A pool of the three hosts by fleet.yml, with room for many small VMs."""
    return make_pool(connect_timeout=8, hosts=hypervisors.declared())
