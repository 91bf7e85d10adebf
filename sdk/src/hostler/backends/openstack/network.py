# SPDX-License-Identifier: Apache-2.0
"""Neutron: networks, subnets and ports. Names are compared here, to the letter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hostler.models.network import NetworkView, PortView, SubnetView

if TYPE_CHECKING:
    from hostler.backends.openstack.cloud import Cloud


class NetworkApi:
    """What we ask of Neutron."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def networks(self) -> list[NetworkView]:
        """Return all networks that we may see, with their subnets; two calls."""
        subnets = self.subnets()
        found = self._cloud.pages("network", "/networks", "networks")
        return [_network(data, subnets) for data in found]

    def subnets(self) -> list[SubnetView]:
        """Return all subnets that we may see."""
        return [_subnet(data) for data in self._cloud.pages("network", "/subnets", "subnets")]

    def ports(self, *, name: str | None = None, server: str | None = None) -> list[PortView]:
        """Return ports: of this name, of this server's id."""
        query = {"name": name, "device_id": server}
        params = {key: value for key, value in query.items() if value is not None}
        found = self._cloud.pages("network", "/ports", "ports", params=params)
        return [
            _port(data)
            for data in found
            if name in (None, data["name"]) and server in (None, data["device_id"])
        ]

    def security_groups(self, project: str) -> dict[str, str]:
        """Return the ids of a project's security groups by name."""
        params = {"project_id": project}
        found = self._cloud.pages("network", "/security-groups", "security_groups", params=params)
        return {group["name"]: group["id"] for group in found}

    def create_port(self, body: Mapping[str, Any]) -> str:
        """Make a port; return its id.

        Raises:
            Conflict: its address or MAC is in use.
        """
        on = f"port {body['name']!r} on {self._cloud}"
        made = self._cloud.call("network", "POST", "/ports", {"port": dict(body)}, on=on)
        return str(made["port"]["id"])

    def release_port(self, id: str) -> None:
        """Take a port from the server that it is of, past Nova.

        Raises:
            NotFound: it is gone.
        """
        body = {"port": {"device_id": "", "device_owner": "", "binding:host_id": None}}
        path = f"/ports/{quote(id, safe='')}"
        self._cloud.call("network", "PUT", path, body, on=f"port {id} on {self._cloud}")

    def delete_port(self, id: str) -> None:
        """Delete a port.

        Raises:
            NotFound: it is gone.
        """
        path = f"/ports/{quote(id, safe='')}"
        self._cloud.call("network", "DELETE", path, on=f"port {id} on {self._cloud}")


def _network(data: dict[str, Any], subnets: Iterable[SubnetView]) -> NetworkView:
    return NetworkView(
        id=data["id"],
        name=data["name"],
        status=data["status"],
        shared=data["shared"],
        external=bool(data.get("router:external")),
        project_id=data["project_id"],
        mtu=data.get("mtu"),
        network_type=data.get("provider:network_type"),
        physical_network=data.get("provider:physical_network"),
        segmentation_id=data.get("provider:segmentation_id"),
        subnets=tuple(s for s in subnets if s.network_id == data["id"]),
    )


def _subnet(data: dict[str, Any]) -> SubnetView:
    return SubnetView(
        id=data["id"],
        name=data["name"],
        network_id=data["network_id"],
        cidr=data["cidr"],
        gateway_ip=data["gateway_ip"],
        dhcp=data["enable_dhcp"],
        allocation_pools=tuple(f"{p['start']}-{p['end']}" for p in data["allocation_pools"]),
    )


def _port(data: dict[str, Any]) -> PortView:
    return PortView(
        id=data["id"],
        name=data["name"],
        network_id=data["network_id"],
        project_id=data["project_id"],
        server_id=data["device_id"] or None,
        mac=data["mac_address"],
        addresses=tuple(address["ip_address"] for address in data["fixed_ips"]),
        status=data["status"],
        vif_type=data.get("binding:vif_type"),
        security_groups=tuple(data.get("security_groups", ())),
    )
