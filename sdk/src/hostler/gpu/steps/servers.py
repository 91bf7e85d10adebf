# SPDX-License-Identifier: Apache-2.0
"""Steps that look at a host's servers, or migrate them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hostler.errors import BackendError, Conflict, HostlerError, NotFound
from hostler.gpu.counting import RELEASED
from hostler.gpu.steps.base import HostStep, insisting, openstack, passing
from hostler.plan.step import Report, World

if TYPE_CHECKING:
    from hostler.backends.openstack.compute import ComputeApi
    from hostler.models.nova import Server

POLL = 0.5
"""Seconds between two looks at a server that migrates."""


class CountServers(HostStep):
    """Look once more, now that the host takes no servers: one may have come in between.

    Placement knows of a server from the moment on that the scheduler chose the host, before Nova's
    own list does.
    """

    kind = "gpu.count"
    only_looks = True
    provider: str | None = None
    expected: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"check that host {self.host} got no further servers"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return openstack("server", "list", "--all-projects", "--host", self.host)

    def apply(self, world: World, report: Report) -> None:
        """Count."""
        nova = self.nova(world)
        servers = {s.id: s for s in nova.servers(host=self.host) if s.status not in RELEASED}
        names = [f"{s.name} ({s.status})" for s in servers.values() if s.id not in self.expected]
        names += self._on_their_way(world, {*servers, *self.expected})
        if names:
            raise Conflict(
                f"it has got servers meanwhile: {', '.join(sorted(names))}",
                on=f"host {self.host!r}",
                hint="Run again with drain, or with force to move it with its servers.",
            )

    def _on_their_way(self, world: World, known: set[str]) -> list[str]:
        """Name the servers that placement keeps room for here; what is no server is left over."""
        if self.provider is None:
            return []
        cloud = self.openstack(world)
        found = []
        for consumer in sorted(cloud.placement.consumers(self.provider) - known):
            try:
                server = cloud.compute.server(consumer)
            except NotFound:
                continue
            coming = server.host in (None, self.host) or server.task_state is not None
            if coming:
                found.append(f"{server.name} ({server.status})")
        return found


class MigrateServer(HostStep):
    """Move a running server to another host."""

    kind = "gpu.migrate"
    kept = "it runs there as well"
    server: str
    name: str
    target: str
    timeout: int

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"migrate server {self.name} from host {self.host} to {self.target}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        words = ("server", "migrate", "--live-migration", "--host", self.target, self.server)
        return openstack("--os-compute-api-version", "2.79", *words)

    def apply(self, world: World, report: Report) -> None:
        """Migrate it and wait until it has arrived.

        Raises:
            BackendError: it stayed, or it takes too long.
        """
        self.take_lock(world)  # its time begins anew: this may take long
        nova = self.nova(world)
        refused = self._begin(nova)
        deadline = time.monotonic() + self.timeout
        while (server := self._look(nova, report)) is not None:
            if server.task_state is None:
                raise refused or self._stayed(server.status)
            if time.monotonic() > deadline:
                raise BackendError(
                    f"it still migrates after {self.timeout} s",
                    on=f"server {self.name!r}",
                    hint="See 'openstack server migration list'; gpu.drain_timeout is the limit.",
                )
            time.sleep(POLL)

    def is_done(self, world: World) -> bool:
        """Whether it is there; a server that was deleted meanwhile is in nobody's way."""
        return self._not_there(self.nova(world)) is None

    def _begin(self, nova: ComputeApi) -> HostlerError | None:
        """Have Nova begin, unless it is at it; where there was no answer, return that.

        Whether it has begun all the same shows afterwards.
        """
        if nova.server(self.server).task_state == "migrating":
            return None
        try:
            nova.live_migrate(self.server, self.target)
        except HostlerError as error:
            if not error.ambiguous:
                raise
            return error
        return None

    def _look(self, nova: ComputeApi, report: Report) -> Server | None:
        """Return the server unless it is there; a look that fails is no reason to give up."""
        for attempt in insisting(passing):
            with attempt:
                server = self._not_there(nova)
                if server is not None and server.task_state is not None:
                    self._tell(nova, report)
        return server

    def _not_there(self, nova: ComputeApi) -> Server | None:
        try:
            server = nova.server(self.server)
        except NotFound:
            return None
        there = server.host == self.target and server.task_state is None
        return None if there else server

    def _tell(self, nova: ComputeApi, report: Report) -> None:
        """Tell how far it is."""
        for migration in nova.migrations(self.server):
            if migration.total:
                report(min(1.0, (migration.processed or 0) / migration.total))

    def _stayed(self, status: str) -> BackendError:
        return BackendError(
            f"it could not be migrated to host {self.target} (it is {status} on {self.host})",
            on=f"server {self.name!r}",
            hint="See 'openstack server migration list' and nova-compute's log there.",
        )
