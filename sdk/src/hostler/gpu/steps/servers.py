# SPDX-License-Identifier: Apache-2.0
"""Steps that look at a host's servers, or migrate them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hostler.errors import BackendError, Conflict, HostlerError, NotFound
from hostler.gpu.counting import RELEASED
from hostler.gpu.steps.base import HostStep, openstack
from hostler.plan.step import Report, World

if TYPE_CHECKING:
    from hostler.backends.openstack.compute import ComputeApi


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
        while not self.is_done(world):
            server = nova.server(self.server)
            if server.task_state is None and not self._runs(nova, report):
                if server.host == self.target:
                    return
                raise refused or self._stayed(server.status)
            if time.monotonic() > deadline:
                raise BackendError(
                    f"it still migrates after {self.timeout} s",
                    on=f"server {self.name!r}",
                    hint="See 'openstack server migration list'; gpu.drain_timeout is the limit.",
                )
            time.sleep(0.5)

    def is_done(self, world: World) -> bool:
        """Whether it is there; a server that was deleted meanwhile is in nobody's way."""
        try:
            server = self.nova(world).server(self.server)
        except NotFound:
            return True
        return server.host == self.target and server.task_state is None

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

    def _runs(self, nova: ComputeApi, report: Report) -> bool:
        """Whether it migrates; tells how far it is."""
        running = nova.migrations(self.server)
        for migration in running:
            if migration.total:
                report(min(1.0, (migration.processed or 0) / migration.total))
        return bool(running)

    def _stayed(self, status: str) -> BackendError:
        return BackendError(
            f"it could not be migrated to host {self.target} (it is {status} on {self.host})",
            on=f"server {self.name!r}",
            hint="See 'openstack server migration list' and nova-compute's log there.",
        )
