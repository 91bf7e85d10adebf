# SPDX-License-Identifier: Apache-2.0
"""What Nova and Placement say, as plain data: aggregates, computes, servers, flavors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Aggregate:
    """A host aggregate; the availability zone is part of the metadata."""

    id: int
    uuid: str
    name: str
    hosts: tuple[str, ...]
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def zone(self) -> str | None:
        """The availability zone that it puts its hosts into."""
        return self.metadata.get("availability_zone")


@dataclass(frozen=True)
class Compute:
    """A compute service.

    Attributes:
        host: its name, as aggregates have it.
        service: its id.
        up: it reports.
        enabled: it takes servers.
        provider: its id in placement; None where it is not known.
    """

    host: str
    service: str
    up: bool
    enabled: bool
    disabled_reason: str | None = None
    provider: str | None = None


@dataclass(frozen=True)
class Server:
    """A server; ``networks`` holds its addresses by network."""

    id: str
    name: str
    status: str
    task_state: str | None
    host: str | None
    zone: str | None
    project: str
    flavor: str
    extra_specs: Mapping[str, str]
    image: str | None
    created: str
    updated: str | None
    locked: bool = False
    power_state: str | None = None
    networks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def addresses(self) -> tuple[str, ...]:
        """All its addresses."""
        return tuple(address for listed in self.networks.values() for address in listed)


@dataclass(frozen=True)
class Flavor:
    """A flavor."""

    name: str
    extra_specs: Mapping[str, str]
    public: bool = True


@dataclass(frozen=True)
class Amount:
    """What a resource provider has of a resource class, and what of it is in use."""

    capacity: int
    used: int


@dataclass(frozen=True)
class Migration:
    """A live migration that runs; memory in bytes, None where the driver does not say."""

    id: int
    status: str
    target: str | None
    total: int | None
    processed: int | None
