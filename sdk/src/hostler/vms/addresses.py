# SPDX-License-Identifier: Apache-2.0
"""Addresses of running VMs: DHCP leases in bulk, ARP and agents only when they are asked for.

Every source may fail on its own: what it would have told is then just not known.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import libvirt

from hostler.backends.libvirt.connection import bounded
from hostler.backends.libvirt.hypervisor import Hypervisor
from hostler.errors import HostlerError
from hostler.vms.domain.extras import AGENT
from hostler.vms.domain.tree import Element

SOURCES = ("agent", "lease", "arp")
"""Who is believed first."""


@dataclass
class Addresses:
    """Addresses of one VM: by source, then by MAC."""

    by_source: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    def best(self) -> tuple[str | None, dict[str, list[str]]]:
        """Return the most trusted source that knows something, and what it says."""
        for source in SOURCES:
            if found := self.by_source.get(source):
                return source, found
        return None, {}


def usable(address: str) -> bool:
    """Whether others can reach an address: neither loopback nor link-local."""
    ip = ipaddress.ip_address(address)
    return not (ip.is_loopback or ip.is_link_local)


def agent_connected(tree: Element) -> bool:
    """Whether a running domain's guest agent has its channel open."""
    targets = tree.iterfind("devices/channel/target")
    return any(t.get("name") == AGENT and t.get("state") == "connected" for t in targets)


def read_leases(hypervisor: Hypervisor) -> dict[str, list[str]]:
    """Return the leased addresses by MAC: one call for each active network."""

    def of(network: libvirt.virNetwork) -> list[dict[str, str]]:
        try:
            return list(network.DHCPLeases())
        except libvirt.libvirtError:
            return []  # the network has no DHCP, or just went down

    found: dict[str, list[str]] = {}
    connection = hypervisor.read()
    try:
        networks = connection.listAllNetworks(libvirt.VIR_CONNECT_LIST_NETWORKS_ACTIVE)
    except libvirt.libvirtError:
        return found  # the driver has no networks
    for lease in (lease for leases in hypervisor.pipeline(of, networks) for lease in leases):
        if lease.get("mac") and lease.get("ipaddr"):
            found.setdefault(lease["mac"].lower(), []).append(lease["ipaddr"])
    return found


def read_arp(hypervisor: Hypervisor, name: str) -> dict[str, list[str]]:
    """Return what the host's ARP table knows of a domain."""
    try:
        domain = hypervisor.read().lookupByName(name)
        return _by_mac(domain.interfaceAddresses(libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP))
    except libvirt.libvirtError:
        return {}


def read_agent(hypervisor: Hypervisor, name: str, timeout: int) -> dict[str, list[str]]:
    """Return what a guest's agent says; waits ``timeout`` seconds at most."""
    source = libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT

    def ask() -> dict[str, list[str]]:
        domain = hypervisor.write().lookupByName(name)
        domain.agentSetResponseTimeout(timeout, 0)
        return _by_mac(domain.interfaceAddresses(source))

    try:
        return bounded(ask, timeout + 1, f"guest agent of VM {name!r}")
    except (libvirt.libvirtError, HostlerError):
        return {}


def _by_mac(found: Mapping[str, Mapping[str, object]]) -> dict[str, list[str]]:
    result: dict[str, list[str]] = {}
    for card in found.values():
        addresses = card.get("addrs")
        mac = str(card.get("hwaddr") or "").lower()
        if not isinstance(addresses, list) or not mac:
            continue
        good = [str(a["addr"]) for a in addresses if usable(str(a["addr"]))]
        if good:
            result.setdefault(mac, []).extend(good)
    return result


def read_addresses(
    hypervisor: Hypervisor,
    running: Mapping[str, Element],
    *,
    sources: Iterable[str] = SOURCES,
    agent_timeout: int = 2,
) -> dict[str, Addresses]:
    """Read the addresses of running domains (their active XML by name), side by side."""
    wanted = set(sources)
    leases = read_leases(hypervisor) if "lease" in wanted and running else {}

    def one(name: str) -> Addresses:
        tree, found = running[name], Addresses()
        macs = [str(m.get("address")).lower() for m in tree.iterfind("devices/interface/mac")]
        found.by_source["lease"] = {m: leases[m] for m in macs if m in leases}
        if "arp" in wanted:
            found.by_source["arp"] = read_arp(hypervisor, name)
        if "agent" in wanted and agent_connected(tree):
            agent = read_agent(hypervisor, name, agent_timeout)
            found.by_source["agent"] = {m: a for m, a in agent.items() if m in macs}
        return found

    return dict(zip(running, hypervisor.pipeline(one, running), strict=True))
