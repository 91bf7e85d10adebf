# SPDX-License-Identifier: Apache-2.0
"""Reads the VMs of many hypervisors as plain data, for inventories.

It stands beside ``fleet.vms`` because an inventory is read before every command, by a program that
forks (Ansible): it loads no pydantic model, starts no event loop, and a host that does not answer
costs a row, not the others' answers.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial

from hostler.backends.libvirt.addresses import ByMac
from hostler.backends.libvirt.bulk import Bulk, Listed
from hostler.backends.libvirt.side_by_side import side_by_side
from hostler.errors import HostlerError, Timeout
from hostler.models.names import some
from hostler.vms.addresses import Guest, Source, find_addresses, reachable
from hostler.vms.domain.tree import parse
from hostler.vms.inventory_row import HostRow, VmRow, vm_row

ONLINE = ("running", "paused", "stopping")
"""States in which a VM has addresses."""

GRACE = 1.0
"""Seconds after a host's time in which it may still hand over what it has."""

Found = list[tuple[Listed, VmRow]]


@dataclass(frozen=True)
class Wanted:
    """What to read.

    Attributes:
        names: globs of names; none = all.
        states: statuses; none = all.
        sources: where to look for addresses. The ARP table is asked about VMs without a lease
            only, an agent only where libvirt sees it connected.
        agent_timeout: seconds that a guest agent gets to answer.
        timeout: seconds that a hypervisor gets for everything.
        xml: keep the domain XML.
    """

    names: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ("lease", "arp")
    agent_timeout: int = 2
    timeout: float = 30
    xml: bool = False

    def admits(self, domain: Listed) -> bool:
        """Whether a domain is one of those to read."""
        if self.states and domain.status not in self.states:
            return False
        return not self.names or any(fnmatchcase(domain.name, glob) for glob in self.names)


def collect(uris: Iterable[str], wanted: Wanted | None = None) -> list[HostRow]:
    """Read hypervisors side by side; one that does not answer is a row with the reason."""
    wanted = wanted or Wanted()
    todo = list(dict.fromkeys(uris))
    until = time.monotonic() + wanted.timeout
    reads = [partial(read_host, uri, wanted, until=until) for uri in todo]
    answers = side_by_side(reads, threads=len(reads), until=until + GRACE)
    return [_row(uri, answer, wanted) for uri, answer in zip(todo, answers, strict=True)]


def _row(uri: str, answer: HostRow | Exception, wanted: Wanted) -> HostRow:
    if isinstance(answer, Timeout):
        hint = "Is the host up? 'timeout' says how long to wait."
        answer = Timeout(f"no answer in {wanted.timeout:g} s", on=f"hypervisor {uri}", hint=hint)
    if isinstance(answer, HostlerError):
        return HostRow(uri=uri, host=None, error=str(answer), notes=[], vms=[])
    if isinstance(answer, Exception):
        raise answer
    return answer


def read_host(uri: str, wanted: Wanted, *, until: float) -> HostRow:
    """Read one hypervisor; ``until`` is a moment of ``time.monotonic()``.

    Raises:
        BackendError: it does not answer, or refuses.
    """
    bulk = Bulk(uri, until=until)
    try:
        overview = bulk.overview()
        domains = [domain for domain in overview.domains if wanted.admits(domain)]
        online = any(domain.status in ONLINE for domain in domains)
        networks = overview.networks if online and "lease" in wanted.sources else []
        rows, leases = bulk.details(
            domains, networks, lambda domain, xml: _vm(domain, xml, uri, overview.host, wanted)
        )
        found = [(d, row) for d, row in zip(domains, rows, strict=True) if row]
        notes = _find_addresses(bulk, [f for f in found if f[0].status in ONLINE], leases, wanted)
        vms = [vm for _, vm in found]
        return HostRow(uri=uri, host=overview.host, error=None, notes=notes, vms=vms)
    finally:
        bulk.close()


def _vm(domain: Listed, xml: str, uri: str, host: str, wanted: Wanted) -> VmRow:
    tree = parse(xml, f"VM {domain.name!r} on {uri}")
    vm = vm_row(domain, tree, uri=uri, host=host)
    if wanted.xml:
        vm["xml"] = xml
    return vm


def _find_addresses(
    bulk: Bulk, online: Found, leases: ByMac | HostlerError, wanted: Wanted
) -> list[str]:
    """Fill in the addresses of VMs, and return what could not be found out."""
    guests = [
        Guest(vm["name"], vm.get("interfaces", {}), vm.get("agent_connected", False), domain.handle)
        for domain, vm in online
    ]
    find_addresses(
        bulk.addresses,
        guests,
        leases,
        sources=wanted.sources,
        agent_timeout=wanted.agent_timeout,
    )
    failed: dict[tuple[Source, str], list[str]] = {}
    for guest, (_, vm) in zip(guests, online, strict=True):
        for source, told in guest.found.items():
            vm.setdefault("addresses", {})[source] = (
                None if told is None else own_addresses(vm, told, others=source == "agent")
            )
        for source, error in guest.failed.items():
            failed.setdefault((source, error.what), []).append(guest.name)
    return [
        f"{source} addresses of {some(names)}: {why}." for (source, why), names in failed.items()
    ]


def own_addresses(vm: VmRow, found: ByMac, *, others: bool) -> list[str]:
    """Return the addresses of a VM's own cards; those of other cards (in the guest) come after."""
    macs = vm.get("interfaces", {})
    texts = [text for mac in macs for text in found.get(mac, ())]
    if others:
        texts += [text for mac in found if mac not in macs for text in found[mac]]
    return reachable(texts)
