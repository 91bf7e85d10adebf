# SPDX-License-Identifier: Apache-2.0
"""Hypervisor: the read-only and the writing connection to one libvirt, opened when first used."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import libvirt

from hostler.backends.libvirt.addresses import AddressBook
from hostler.backends.libvirt.connection import open_connection
from hostler.backends.libvirt.domains import Domains
from hostler.backends.libvirt.facts import HostFacts, has_virtualisation, read_facts
from hostler.backends.libvirt.networks import Networks
from hostler.backends.libvirt.pools import Pools
from hostler.backends.libvirt.side_by_side import answers
from hostler.backends.libvirt.snapshots import DomainSnapshots
from hostler.backends.libvirt.volumes import Volumes

if TYPE_CHECKING:
    from hostler.backends.libvirt.migration import Migrations

T = TypeVar("T")
R = TypeVar("R")

PIPELINE = 32
"""Calls in flight over one connection: libvirt answers them side by side."""


class Hypervisor:
    """One libvirt.

    Args:
        uri: libvirt's URI, for example ``qemu+ssh://root@host/system``.
        timeout: seconds to wait for a connection.
    """

    def __init__(self, uri: str, *, timeout: float = 15) -> None:
        self.uri = uri
        self.timeout = timeout
        self._lock = threading.Lock()
        self._read: libvirt.virConnect | None = None
        self._write: libvirt.virConnect | None = None
        self.domains = Domains(self)
        self.networks = Networks(self)
        self.pools = Pools(self)
        self.volumes = Volumes(self)
        self.snapshots = DomainSnapshots(self)
        self.addresses = AddressBook(self.ask, self.write)

    def read(self) -> libvirt.virConnect:
        """Return the read-only connection; a broken one is opened anew."""
        with self._lock:
            if self._read is None or not self._read.isAlive():
                self._read = open_connection(self.uri, readonly=True, timeout=self.timeout)
            return self._read

    def write(self) -> libvirt.virConnect:
        """Return the writing connection; a broken one is opened anew."""
        with self._lock:
            if self._write is None or not self._write.isAlive():
                self._write = open_connection(self.uri, readonly=False, timeout=self.timeout)
            return self._write

    @cached_property
    def migrations(self) -> Migrations:
        """The moves of its domains to other hypervisors."""
        from hostler.backends.libvirt.migration import Migrations  # models, which reads do without

        return Migrations(self)

    @cached_property
    def facts(self) -> HostFacts:
        """What the host is: name, UUID, versions, virtualisation types."""
        return read_facts(self.read(), self.uri)

    @cached_property
    def has_virtualisation(self) -> bool:
        """Whether the host CPU itself can run guests: KVM is then the machine's own."""
        return has_virtualisation(self.read(), self.uri)

    def pipeline(self, call: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Run a call for each item side by side, in order of the items."""
        todo = list(items)
        if len(todo) < 2:
            return [call(item) for item in todo]
        with ThreadPoolExecutor(min(PIPELINE, len(todo))) as pool:
            return list(pool.map(call, todo))

    def ask(self, calls: Sequence[Callable[[], Any]], seconds: float) -> list[Any]:
        """Run calls side by side that may fail or hang, each on its own."""
        until = time.monotonic() + seconds * -(-len(calls) // PIPELINE)
        on = f"hypervisor {self.uri}"
        return answers(calls, threads=PIPELINE, until=until, on=on)

    def close(self) -> None:
        """Close both connections."""
        with self._lock:
            for connection in (self._read, self._write):
                if connection is not None:
                    with suppress(libvirt.libvirtError):  # it may be broken already
                        connection.close()
            self._read = self._write = None
