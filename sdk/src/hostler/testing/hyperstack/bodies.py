# SPDX-License-Identifier: Apache-2.0
"""What requests may hold; all else is refused."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from hostler.models.hyperstack_rule import Protocol

Id = Annotated[int, Field(ge=0)]
Name = Annotated[str, Field(min_length=1, max_length=50)]
Word = Annotated[str, Field(min_length=1)]
Port = Annotated[int, Field(ge=1, le=65535)]


class Body(BaseModel):
    """What all have in common: exact types, no other fields."""

    model_config = ConfigDict(extra="forbid", strict=True)


class NewRule(Body):
    """A rule; what is left out of it is not set."""

    direction: Literal["ingress", "egress"]
    protocol: Protocol
    ethertype: Literal["IPv4", "IPv6"]
    remote_ip_prefix: Word
    port_range_min: Port = 1
    port_range_max: Port = 65535


class NewVm(Body):
    """A VM."""

    name: Name
    environment_name: Word
    image_name: Word
    flavor_name: Word
    key_name: Word
    count: Annotated[int, Field(ge=1, le=20)]
    user_data: str = ""
    callback_url: Annotated[str, Field(max_length=250)] = ""
    assign_floating_ip: bool = False
    enable_port_randomization: bool = True
    security_rules: list[NewRule] = []
    labels: list[str] = []


class Labels(Body):
    """Labels."""

    labels: list[str]


class FirewallIds(Body):
    """Firewalls of a VM."""

    firewalls: list[Id]


class VolumeIds(Body):
    """Volumes of a VM."""

    volume_ids: Annotated[list[Id], Field(min_length=1, max_length=10)]


class CallbackUrl(Body):
    """Whom to tell of events."""

    url: Annotated[str, Field(min_length=1, max_length=250)]


class LogLength(Body):
    """How many lines of a log."""

    length: Annotated[int, Field(ge=1)]


class NewFirewall(Body):
    """A firewall."""

    name: Name
    environment_id: Id
    description: str = ""


class NewEnvironment(Body):
    """An environment."""

    name: Name
    region: Word


class NewKeypair(Body):
    """An SSH key."""

    name: Name
    environment_name: Word
    public_key: Word
