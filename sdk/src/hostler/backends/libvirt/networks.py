# SPDX-License-Identifier: Apache-2.0
"""Virtual networks: what is there, who uses it, and every change of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import libvirt
from lxml import etree

from hostler.backends.libvirt.faults import translated
from hostler.errors import NotFound

if TYPE_CHECKING:
    from hostler.backends.libvirt.hypervisor import Hypervisor

Section = Literal["ip-dhcp-range", "ip-dhcp-host", "portgroup"]
Command = Literal["add", "delete", "modify"]

_SECTIONS = {
    "ip-dhcp-range": libvirt.VIR_NETWORK_SECTION_IP_DHCP_RANGE,
    "ip-dhcp-host": libvirt.VIR_NETWORK_SECTION_IP_DHCP_HOST,
    "portgroup": libvirt.VIR_NETWORK_SECTION_PORTGROUP,
}
_COMMANDS = {
    "add": libvirt.VIR_NETWORK_UPDATE_COMMAND_ADD_LAST,
    "delete": libvirt.VIR_NETWORK_UPDATE_COMMAND_DELETE,
    "modify": libvirt.VIR_NETWORK_UPDATE_COMMAND_MODIFY,
}
_LIVE_AND_STORED = libvirt.VIR_NETWORK_UPDATE_AFFECT_LIVE | libvirt.VIR_NETWORK_UPDATE_AFFECT_CONFIG


@dataclass(frozen=True)
class FoundNetwork:
    """A network; ``xml`` is its definition, not what runs."""

    name: str
    xml: str
    active: bool
    autostart: bool
    persistent: bool


class Networks:
    """The virtual networks of one hypervisor."""

    def __init__(self, hypervisor: Hypervisor) -> None:
        self._hypervisor = hypervisor

    def _on(self, name: str) -> str:
        return f"network {name!r} on {self._hypervisor.uri}"

    def _to_change(self, name: str) -> libvirt.virNetwork:
        return self._hypervisor.write().networkLookupByName(name)

    def all(self) -> list[FoundNetwork]:
        """Read all networks, by name; one that goes away meanwhile is left out."""
        with translated(f"networks on {self._hypervisor.uri}"):
            networks = self._hypervisor.read().listAllNetworks()
        found = self._hypervisor.pipeline(self._read_if_there, networks)
        return sorted((one for one in found if one), key=lambda one: one.name)

    def find(self, name: str) -> FoundNetwork | None:
        """Read a network; None where there is none of that name."""
        try:
            with translated(self._on(name)):
                network = self._hypervisor.read().networkLookupByName(name)
        except NotFound:
            return None
        return self._read_if_there(network)

    def _read_if_there(self, network: libvirt.virNetwork) -> FoundNetwork | None:
        try:
            with translated(self._on(network.name())):
                return _read(network)
        except NotFound:
            return None

    def users(self, name: str) -> list[str]:
        """Name the domains with an interface in a network, as they are defined or run."""
        with translated(f"domains on {self._hypervisor.uri}"):
            domains = self._hypervisor.read().listAllDomains()
        documents = self._hypervisor.pipeline(_documents, domains)
        return sorted(
            domain.name()
            for domain, texts in zip(domains, documents, strict=True)
            if any(_uses(text, name) for text in texts)
        )

    def define(self, xml: str, name: str) -> None:
        """Define a network, or define it anew."""
        with translated(self._on(name)):
            self._hypervisor.write().networkDefineXML(xml)

    def undefine(self, name: str) -> None:
        """Forget a network that does not run. One that is gone is fine."""
        try:
            with translated(self._on(name)):
                self._to_change(name).undefine()
        except NotFound:
            return

    def start(self, name: str) -> None:
        """Start a network."""
        with translated(self._on(name)):
            self._to_change(name).create()

    def stop(self, name: str) -> None:
        """Stop a network: the guests in it lose their link."""
        with translated(self._on(name)):
            self._to_change(name).destroy()

    def set_autostart(self, name: str, autostart: bool) -> None:
        """Say whether a network starts with the host."""
        with translated(self._on(name)):
            self._to_change(name).setAutostart(int(autostart))

    def update(self, name: str, section: Section, command: Command, xml: str) -> None:
        """Change one part of a network that runs, and of its definition."""
        with translated(self._on(name)):
            network = self._to_change(name)
            network.update(_COMMANDS[command], _SECTIONS[section], -1, xml, _LIVE_AND_STORED)


def _read(network: libvirt.virNetwork) -> FoundNetwork:
    active, persistent = bool(network.isActive()), bool(network.isPersistent())
    return FoundNetwork(
        name=network.name(),
        xml=_definition(network) if persistent and active else network.XMLDesc(),
        active=active,
        autostart=persistent and bool(network.autostart()),
        persistent=persistent,
    )


def _definition(network: libvirt.virNetwork) -> str:
    """Return what is defined; drivers that know no flags (test) have no other document."""
    try:
        return str(network.XMLDesc(libvirt.VIR_NETWORK_XML_INACTIVE))
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_INVALID_ARG:
            raise
        return str(network.XMLDesc())


def _documents(domain: libvirt.virDomain) -> list[str]:
    """Return a domain's definition and what runs; nothing for one that went away."""
    try:
        with translated(f"domain {domain.name()!r}"):
            return [domain.XMLDesc(0), domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)]
    except NotFound:
        return []


def _uses(xml: str, network: str) -> bool:
    sources = etree.fromstring(xml.encode()).findall("devices/interface/source")
    return any(source.get("network") == network for source in sources)
