# SPDX-License-Identifier: Apache-2.0
"""Reads hypervisors side by side; one that does not answer is an error in its own place."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from hostler.backends.libvirt.host_reader import HostReader, Machine
from hostler.backends.libvirt.side_by_side import side_by_side
from hostler.errors import HostlerError, Timeout
from hostler.vms.domain.extras import hostdev_address
from hostler.vms.domain.metadata import NAMESPACE
from hostler.vms.domain.tree import parse
from hostler.vms.inventory_row import VmRow, vm_row

GRACE = 1.0
"""Seconds after a host's time in which it may still hand over what it has."""


@dataclass(frozen=True)
class Seen:
    """A host as it was read.

    Attributes:
        at: when the reading began (``time.time()``): what happened before is in it.
        vms: its VMs; no addresses, for which guests would have to be asked.
        ours: names of those that we have made or changed.
        devices: names of the VMs that have a PCI device, by its address.
        busy: part of its CPUs' time that was used, where that was asked.
        seconds: how long the reading took.
    """

    at: float
    machine: Machine
    vms: list[VmRow]
    ours: list[str]
    devices: dict[str, list[str]]
    busy: float | None
    seconds: float

    @property
    def uuid(self) -> str | None:
        """The machine's UUID, where its driver has one."""
        found = parse(self.machine.capabilities, "capabilities").findtext("host/uuid")
        return None if found is None else str(found)


def observe(
    uris: Sequence[str], *, timeout: float, fields: Collection[str] = ()
) -> list[Seen | HostlerError]:
    """Read hypervisors, each within ``timeout`` seconds; ``fields`` as in HostField."""
    until = time.monotonic() + timeout
    reads = [partial(_read, uri, fields, until=until) for uri in uris]
    answers = side_by_side(reads, threads=max(1, len(reads)), until=until + GRACE)
    return [_ours(answer, uri, timeout) for answer, uri in zip(answers, uris, strict=True)]


def _ours(answer: Seen | Exception, uri: str, timeout: float) -> Seen | HostlerError:
    if isinstance(answer, Timeout):
        hint = "Is the host up? 'timeout' says how long to wait."
        return Timeout(f"no answer in {timeout:g} s", on=f"hypervisor {uri}", hint=hint)
    if isinstance(answer, Exception) and not isinstance(answer, HostlerError):
        raise answer
    return answer


def _read(uri: str, fields: Collection[str], *, until: float) -> Seen:
    at, began = time.time(), time.monotonic()
    reader = HostReader(uri, until=until)
    try:
        first = reader.cpu_times() if "load" in fields else None
        reads: list[Callable[[], Any]] = [
            partial(reader.machine, capabilities="capabilities" in fields),
            partial(_vms, reader, uri),
        ]
        told = side_by_side(reads, threads=2, until=until)
        machine, (vms, ours, devices) = _good(told[0]), _good(told[1])
        busy = reader.busy_since(first) if first else None
        return Seen(at, machine, vms, ours, devices, busy, time.monotonic() - began)
    finally:
        reader.close()


def _good(answer: Any) -> Any:
    if isinstance(answer, Exception):
        raise answer
    return answer


def _vms(reader: HostReader, uri: str) -> tuple[list[VmRow], list[str], dict[str, list[str]]]:
    overview = reader.overview()
    domains = sorted(overview.domains, key=lambda domain: domain.name)
    trees, _ = reader.details(domains, [], lambda _domain, xml: parse(xml))
    rows: list[VmRow] = []
    ours: list[str] = []
    devices: dict[str, list[str]] = {}
    for domain, tree in zip(domains, trees, strict=True):
        if tree is None:
            continue  # it was removed meanwhile
        rows.append(vm_row(domain, tree, uri=uri, host=overview.host))
        if tree.find(f"metadata/{{{NAMESPACE}}}vm") is not None:
            ours.append(domain.name)
        for element in tree.iterfind("devices/hostdev"):
            if address := hostdev_address(element):
                devices.setdefault(address, []).append(domain.name)
    return rows, ours, devices
