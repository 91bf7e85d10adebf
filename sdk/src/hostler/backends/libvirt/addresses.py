# SPDX-License-Identifier: Apache-2.0
"""Addresses of domains: DHCP leases, the host's ARP table, guest agents.

Every answer may be an error: what one source can't tell, another may.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import libvirt

from hostler.errors import HostlerError

ByMac = dict[str, list[str]]
"""Addresses by MAC address (lower case)."""


SECONDS = 5.0
"""For one call that asks libvirt only."""

Ask = Callable[[Sequence[Callable[[], Any]], float], list[Any]]
"""Runs calls side by side, some seconds for each: answers or our errors, in the calls' places."""


class AddressBook:
    """Asks one hypervisor for addresses.

    Args:
        ask: runs the calls.
        writing: opens the connection for agents: libvirt asks them for nobody who may only read.
    """

    def __init__(self, ask: Ask, writing: Callable[[], libvirt.virConnect]) -> None:
        self._ask = ask
        self._writing = writing

    def leases(self, connection: libvirt.virConnect) -> ByMac | HostlerError:
        """Return all DHCP leases: a call for the networks, and one for each of them."""
        active = libvirt.VIR_CONNECT_LIST_NETWORKS_ACTIVE
        (networks,) = self._ask([partial(connection.listAllNetworks, active)], SECONDS)
        if isinstance(networks, HostlerError):
            return networks
        return joined(self._ask([n.DHCPLeases for n in networks], SECONDS))

    def arp(self, domains: Sequence[Any]) -> list[ByMac | HostlerError]:
        """Return what the host's ARP table knows of each domain."""
        source = libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP
        return self._of([partial(d.interfaceAddresses, source) for d in domains], SECONDS)

    def agents(self, domains: Sequence[Any], seconds: int) -> list[ByMac | HostlerError]:
        """Return what each domain's guest agent tells; each gets some seconds to answer."""
        if not domains:
            return []
        try:
            connection = self._writing()
        except HostlerError as error:
            return [error] * len(domains)
        calls = [partial(_ask_agent, connection, d.UUIDString(), seconds) for d in domains]
        return self._of(calls, seconds + 1)

    def _of(self, calls: Sequence[Callable[[], Any]], seconds: float) -> list[ByMac | HostlerError]:
        answers = self._ask(calls, seconds)
        return [a if isinstance(a, HostlerError) else _by_mac(a) for a in answers]


def joined(answers: Sequence[Any]) -> ByMac | HostlerError:
    """Join the leases of several networks, the newest of a MAC address first."""
    for answer in answers:
        if isinstance(answer, HostlerError):
            return answer
    found: ByMac = {}
    leases = [lease for answer in answers for lease in answer if lease.get("mac")]
    for lease in sorted(leases, key=lambda lease: -int(lease["expirytime"])):
        found.setdefault(str(lease["mac"]).lower(), []).append(str(lease["ipaddr"]))
    return found


def _ask_agent(connection: libvirt.virConnect, uuid: str, seconds: int) -> dict[str, Any]:
    domain = connection.lookupByUUIDString(uuid)
    domain.agentSetResponseTimeout(seconds)
    found = domain.interfaceAddresses(libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT)
    return dict(found)


def _by_mac(interfaces: dict[str, Any]) -> ByMac:
    found: ByMac = {}
    for interface in interfaces.values():
        addresses = [str(a["addr"]) for a in interface["addrs"] or ()]
        found.setdefault(str(interface["hwaddr"]).lower(), []).extend(addresses)
    return found
