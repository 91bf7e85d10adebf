# SPDX-License-Identifier: Apache-2.0
"""Reads a host itself: what it is and has, how busy it is. All domains come with Bulk."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import libvirt

from hostler.backends.libvirt.bulk import Bulk
from hostler.backends.libvirt.faults import translated
from hostler.errors import HostlerError

T = TypeVar("T")

LOAD_SECONDS = 0.3
"""How long the CPUs are watched: the kernel counts in hundredths of a second for each."""

_ALL_CPUS = libvirt.VIR_NODE_CPU_STATS_ALL_CPUS
_UNSUPPORTED = {libvirt.VIR_ERR_NO_SUPPORT, libvirt.VIR_ERR_CONFIG_UNSUPPORTED}


@dataclass(frozen=True)
class PoolFacts:
    """A storage pool as libvirt tells of it; sizes in bytes."""

    name: str
    active: bool
    autostart: bool
    xml: str
    capacity: int
    allocation: int
    available: int


@dataclass(frozen=True)
class NetFacts:
    """A virtual network as libvirt tells of it."""

    name: str
    active: bool
    autostart: bool
    xml: str


@dataclass
class Machine:
    """A host as libvirt tells of it; None where its driver can't, ``notes`` where that failed.

    Attributes:
        node: virNodeInfo: model, memory (MiB), CPUs, MHz, NUMA nodes, sockets, cores, threads.
        memory: KiB: total, free, buffers, cached.
        cells_free: bytes that are free in each NUMA cell.
        domain_capabilities: for the host's own architecture.
    """

    hostname: str
    driver: str
    version: int
    libvirt: int
    capabilities: str
    node: list[Any]
    memory: dict[str, int] | None = None
    cells_free: list[int] | None = None
    pools: list[PoolFacts] | None = None
    networks: list[NetFacts] | None = None
    pci: list[str] | None = None
    average: tuple[float, float, float] | None = None
    uptime: int | None = None
    domain_capabilities: str | None = None
    notes: list[str] = field(default_factory=list)

    def known(self, what: str, answer: Any) -> Any:
        """Return an answer; None, and a note, in place of an error."""
        if not isinstance(answer, HostlerError):
            return answer
        self.notes.append(f"{what} could not be read: {answer.what}")
        return None


class CpuTimes(NamedTuple):
    """Nanoseconds that all CPUs together have spent since they started, by what on; and when."""

    at: float
    spent: dict[str, int]


class HostReader(Bulk):
    """Reads one host, until a moment in time: a fixed number of round trips one after another."""

    def machine(self, *, capabilities: bool = False) -> Machine:
        """Read the host in two rounds; with ``capabilities``, what domains can have too.

        Raises:
            BackendError: it does not answer, or not what every driver can.
        """
        read = self._read
        basics = [
            read.getHostname,
            read.getType,
            read.getVersion,
            read.getLibVersion,
            read.getCapabilities,
            read.getInfo,
        ]
        pci = libvirt.VIR_CONNECT_LIST_NODE_DEVICES_CAP_PCI_DEV
        extras = [
            partial(read.getMemoryStats, libvirt.VIR_NODE_MEMORY_STATS_ALL_CELLS),
            partial(read.listAllStoragePools, 0),
            partial(read.listAllNetworks, 0),
            partial(read.listAllDevices, pci),
        ]
        answers = self._ask(basics + [partial(_if_supported, call) for call in extras])
        machine = Machine(*(_good(answer) for answer in answers[: len(basics)]))
        memory, *lists = answers[len(basics) :]
        machine.memory = machine.known("its memory", memory)
        self._add_details(machine, lists)
        if capabilities:  # libvirt tells them to writers only
            ask = partial(_domain_capabilities, partial(self._open, readonly=False))
            told = self._ask([partial(_if_supported, ask)])
            machine.domain_capabilities = machine.known("its domain capabilities", told[0])
        if self.local:
            machine.average, machine.uptime = os.getloadavg(), _uptime()
        return machine

    def cpu_times(self) -> CpuTimes:
        """Look at what the CPUs have spent their time on so far."""
        with translated(f"hypervisor {self.uri}"):
            spent = _if_supported(partial(self._read.getCPUStats, _ALL_CPUS))
        return CpuTimes(time.monotonic(), spent or {})

    def busy_since(self, first: CpuTimes) -> float | None:
        """Return the part of all CPUs' time, 0.0 to 1.0, that was used since a first look.

        Waits until the time between both looks is long enough.
        """
        time.sleep(max(0.0, min(first.at + LOAD_SECONDS, self._until) - time.monotonic()))
        then = self.cpu_times().spent
        passed = {key: then[key] - value for key, value in first.spent.items() if key in then}
        total = sum(passed.values())
        if total <= 0:
            return None
        return 1 - (passed.get("idle", 0) + passed.get("iowait", 0)) / total

    @property
    def local(self) -> bool:
        """Whether the URI names this machine."""
        scheme, _, rest = self.uri.partition("://")
        return rest.startswith("/") and "+" not in scheme and scheme != "test"

    def _add_details(self, machine: Machine, lists: Sequence[Any]) -> None:
        """Ask each pool, network and device about itself, all at once."""
        cells = machine.capabilities.count("<cell id=")
        calls: list[Callable[[], Any]] = [
            partial(_if_supported, partial(self._read.getCellsFreeMemory, 0, cells))
            if cells
            else _nothing
        ]
        known = [machine.known(kind.what, each) for kind, each in zip(_KINDS, lists, strict=True)]
        for kind, things in zip(_KINDS, known, strict=True):
            for thing in things or ():
                calls += [partial(_if_there, getattr(thing, name)) for name in kind.calls]
        free, *told = self._ask(calls)
        machine.cells_free = machine.known("the free memory of its NUMA cells", free)
        answers = iter(told)
        machine.pools, machine.networks, machine.pci = (
            None if things is None else [*_made(machine, kind, things, answers)]
            for kind, things in zip(_KINDS, known, strict=True)
        )


def _made(
    machine: Machine, kind: _Kind, things: Sequence[Any], answers: Iterator[Any]
) -> Iterator[Any]:
    """Yield the facts of things that are still there; what could not be read is noted."""
    for thing in things:
        told = [machine.known(kind.what, one) for one in islice(answers, len(kind.calls))]
        if None not in told:
            yield kind.make(thing, *told)


def _nothing() -> None:
    return None


def _domain_capabilities(connect: Callable[[], libvirt.virConnect]) -> str:
    return str(connect().getDomainCapabilities())


def _good(answer: Any) -> Any:
    if isinstance(answer, HostlerError):
        raise answer
    return answer


def _if_supported(call: Callable[[], T]) -> T | None:
    """Call; None where the driver has no such thing."""
    try:
        return call()
    except libvirt.libvirtError as error:
        if error.get_error_code() in _UNSUPPORTED:
            return None
        raise


def _if_there(call: Callable[[], T]) -> T | None:
    """Call; None where the thing was removed meanwhile."""
    try:
        return call()
    except libvirt.libvirtError as error:
        gone = (
            libvirt.VIR_ERR_NO_STORAGE_POOL,
            libvirt.VIR_ERR_NO_NETWORK,
            libvirt.VIR_ERR_NO_NODE_DEVICE,
        )
        if error.get_error_code() in gone:
            return None
        raise


def _pool(pool: Any, info: list[Any], active: int, autostart: int, xml: str) -> PoolFacts:
    return PoolFacts(pool.name(), bool(active), bool(autostart), xml, *info[1:])


def _network(network: Any, active: int, autostart: int, xml: str) -> NetFacts:
    return NetFacts(network.name(), bool(active), bool(autostart), xml)


def _device(_device: Any, xml: str) -> str:
    return xml


@dataclass(frozen=True)
class _Kind:
    """What is asked of each thing of a kind, and made of the answers."""

    what: str
    calls: tuple[str, ...]
    make: Callable[..., Any]


_KINDS = (
    _Kind("its storage pools", ("info", "isActive", "autostart", "XMLDesc"), _pool),
    _Kind("its networks", ("isActive", "autostart", "XMLDesc"), _network),
    _Kind("its devices", ("XMLDesc",), _device),
)


def _uptime() -> int | None:
    try:
        return int(float(Path("/proc/uptime").read_text().split()[0]))
    except OSError:
        return None
