# SPDX-License-Identifier: Apache-2.0
"""Finds VMs on one hypervisor, or on all hosts of the pool side by side."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING

from hostler.backends.libvirt.side_by_side import side_by_side
from hostler.errors import Conflict, HostlerError, NotFound, Timeout, Unreachable
from hostler.models.vm_task import VmQuery, literal
from hostler.models.vm_view import Vm, unread
from hostler.vms.reading import in_order, read_vms

if TYPE_CHECKING:
    from hostler.fleet import Fleet
    from hostler.models.host import Host

SECONDS = 30.0
"""For each host of the pool; others are not held up by one that is slow."""


@dataclass(frozen=True)
class Found:
    """VMs, in the order that was asked for.

    Attributes:
        where: where was looked, for sentences.
        unreachable: hosts of the pool that could not be asked, by their ids.
    """

    vms: list[Vm]
    where: str
    unreachable: Mapping[str, HostlerError] = field(default_factory=dict)

    def missing(self, query: VmQuery) -> list[str]:
        """Return the names without a glob that were not found."""
        there = {vm.name for vm in self.vms}
        return [name for name in query.names if literal(name) == name and name not in there]

    def twice(self, query: VmQuery) -> dict[str, Conflict]:
        """Return errors for VMs that only their name asks for, and that several hosts have."""
        globs = [name for name in query.names if literal(name) != name]
        names = {vm.name for vm in self.vms} if query.names else set()
        named = {name for name in names if not any(fnmatchcase(name, glob) for glob in globs)}
        errors = {name: self.several(name) for name in sorted(named)}
        return {name: error for name, error in errors.items() if error}

    def several(self, name: str) -> Conflict | None:
        """Return the error of a VM that several hosts have; None where there is one at most."""
        hosts = [vm.host_id or vm.uri for vm in self.vms if vm.name == name]
        if len(hosts) < 2:
            return None
        what = f"there is one on hosts {' and '.join(hosts)}"
        return Conflict(what, on=f"VM {name!r}", hint="Say which: host: ID.")

    @property
    def reasons(self) -> dict[str, str]:
        """Why hosts could not be asked, by their ids."""
        return {host: str(error) for host, error in self.unreachable.items()}

    def warnings(self, shown: Sequence[Vm]) -> list[str]:
        """Say what could not be read of these VMs, and of hosts."""
        lost = [f"host {host} can't be reached: {why}" for host, why in self.reasons.items()]
        return [*unread(shown), *lost]


def find_vms(fleet: Fleet, query: VmQuery, uri: str | None, host: str | None) -> Found:
    """Read the VMs that a query finds; on all hosts of the pool where no hypervisor is named.

    Raises:
        HostlerError: the hypervisor, or every host, can't be read.
    """
    if fleet.places(uri, host):
        return _pool(fleet, query)
    hypervisor = fleet.hypervisor(uri, host)
    vms = read_vms(hypervisor, query)
    host_id = host or (None if uri else fleet.host)
    return Found(_on(vms, host_id), hypervisor.uri)


def _pool(fleet: Fleet, query: VmQuery) -> Found:
    hosts = fleet.hosts.list()
    if not hosts:
        hint = "Register one: 'hostler host set ID --uri URI'."
        raise NotFound("the pool has no hosts", hint=hint)
    until = time.monotonic() + SECONDS
    reads = [partial(_read, fleet, host, query) for host in hosts]
    answers = side_by_side(reads, threads=max(1, len(reads)), until=until)
    vms: list[Vm] = []
    lost: dict[str, HostlerError] = {}
    for host, answer in zip(hosts, answers, strict=True):
        if isinstance(answer, HostlerError):
            lost[host.id] = answer if answer.on else _late(host)
        elif isinstance(answer, Exception):
            raise answer
        else:
            vms += answer
    if lost and len(lost) == len(hosts):
        raise next(iter(lost.values()))
    return Found(in_order(vms, query.sort), "the hosts of the pool", lost)


def _read(fleet: Fleet, host: Host, query: VmQuery) -> list[Vm]:
    return _on(read_vms(fleet.hypervisor(host.uri), query), host.id)


def _late(host: Host) -> Timeout:
    what = f"no answer in {SECONDS:g} s"
    return Timeout(what, on=f"hypervisor {host.uri}", hint="Is the host up?")


def _on(vms: Iterable[Vm], host_id: str | None) -> list[Vm]:
    found = list(vms)
    for vm in found:
        vm.host_id = host_id
    return found


def hidden(fleet: Fleet, found: Found, names: Sequence[str]) -> dict[str, Unreachable]:
    """Return errors for VMs that may be on hosts which could not be asked, by name."""
    if not names or not found.unreachable:
        return {}
    reasons = fleet.hosts.may_have(names, list(found.unreachable))
    return {
        name: Unreachable(
            f"{why}, which can't be reached",
            on=f"VM {name!r}",
            hint="Name another host, or remove it from the pool.",
        )
        for name, why in reasons.items()
    }
