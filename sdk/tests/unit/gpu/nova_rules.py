# SPDX-License-Identifier: Apache-2.0
"""Nova's and placement's rules on hosts and aggregates, in memory: what plans are proven against.

The answers are those of a real Nova 2026.1; tests on the rig hold the steps themselves to that one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from hostler.backends.openstack.placement import Mirror
from hostler.errors import Conflict, NotFound
from hostler.gpu.counting import RELEASED
from hostler.gpu.world import GpuWorld
from hostler.models.nova import Aggregate, Compute, Migration, Server


class Rules:
    """A cloud that starts as a world says; the World, the cloud, its Nova and its placement."""

    def __init__(self, start: GpuWorld) -> None:
        self.start = start
        self.held = {aggregate.id: aggregate for aggregate in start.aggregates}
        self.services = dict(start.computes)
        self.running = {server.id: server for server in start.servers}
        self.mirrors = {c.provider: self._uuids(host) for host, c in start.computes.items()}
        self.mirroring = True
        self.compute = self.placement = self

    @property
    def world(self) -> GpuWorld:
        """All of it as a world again."""
        return replace(
            self.start,
            aggregates=tuple(self.held.values()),
            computes=dict(self.services),
            servers=tuple(self.running.values()),
        )

    def backend(self, kind: str, target: str) -> Any:
        assert (kind, target) == ("openstack", self.start.cloud)
        return self

    def aggregates(self) -> list[Aggregate]:
        return list(self.held.values())

    def aggregate(self, id: int) -> Aggregate:
        if id not in self.held:
            raise NotFound(f"Aggregate {id} could not be found")
        return self.held[id]

    def add_host(self, id: int, host: str) -> None:
        found = self.aggregate(id)
        if host not in self.services:
            raise NotFound(f"Compute host {host} could not be found")
        if host in found.hosts:
            raise Conflict(f"Aggregate {id} already has host {host}")
        zones = {a.zone for a in self.held.values() if host in a.hosts and a.zone}
        if found.zone and zones - {found.zone}:
            raise Conflict(f"One or more hosts already in availability zone(s) {zones}")
        self._set_hosts(host, replace(found, hosts=(*found.hosts, host)))

    def remove_host(self, id: int, host: str) -> None:
        found = self.aggregate(id)
        if host not in found.hosts:
            raise NotFound(f"Cannot remove host {host} in aggregate {id}")
        self._set_hosts(host, replace(found, hosts=tuple(h for h in found.hosts if h != host)))

    def set_metadata(self, id: int, metadata: dict[str, str | None]) -> None:
        found = self.aggregate(id)
        both = {**found.metadata, **metadata}
        kept = {key: value for key, value in both.items() if value is not None}
        self.held[id] = replace(found, metadata=kept)

    def service(self, host: str) -> Compute | None:
        return self.services.get(host)

    def set_service(self, service: str, *, enabled: bool, reason: str = "") -> None:
        (host,) = [host for host, c in self.services.items() if c.service == service]
        why = None if enabled else reason or None
        self.services[host] = replace(self.services[host], enabled=enabled, disabled_reason=why)

    def servers(self, *, host: str) -> list[Server]:
        return [server for server in self.running.values() if server.host == host]

    def server(self, id: str) -> Server:
        if id not in self.running:
            raise NotFound(f"Instance {id} could not be found")
        return self.running[id]

    def live_migrate(self, server: str, host: str) -> None:
        assert self.services[host].enabled
        assert self.services[host].up
        assert self.running[server].status in ("ACTIVE", "PAUSED")
        self.running[server] = replace(self.running[server], host=host)

    def migrations(self, server: str) -> list[Migration]:
        assert server in self.running
        return []

    def consumers(self, provider: str) -> frozenset[str]:
        hosts = {host for host, c in self.services.items() if c.provider == provider}
        return frozenset(s.id for s in self.running.values() if s.host in hosts)

    def mirror(self, provider: str) -> Mirror:
        return Mirror(self.mirrors[provider], 0)

    def set_mirror(self, provider: str, aggregates: Iterable[str], generation: int) -> None:
        assert generation == 0
        self.mirrors[provider] = frozenset(aggregates)

    def _set_hosts(self, host: str, changed: Aggregate) -> None:
        """Refuse to change the zone of a host with instances (since 2024.2)."""
        before = self._zone(host)
        had = self.held[changed.id]
        self.held[changed.id] = changed
        used = [s for s in self.servers(host=host) if s.status not in RELEASED]
        if used and self._zone(host) != before:
            self.held[changed.id] = had
            raise Conflict(f"the availability zone would change: {len(used)} instance(s)")
        if self.mirroring:
            self.mirrors[self.services[host].provider] = self._uuids(host)

    def _zone(self, host: str) -> str | None:
        zones = {a.zone for a in self.held.values() if host in a.hosts and a.zone}
        assert len(zones) <= 1
        return next(iter(zones), None)

    def _uuids(self, host: str) -> frozenset[str]:
        return frozenset(a.uuid for a in self.held.values() if host in a.hosts)
