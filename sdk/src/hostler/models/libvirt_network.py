# SPDX-License-Identifier: Apache-2.0
"""Virtual networks of hypervisors, as they are wanted and as they were found."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import AddressValueError, IPv4Address, IPv4Interface, NetmaskValueError
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from hostler.models.devices import Mac
from hostler.models.problems import checked
from hostler.models.result import Result
from hostler.models.vm import Name, Part, Text
from hostler.models.vm_view import View

NetworkMode = Literal["nat", "routed", "isolated", "bridge", "openvswitch"]
"""How guests get out; ``bridge`` and ``openvswitch`` are bridges that the host has already."""
BRIDGED = ("bridge", "openvswitch")


def _address(value: str) -> str:
    try:
        return str(IPv4Address(value))
    except AddressValueError:
        raise ValueError(f"{value[:40]!r} is not an IPv4 address") from None


def _interface(value: str) -> str:
    try:
        given = IPv4Interface(value)
    except (AddressValueError, NetmaskValueError):
        raise ValueError(f"{value[:40]!r} is not an IPv4 address such as 10.0.0.1/24") from None
    if "/" not in value or given.ip == given.network.network_address:
        raise ValueError(f"{value[:40]!r} is not a host's address with its prefix: 10.0.0.1/24")
    return str(given)


Address = Annotated[str, AfterValidator(_address)]
Interface = Annotated[str, AfterValidator(_interface)]
Vlan = Annotated[int, Field(ge=1, le=4094)]


class DhcpRange(Part):
    """Addresses that DHCP gives away, from ``start`` to ``end``."""

    start: Address
    end: Address


class DhcpHost(Part):
    """An address that is kept for a machine."""

    mac: Mac
    address: Address
    name: Text | None = None


class Portgroup(Part):
    """A kind of port; several VLANs make a trunk."""

    name: Name
    default: bool = False
    vlans: tuple[Vlan, ...] = ()


class NetworkTask(Part):
    """A network as it is wanted; what is left out stays as it is. A given list is the whole list.

    Attributes:
        mode: ``nat`` for a new one.
        bridge: name of the bridge; needed for ``bridge`` and ``openvswitch``.
        domain: DNS domain of the guests.
        mtu: in bytes.
        address: the host's own, with its prefix.
        vlans: of all ports, on Open vSwitch; several make a trunk.
        active: whether it runs; a new one does.
        autostart: whether it starts with the host; a new one does.
        force: although VMs use it.
    """

    name: Name
    state: Literal["present", "absent"] = "present"
    mode: NetworkMode | None = None
    bridge: Annotated[Text, Field(min_length=1, max_length=15)] | None = None
    domain: Text | None = None
    mtu: Annotated[int, Field(ge=68, le=65535)] | None = None
    address: Interface | None = None
    dhcp_ranges: tuple[DhcpRange, ...] | None = None
    dhcp_hosts: tuple[DhcpHost, ...] | None = None
    vlans: tuple[Vlan, ...] | None = None
    portgroups: tuple[Portgroup, ...] | None = None
    active: bool | None = None
    autostart: bool | None = None
    force: bool = False

    @model_validator(mode="after")
    def _makes_sense(self) -> NetworkTask:
        if self.mode in BRIDGED and (self.address or self.dhcp_ranges or self.dhcp_hosts):
            raise ValueError(f"a network of mode {self.mode} has no address or DHCP of its own")
        if sum(group.default for group in self.portgroups or ()) > 1:
            raise ValueError("portgroups: only one can be the default")
        for field, keys in (
            ("portgroups", [group.name for group in self.portgroups or ()]),
            ("dhcp_hosts", [host.mac for host in self.dhcp_hosts or ()]),
            ("dhcp_hosts", [host.address for host in self.dhcp_hosts or ()]),
        ):
            if len(set(keys)) < len(keys):
                raise ValueError(f"{field}: one of them is there twice")
        return self

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> NetworkTask:
        """Check a mapping; keys that are None count as left out.

        Raises:
            InvalidInput: names the field and what is wrong with it.
        """
        given = {key: value for key, value in data.items() if value is not None}
        name = str(given.get("name", ""))[:70]
        return checked(cls, given, on=f"network {name!r}" if name else "network")


class LibvirtNetwork(View):
    """A network as it was found; ``mode`` is libvirt's own where it is none of ours."""

    name: str
    uuid: str
    active: bool
    autostart: bool
    persistent: bool
    mode: str
    dhcp_ranges: list[dict[str, Any]]
    dhcp_hosts: list[dict[str, Any]]
    vlans: list[int]
    portgroups: list[dict[str, Any]]
    bridge: str | None = None
    domain: str | None = None
    mtu: int | None = None
    address: str | None = None


class NetworkResult(Result):
    """What became of a network; ``network`` is as it is now, None where there is none."""

    network: LibvirtNetwork | None = None
