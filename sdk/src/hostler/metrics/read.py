# SPDX-License-Identifier: Apache-2.0
"""Reads hosts, again and again over the same connections: one getAllDomainStats for each."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

import libvirt

from hostler.backends.libvirt import Hypervisor
from hostler.backends.libvirt.host_reader import PoolFacts
from hostler.backends.libvirt.side_by_side import side_by_side
from hostler.errors import HostlerError, Timeout
from hostler.hosts.facts import gib, pool_info
from hostler.metrics.raw import HOST_COUNTERS, Counters, RawVm, Reading, raw_vm
from hostler.models.host_view import PoolInfo

T = TypeVar("T")

GROUPS = (
    libvirt.VIR_DOMAIN_STATS_STATE
    | libvirt.VIR_DOMAIN_STATS_CPU_TOTAL
    | libvirt.VIR_DOMAIN_STATS_BALLOON
    | libvirt.VIR_DOMAIN_STATS_VCPU
    | libvirt.VIR_DOMAIN_STATS_INTERFACE
    | libvirt.VIR_DOMAIN_STATS_BLOCK
)
NOWAIT = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
"""VMs inside a job are not waited for."""

GRACE = 1.0
"""Seconds after a host's time in which it may still hand over what it has."""

_HINT = "Is the host up? 'timeout' says how long to wait."


class Readers:
    """Reads hosts side by side, each over a connection of its own.

    Args:
        connect_timeout: seconds that a host gets to accept a connection.
    """

    def __init__(self, connect_timeout: float) -> None:
        self._connect_timeout = connect_timeout
        self._readers: dict[str, _Reader] = {}

    def close(self) -> None:
        """Close the connections."""
        for reader in self._readers.values():
            reader.hypervisor.close()
        self._readers.clear()

    def read(self, uris: Mapping[str, str], timeout: float) -> dict[str, Reading | HostlerError]:
        """Read hosts (URIs by id), each within some seconds; one that fails is its error."""
        until = time.monotonic() + timeout
        readers = [self._reader(uri) for uri in uris.values()]
        calls = [partial(reader.read, timeout) for reader in readers]
        answers = side_by_side(calls, threads=max(1, len(calls)), until=until + GRACE)
        return {
            host: _ours(answer, uri, timeout)
            for (host, uri), answer in zip(uris.items(), answers, strict=True)
        }

    def _reader(self, uri: str) -> _Reader:
        if uri not in self._readers:
            self._readers[uri] = _Reader(Hypervisor(uri, timeout=self._connect_timeout))
        return self._readers[uri]


def _ours(answer: Reading | Exception, uri: str, timeout: float) -> Reading | HostlerError:
    if isinstance(answer, Timeout):
        return Timeout(f"no answer in {timeout:g} s", on=f"hypervisor {uri}", hint=_HINT)
    if isinstance(answer, Exception) and not isinstance(answer, HostlerError):
        raise answer
    return answer


class _Reader:
    """Reads one host. What does not change (the kinds of its pools) is asked once."""

    def __init__(self, hypervisor: Hypervisor) -> None:
        self.hypervisor = hypervisor
        self._pools: dict[str, PoolInfo] = {}
        self._busy = False

    def read(self, timeout: float) -> Reading:
        """Read it.

        Raises:
            BackendError: it does not answer, or has not yet answered the last time.
        """
        if self._busy:
            raise Timeout("it has not answered the last time yet")
        self._busy = True
        try:
            return self._read(timeout)
        finally:
            self._busy = False

    def _read(self, timeout: float) -> Reading:
        at, clock = time.time(), time.clock_gettime(time.CLOCK_BOOTTIME)
        stats, machine = self._ask(timeout / 2)
        if isinstance(stats, Timeout):
            # A QEMU that is stuck holds up the call that finds it so; the next ones pass it over.
            # They come over another connection: libvirtd works on but few calls of each.
            self.hypervisor = Hypervisor(self.hypervisor.uri, timeout=self.hypervisor.timeout)
            stats, machine = self._ask(timeout / 2)
        for answer in (stats, machine):
            if isinstance(answer, HostlerError):
                raise answer
        vms = [_vm(domain, row, at) for domain, row in stats]
        return Reading(at, clock, _boot(), vms=vms, **machine)

    def _ask(self, seconds: float) -> tuple[Any, Any]:
        """Ask about the VMs and the host, side by side; an error in place of an answer."""
        connection = self.hypervisor.read()
        known = self.hypervisor.facts.driver == "QEMU"
        which = (GROUPS, NOWAIT) if known else (0, 0)
        calls: list[Callable[[], Any]] = [
            partial(connection.getAllDomainStats, *which),
            partial(self._machine, connection),
        ]
        stats, machine = self.hypervisor.ask(calls, seconds)
        return stats, machine

    def _machine(self, connection: libvirt.virConnect) -> dict[str, Any]:
        return {
            "cpus": int(connection.getInfo()[2]) or None,
            "cpu": _cpu(_if_supported(partial(connection.getCPUStats, _ALL_CPUS))),
            "memory": _if_supported(partial(connection.getMemoryStats, _ALL_CELLS)) or {},
            "pools": _if_supported(partial(self._read_pools, connection)),
        }

    def _read_pools(self, connection: libvirt.virConnect) -> list[PoolInfo]:
        found = []
        active = libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE
        for pool in connection.listAllStoragePools(active):
            try:
                found.append(self._pool(pool))
            except libvirt.libvirtError as error:
                if error.get_error_code() != libvirt.VIR_ERR_NO_STORAGE_POOL:
                    raise
        return found

    def _pool(self, pool: libvirt.virStoragePool) -> PoolInfo:
        _, *sizes = pool.info()
        uuid = pool.UUIDString()
        if uuid not in self._pools:
            facts = PoolFacts(pool.name(), True, True, pool.XMLDesc(), *sizes)
            self._pools[uuid] = pool_info(facts)
        fields = ("capacity_gb", "allocation_gb", "available_gb")
        update = dict(zip(fields, map(gib, sizes), strict=True))
        return self._pools[uuid].model_copy(update={"name": pool.name(), **update})


_ALL_CPUS = libvirt.VIR_NODE_CPU_STATS_ALL_CPUS
_ALL_CELLS = libvirt.VIR_NODE_MEMORY_STATS_ALL_CELLS
_UNSUPPORTED = {libvirt.VIR_ERR_NO_SUPPORT, libvirt.VIR_ERR_CONFIG_UNSUPPORTED}


def _if_supported(call: Callable[[], T]) -> T | None:
    try:
        return call()
    except libvirt.libvirtError as error:
        if error.get_error_code() in _UNSUPPORTED:
            return None
        raise


def _vm(domain: libvirt.virDomain, stats: dict[str, Any], at: float) -> RawVm:
    return raw_vm(domain.UUIDString(), domain.name(), domain.ID(), stats, at)


def _cpu(spent: Mapping[str, int] | None) -> Counters:
    return tuple((spent or {}).get(name) for name in HOST_COUNTERS)


@cache
def _boot() -> str:
    """Return what tells this start of this machine from others."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
