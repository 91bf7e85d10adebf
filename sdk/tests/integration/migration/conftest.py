# SPDX-License-Identifier: Apache-2.0
"""Three isolated hosts for moves, and pairs of connections to the first two."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator

import libvirt
import pytest

from hostler import Fleet

from ..state import sweep
from .moves import LOCK, A, B, MakeFleet, Pair, hosts


@pytest.fixture(scope="session")
def three() -> Iterator[None]:
    """Hosts a, b (by ssh too) and c (by TLS too); another run in this checkout waits for them."""
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        hosts("down")  # what a run that was killed has left
        hosts("up", "a", "b", "c")
        hosts("ssh", "b")
        hosts("tls", "c")
        yield
        hosts("down")


@pytest.fixture
def pair(three: None) -> Iterator[Pair]:  # noqa: ARG001 - up
    """Writing connections to A and B, without halting VMs before and after."""
    for uri in (A, B):
        sweep(uri, "m")
    a, b = libvirt.open(A), libvirt.open(B)
    yield a, b
    a.close()
    b.close()
    for line in hosts("status").splitlines():
        if line.endswith(" libvirtd down"):
            hosts("restart-daemon", line.split()[0])
    for uri in (A, B):
        sweep(uri, "m")


@pytest.fixture
def fleet(pair: Pair, make_fleet: MakeFleet) -> Fleet:  # noqa: ARG001 - sweeps
    """A fleet on A."""
    return make_fleet(A)
