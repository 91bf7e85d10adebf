# SPDX-License-Identifier: Apache-2.0
"""Addresses of running VMs: DHCP leases in bulk, ARP tables and agents only where they are needed.

Every source may fail on its own: what it would have told is then not known (None), and why is told.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from hostler.backends.libvirt.addresses import AddressBook, ByMac
from hostler.errors import HostlerError

Source = Literal["agent", "lease", "arp"]

SOURCES: tuple[Source, ...] = ("agent", "lease", "arp")
"""Who is believed first."""


@dataclass
class Guest:
    """A VM that may have addresses.

    Attributes:
        name: its name.
        macs: MAC addresses of its cards.
        agent: its guest agent is connected.
        handle: libvirt's domain.
        found: what each source that was asked knows of it; None where that one could not tell.
        failed: why a source could not tell.
    """

    name: str
    macs: Collection[str]
    agent: bool
    handle: Any
    found: dict[Source, ByMac | None] = field(default_factory=dict)
    failed: dict[Source, HostlerError] = field(default_factory=dict)

    def best(self) -> tuple[Source | None, ByMac]:
        """Return the most trusted source that knows one of its own cards, and what it says."""
        for source in SOURCES:
            told = self.found.get(source) or {}
            own = {mac: good for mac in self.macs if (good := reachable(told.get(mac, ())))}
            if own:
                return source, own
        return None, {}


def find_addresses(
    book: AddressBook,
    guests: Sequence[Guest],
    leases: ByMac | HostlerError,
    *,
    sources: Collection[str],
    agent_timeout: int,
) -> None:
    """Fill in what the sources tell. The ARP table is asked only of VMs that have no lease."""
    if "lease" in sources:
        _fill("lease", guests, [leases] * len(guests))
    if "arp" in sources:
        others = [g for g in guests if g.macs and not _has_lease(g)]
        _fill("arp", others, book.arp([g.handle for g in others]) if others else [])
    if "agent" in sources:
        able = [g for g in guests if g.agent]
        _fill("agent", able, book.agents([g.handle for g in able], agent_timeout))


def _has_lease(guest: Guest) -> bool:
    leases = guest.found.get("lease") or {}
    return any(leases.get(mac) for mac in guest.macs)


def _fill(source: Source, guests: Sequence[Guest], answers: Sequence[ByMac | HostlerError]) -> None:
    for guest, answer in zip(guests, answers, strict=True):
        if isinstance(answer, HostlerError):
            guest.found[source], guest.failed[source] = None, answer
        else:
            guest.found[source] = answer


def reachable(texts: Collection[str]) -> list[str]:
    """Return the addresses that others can use: a guest may tell us anything."""
    return [text for text in dict.fromkeys(texts) if _is_reachable(text)]


def _is_reachable(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    local = address.is_loopback or address.is_link_local
    return not (local or address.is_multicast or address.is_unspecified or "%" in text)
