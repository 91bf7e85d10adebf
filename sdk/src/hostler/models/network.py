# SPDX-License-Identifier: Apache-2.0
"""OpenStack's servers, networks and ports as they are seen, and a port as it is wanted."""

from __future__ import annotations

import ipaddress
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hostler.models.devices import Mac
from hostler.models.result import Result


class View(BaseModel):
    """Base of what is observed."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class PortView(View):
    """A port.

    Attributes:
        server_id: the server that it is attached to.
        vif_type: how the server's host plugs it in; None where we are no administrator.
    """

    id: str
    name: str
    network_id: str
    project_id: str
    server_id: str | None = None
    mac: str
    addresses: tuple[str, ...] = ()
    status: str
    vif_type: str | None = None
    security_groups: tuple[str, ...] = ()

    @property
    def broken(self) -> bool:
        """Whether its host could not plug it in: Nova then leaves it to the server (it answers 500
        and keeps ``device_id``), but does not know it, so that it can't detach it either.
        """  # noqa: D205 - the reason belongs to the first sentence
        return self.vif_type == "binding_failed"

    def attached_to(self, server: str) -> bool:
        """Whether a server, by its id, has it for good."""
        return self.server_id == server and not self.broken


class ServerView(View):
    """A server.

    Attributes:
        tenant: its project's name; None where we may not list those.
        addresses: by network.
        ports: read only on request.
    """

    id: str
    name: str
    status: str
    task_state: str | None = None
    power_state: str | None = None
    host: str | None = None
    availability_zone: str | None = None
    flavor: str
    tenant: str | None = None
    tenant_id: str
    image: str | None = None
    created: str
    updated: str | None = None
    locked: bool = False
    addresses: dict[str, tuple[str, ...]] = {}
    ports: tuple[PortView, ...] | None = None


class SubnetView(View):
    """A subnet."""

    id: str
    name: str
    network_id: str
    cidr: str
    gateway_ip: str | None = None
    dhcp: bool = False
    allocation_pools: tuple[str, ...] = ()


class NetworkView(View):
    """A network; what only administrators may see is None for others.

    Attributes:
        ports: how many it has, of those that we may see; counted only on request.
    """

    id: str
    name: str
    status: str
    shared: bool
    external: bool
    project_id: str
    mtu: int | None = None
    network_type: str | None = None
    physical_network: str | None = None
    segmentation_id: int | None = None
    subnets: tuple[SubnetView, ...] = ()
    ports: int | None = None


class PortTask(BaseModel):
    """A server's port in a network.

    Attributes:
        server, network, subnet: names, exactly, or ids.
        name: the port's name; ``SERVER-NETWORK-port`` where left out. It is what the port is
            known by.
        fixed_ip, mac: of a new port; chosen by Neutron where left out.
        security_groups: names or ids, of a new port; the project's default where left out.
        timeout: seconds that attaching may take.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    server: str = Field(min_length=1)
    network: str = Field(min_length=1)
    state: Literal["present", "absent"] = "present"
    name: str | None = Field(None, min_length=1, max_length=255)
    subnet: str | None = None
    fixed_ip: str | None = None
    mac: Mac | None = None
    security_groups: tuple[str, ...] | None = None
    timeout: int = Field(120, ge=1, le=3600)

    @field_validator("fixed_ip")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        return str(ipaddress.ip_address(value)) if value else None


class PortResult(Result):
    """What became of a port; ``port`` as it is now, None where it is not there."""

    port: PortView | None = None


def port_name(server: str, network: str) -> str:
    """Return the name of the port of a server in a network.

    >>> port_name("gpu-host-001", "storage-network")
    'gpu-host-001-storage-network-port'
    """
    return f"{server}-{network}-port"[:255]
