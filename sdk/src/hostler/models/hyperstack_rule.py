# SPDX-License-Identifier: Apache-2.0
"""A rule of a firewall or a VM, in one spelling, so that rules can be compared."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Protocol = Literal[
    "any", "ah", "dccp", "egp", "esp", "gre", "hopopt", "icmp", "icmpv6", "igmp", "ip", "ipip",
    "ipv6-encap", "ipv6-frag", "ipv6-icmp", "ipv6-nonxt", "ipv6-opts", "ipv6-route", "ospf", "pgm",
    "rsvp", "sctp", "tcp", "udp", "udplite", "vrrp",
]  # fmt: skip

_ANYWHERE = {"IPv4": "0.0.0.0/0", "IPv6": "::/0"}
Key = tuple[Any, ...]


class Rule(BaseModel):
    """A rule, with whatever Hyperstack adds to it.

    Attributes:
        direction: ``ingress`` or ``egress``.
        protocol: a protocol's name.
        ethertype: ``IPv4`` or ``IPv6``.
        remote_ip_prefix: the network at the other end.
        port_range_min, port_range_max: ports; None: all, or there are none.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    direction: str = "ingress"
    protocol: str = "tcp"
    ethertype: str = "IPv4"
    remote_ip_prefix: str | None = None
    port_range_min: int | None = None
    port_range_max: int | None = None

    @property
    def key(self) -> Key:
        """What makes two rules the same."""
        lowest, highest = self.port_range_min, self.port_range_max
        return (
            self.direction.lower(),
            self.protocol.lower(),
            self.ethertype.lower(),
            _network(self.remote_ip_prefix or _ANYWHERE.get(self.ethertype, "")),
            lowest,
            lowest if highest is None else highest,
        )

    @property
    def text(self) -> str:
        """The rule in words: ``ingress tcp 22 from 0.0.0.0/0``."""
        lowest, highest = self.key[4:]
        ports = "" if lowest is None else f" {lowest}"
        ports += "" if lowest == highest else f"-{highest}"
        way = "to" if self.direction == "egress" else "from"
        return f"{self.direction} {self.protocol}{ports} {way} {self.key[3]}"

    def payload(self) -> dict[str, Any]:
        """Return what is sent to make it, or shown of it: its own fields, complete."""
        _, _, _, network, lowest, highest = self.key
        ports = {} if lowest is None else {"port_range_min": lowest, "port_range_max": highest}
        return {
            "direction": self.direction,
            "protocol": self.protocol,
            "ethertype": self.ethertype,
            "remote_ip_prefix": network,
            **ports,
        }


class WantedRule(Rule):
    """A rule as it is wanted; without a network it is for all of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    direction: Literal["ingress", "egress"] = "ingress"
    protocol: Protocol = "tcp"
    ethertype: Literal["IPv4", "IPv6"] = "IPv4"
    port_range_min: int | None = Field(None, ge=1, le=65535)
    port_range_max: int | None = Field(None, ge=1, le=65535)

    @field_validator("protocol", mode="before")
    @classmethod
    def _small(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _sound(self) -> Self:
        prefix = self.remote_ip_prefix or _ANYWHERE[self.ethertype]
        try:
            version = ip_network(prefix, strict=False).version
        except ValueError:
            raise ValueError("remote_ip_prefix must be a network such as 10.0.0.0/8") from None
        if f"IPv{version}" != self.ethertype:
            raise ValueError(f"remote_ip_prefix is of IPv{version}, ethertype is {self.ethertype}")
        lowest, highest = self.port_range_min, self.port_range_max
        if lowest is None and highest is not None:
            raise ValueError("port_range_max needs port_range_min")
        if lowest is not None and highest is not None and highest < lowest:
            raise ValueError("port_range_max is below port_range_min")
        return self


def differences(
    wanted: tuple[Rule, ...], have: tuple[Rule, ...]
) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
    """Return the rules that are missing, each once, and those that are too many (twins too)."""
    missing: dict[Key, Rule] = {}
    kept: set[Key] = set()
    extra = []
    keys = {rule.key for rule in wanted}
    for rule in have:
        if rule.key in kept or rule.key not in keys:
            extra.append(rule)
        kept.add(rule.key)
    for rule in wanted:
        if rule.key not in kept:
            missing.setdefault(rule.key, rule)
    return tuple(missing.values()), tuple(extra)


def _network(prefix: str) -> str:
    try:
        return str(ip_network(prefix, strict=False))
    except ValueError:
        return prefix
