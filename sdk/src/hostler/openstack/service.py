# SPDX-License-Identifier: Apache-2.0
"""fleet.openstack: servers, networks and ports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import UUID

from hostler.errors import Denied, HostlerError, NotFound
from hostler.models.network import (
    NetworkView,
    PortResult,
    PortTask,
    PortView,
    ServerView,
    port_name,
)
from hostler.models.nova import Server
from hostler.models.problems import checked
from hostler.openstack.lookup import find
from hostler.openstack.planner import PortWorld, plan_port
from hostler.openstack.ports import ours
from hostler.plan.plan import Plan
from hostler.plan.results import apply_all, failed, result_of
from hostler.plan.runner import OnProgress

if TYPE_CHECKING:
    from hostler.fleet import Fleet


class Openstack:
    """An OpenStack's servers, networks and ports."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def servers(
        self,
        *,
        name: str | None = None,
        host: str | None = None,
        project: str | None = None,
        status: str | None = None,
        ports: bool = False,
    ) -> list[ServerView]:
        """Return servers of all projects; a constant number of calls.

        Args:
            name: only of exactly this name, or of this id.
            host: only on this host.
            project: only of the project of this name or id.
            status: only of this status, whatever its case.
            ports: read the ports too.

        Raises:
            Denied: only an administrator may list the servers of all projects, or projects.
        """
        found = self._servers(name, host)
        names = self._project_names(needed=project not in {None, *(one.project for one in found)})
        attached = self._ports() if ports else None
        return [
            _view(server, names, attached)
            for server in sorted(found, key=lambda server: (server.name, server.id))
            if project in (None, server.project, names.get(server.project))
            and (status is None or server.status == status.upper())
        ]

    def server(self, word: str, *, ports: bool = False) -> ServerView:
        """Return the server of exactly this name, or of this id.

        Raises:
            NotFound: there is none.
            Conflict: several have the name.
        """
        server = self._server(word)
        return _view(server, self._project_names(), self._ports(server.id) if ports else None)

    def networks(self, name: str | None = None, *, ports: bool = False) -> list[NetworkView]:
        """Return networks with their subnets.

        Args:
            name: only of exactly this name, or of this id.
            ports: count the ports too, which reads them all.
        """
        neutron = self._fleet.openstack_cloud().network
        found = [one for one in neutron.networks() if name in (None, one.name, one.id)]
        if not ports:
            return found
        counts = Counter(port.network_id for port in neutron.ports())
        return [one.model_copy(update={"ports": counts[one.id]}) for one in found]

    def network(self, word: str) -> NetworkView:
        """Return the network of exactly this name, or of this id.

        Raises:
            NotFound: there is none.
            Conflict: several have the name.
        """
        return find(self.networks(), word, "network")

    def plan_port(self, task: PortTask | Mapping[str, Any]) -> Plan:
        """Plan a server's port without touching anything.

        Raises:
            InvalidInput: the task makes no sense.
            NotFound: no such server, network, subnet or security group.
            Conflict: a name is not unique, or the port is another server's.
        """
        parsed = _parsed(task)
        plan = plan_port(parsed, self._world(parsed), self._fleet.config.policy)
        return plan.bind(self._fleet.runner)

    def run_port(
        self,
        task: PortTask | Mapping[str, Any],
        *,
        check: bool = False,
        on_progress: OnProgress = None,
    ) -> PortResult:
        """Bring a server's port to what is wanted; what goes wrong is in the result.

        Args:
            task: a PortTask, or a mapping of its fields.
            check: touch nothing: the result says what would be.
            on_progress: is told of every step.

        Raises:
            InvalidInput: the task makes no sense.
        """
        parsed = _parsed(task)
        name = parsed.name or port_name(parsed.server, parsed.network)
        try:
            plan = self.plan_port(parsed)
        except HostlerError as error:
            return failed(PortResult, name, error)
        runner = self._fleet.runner
        outcomes = {} if check else apply_all(runner, [plan], parallel=1, on_progress=on_progress)
        result = result_of(PortResult, plan.facts["port"], plan, outcomes)
        try:
            result.port = ours(self._fleet.openstack_cloud(), **plan.facts)
        except HostlerError as error:
            if result.error is None:
                result.error, result.error_code = str(error), error.code
        if outcomes and result.port and not result.error:
            result.after = {**result.after, "addresses": list(result.port.addresses)}
        return result

    def _world(self, task: PortTask) -> PortWorld:
        cloud = self._fleet.openstack_cloud()
        server = self._server(task.server)
        network = find(cloud.network.networks(), task.network, "network")
        name = task.name or port_name(server.name, network.name)
        wanted = task.security_groups is not None
        return PortWorld(
            cloud=cloud.name,
            server=server,
            network=network,
            ports=tuple(cloud.network.ports(name=name)),
            groups=cloud.network.security_groups(server.project) if wanted else {},
        )

    def _server(self, word: str) -> Server:
        named = self._servers(word)
        return find(named or self._fleet.openstack_cloud().compute.servers(), word, "server")

    def _servers(self, name: str | None = None, host: str | None = None) -> list[Server]:
        """Return servers, of an id or of exactly a name: Nova is not asked for more than that."""
        nova = self._fleet.openstack_cloud().compute
        with suppress(ValueError, NotFound):
            if name is not None and UUID(name):
                return [one for one in [nova.server(name)] if host in (None, one.host)]
        return nova.servers(name=name, host=host)

    def _project_names(self, *, needed: bool = False) -> dict[str, str]:
        try:
            return self._fleet.openstack_cloud().identity.project_names()
        except Denied:
            if needed:
                raise
            return {}

    def _ports(self, server: str | None = None) -> dict[str, list[PortView]]:
        found: dict[str, list[PortView]] = {}
        for port in self._fleet.openstack_cloud().network.ports(server=server):
            if port.server_id:
                found.setdefault(port.server_id, []).append(port)
        return found


def _parsed(task: PortTask | Mapping[str, Any]) -> PortTask:
    if isinstance(task, PortTask):
        return task
    given = {name: value for name, value in task.items() if value is not None}
    return checked(PortTask, given, on=f"port of server {str(given.get('server', ''))[:60]!r}")


def _view(
    server: Server, names: Mapping[str, str], attached: Mapping[str, list[PortView]] | None
) -> ServerView:
    return ServerView(
        id=server.id,
        name=server.name,
        status=server.status,
        task_state=server.task_state,
        power_state=server.power_state,
        host=server.host,
        availability_zone=server.zone,
        flavor=server.flavor,
        tenant=names.get(server.project),
        tenant_id=server.project,
        image=server.image,
        created=server.created,
        updated=server.updated,
        locked=server.locked,
        addresses=dict(server.networks),
        ports=None if attached is None else tuple(attached.get(server.id, ())),
    )
