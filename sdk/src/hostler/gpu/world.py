# SPDX-License-Identifier: Apache-2.0
"""GpuWorld: all that is known about GPU hosts and pools at one moment. Pure data for planners."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from hostler.gpu.classify import Classifier
from hostler.gpu.counting import RELEASED, Counter, Gpus
from hostler.models.gpu import Classified
from hostler.models.gpu_config import POOLS, GpuConfig, Pool
from hostler.models.netbox import NetboxHost
from hostler.models.nova import Aggregate, Amount, Compute, Flavor, Server


@dataclass(frozen=True)
class GpuWorld:
    """What Nova, Placement and NetBox say.

    Attributes:
        cloud: the cloud's name, as steps name it.
        amounts: by provider and resource class; a provider of which nothing is known is missing.
        netbox: by host; empty where NetBox is not used.
        flavors: read only where a plan looks at them.
        warnings: what could not be read and was not needed.
    """

    cloud: str
    config: GpuConfig
    aggregates: tuple[Aggregate, ...]
    computes: Mapping[str, Compute]
    servers: tuple[Server, ...]
    amounts: Mapping[str, Mapping[str, Amount]]
    netbox: Mapping[str, NetboxHost] = field(default_factory=dict)
    flavors: tuple[Flavor, ...] = ()
    warnings: tuple[str, ...] = ()

    @cached_property
    def classifier(self) -> Classifier:
        """Reads names."""
        return Classifier(self.config)

    @cached_property
    def counter(self) -> Counter:
        """Counts GPUs."""
        return Counter(self.config)

    @cached_property
    def classes(self) -> dict[str, Classified]:
        """What each aggregate's name says."""
        return {a.name: self.classifier.classify(a.name) for a in self.aggregates}

    @cached_property
    def by_name(self) -> dict[str, Aggregate]:
        """The aggregates by name."""
        return {aggregate.name: aggregate for aggregate in self.aggregates}

    @cached_property
    def aggregates_of(self) -> dict[str, list[Aggregate]]:
        """The aggregates of each host that is in one."""
        found: dict[str, list[Aggregate]] = {}
        for aggregate in self.aggregates:
            for host in aggregate.hosts:
                found.setdefault(host, []).append(aggregate)
        return found

    @cached_property
    def servers_of(self) -> dict[str, list[Server]]:
        """The servers of each host that has one, those that hold nothing there left out."""
        found: dict[str, list[Server]] = {}
        for server in self.servers:
            if server.host and server.status not in RELEASED:
                found.setdefault(server.host, []).append(server)
        return found

    def pools_of(self, host: str) -> list[Aggregate]:
        """Return the aggregates of a host that are pools."""
        return [a for a in self.aggregates_of.get(host, ()) if self.classes[a.name].pool]

    def pool_names(self, host: str) -> list[Pool]:
        """Return the pools that a host is in: one, unless something is wrong."""
        found = {self.classes[a.name].pool for a in self.pools_of(host)}
        return [pool for pool in POOLS if pool in found]

    def gpus(self, server: Server) -> Gpus:
        """Return what a server has of GPUs."""
        return self.counter.of_flavor(server.flavor, server.extra_specs)

    def amounts_of(self, host: str) -> Mapping[str, Amount] | None:
        """Return what placement says of a host's GPUs; None where it says nothing."""
        compute = self.computes.get(host)
        amounts = self.amounts.get(compute.provider or "") if compute else None
        gpus = {name: a for name, a in (amounts or {}).items() if self.counter.is_gpu(name)}
        return gpus or None
