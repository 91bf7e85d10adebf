# SPDX-License-Identifier: Apache-2.0
"""Nova: aggregates, compute services, servers.

Lists are read whole, one call each (and one for each further thousand), as plain JSON: making an
openstacksdk object of every server takes longer than Nova needs to list them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hostler.models.nova import Aggregate, Compute, Flavor, Migration, Server

if TYPE_CHECKING:
    from hostler.backends.openstack.cloud import Cloud

VERSION = "2.79"
"""From 2.53 on services and hypervisors have uuids, from 2.47 on servers hold their flavor; from
2.88 on the list of hypervisors asks every compute for its uptime, which takes long."""

_POWER_STATES = {1: "running", 3: "paused", 4: "shutdown", 6: "crashed", 7: "suspended"}
"""Source: nova.objects.fields.InstancePowerState; 0 is none."""


class ComputeApi:
    """What we ask of Nova."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def aggregates(self) -> list[Aggregate]:
        """Return all aggregates, hosts as Nova lists them.

        Raises:
            Denied: only an administrator may list them.
        """
        return [_aggregate(data) for data in self._get("/os-aggregates")["aggregates"]]

    def aggregate(self, id: int) -> Aggregate:
        """Return one aggregate."""
        return _aggregate(self._get(f"/os-aggregates/{id}", on=self._on(id))["aggregate"])

    def add_host(self, id: int, host: str) -> None:
        """Put a host into an aggregate.

        Raises:
            NotFound: no such aggregate or host.
            Conflict: it is in there already, or availability zones don't fit.
        """
        self._act(id, {"add_host": {"host": host}})

    def remove_host(self, id: int, host: str) -> None:
        """Take a host out of an aggregate. The host must be in there in exactly this spelling:
        in another case Nova answers 500 and removes it all the same.

        Raises:
            NotFound: no such aggregate, or the host is not in there.
            Conflict: servers keep it from leaving its availability zone.
        """  # noqa: D205 - the warning belongs to the first sentence
        self._act(id, {"remove_host": {"host": host}})

    def set_metadata(self, id: int, metadata: dict[str, str | None]) -> None:
        """Set keys of an aggregate's metadata; None removes a key, others stay."""
        self._act(id, {"set_metadata": {"metadata": metadata}})

    def services(self) -> list[Compute]:
        """Return all compute services; what placement calls their hypervisors is not known here.

        The list of hypervisors has both, and Nova makes a database query for each of them.
        """
        found = self._get("/os-services", params={"binary": "nova-compute"})["services"]
        return [_service(data) for data in found]

    def hypervisors(self) -> dict[str, str]:
        """Return the ids of hypervisors, which placement has too, by their services' hosts."""
        found = self._cloud.pages(
            "compute", "/os-hypervisors/detail", "hypervisors", params={}, version=VERSION
        )
        return {data["service"]["host"]: data["id"] for data in found}

    def set_service(self, service: str, *, enabled: bool, reason: str = "") -> None:
        """Have a compute service take servers, or none, for a reason."""
        body: dict[str, str] = {"status": "enabled" if enabled else "disabled"}
        if reason:
            body["disabled_reason"] = reason
        path = f"/os-services/{quote(service, safe='')}"
        self._cloud.call("compute", "PUT", path, body, version=VERSION)

    def service(self, host: str) -> Compute | None:
        """Return the compute service of a host; None where it has none."""
        params = {"host": host, "binary": "nova-compute"}
        found = self._get("/os-services", params=params)["services"]
        return next((_service(data) for data in found if data["host"] == host), None)

    def servers(self, *, host: str | None = None, name: str | None = None) -> list[Server]:
        """Return the servers of all projects; of one host, or of one exact name.

        Nova takes ``name`` for a regular expression, and MariaDB compares without case: what is
        not the same to the letter is left out here.
        """
        params = {"all_tenants": "1"}
        if host is not None:
            params["host"] = host
        if name is not None:
            params["name"] = f"^{_escaped(name)}$"
        found = self._cloud.pages(
            "compute", "/servers/detail", "servers", params=params, version=VERSION
        )
        servers = [_server(data) for data in found]
        return [
            server
            for server in servers
            if (host is None or server.host == host) and (name is None or server.name == name)
        ]

    def server(self, id: str) -> Server:
        """Return one server.

        Raises:
            NotFound: there is none of this id.
        """
        on = f"server {id} on {self._cloud}"
        return _server(self._get(f"/servers/{quote(id, safe='')}", on=on)["server"])

    def flavors(self) -> list[Flavor]:
        """Return all flavors with their extra specs, private ones too."""
        found = self._cloud.pages(
            "compute", "/flavors/detail", "flavors", params={"is_public": "None"}, version=VERSION
        )
        return [
            Flavor(data["name"], data.get("extra_specs", {}), data["os-flavor-access:is_public"])
            for data in found
        ]

    def live_migrate(self, server: str, host: str) -> None:
        """Begin to move a running server to a host; the scheduler checks that it fits there."""
        body = {"os-migrateLive": {"host": host, "block_migration": "auto"}}
        self._server_action(server, body)

    def migrations(self, server: str) -> list[Migration]:
        """Return the live migrations of a server that run now."""
        path = f"/servers/{quote(server, safe='')}/migrations"
        return [_migration(data) for data in self._get(path)["migrations"]]

    def attach_port(self, server: str, port: str) -> None:
        """Attach a port to a server.

        Raises:
            Conflict: the server is just doing something else, or the port is in use.
            BackendError: the host could not plug it in (500); it may be tried again. The port stays
                the server's where it could not even be bound (source: PortView.broken).
        """
        path = f"/servers/{quote(server, safe='')}/os-interface"
        body = {"interfaceAttachment": {"port_id": port}}
        on = f"server {server} on {self._cloud}"
        self._cloud.call("compute", "POST", path, body, version=VERSION, on=on)

    def detach_port(self, server: str, port: str) -> None:
        """Begin to detach a port from a server.

        Raises:
            NotFound: it is not attached there.
            Conflict: the server is just doing something else.
        """
        path = f"/servers/{quote(server, safe='')}/os-interface/{quote(port, safe='')}"
        on = f"server {server} on {self._cloud}"
        self._cloud.call("compute", "DELETE", path, version=VERSION, on=on)

    def _server_action(self, server: str, body: dict[str, Any]) -> None:
        path = f"/servers/{quote(server, safe='')}/action"
        on = f"server {server} on {self._cloud}"
        self._cloud.call("compute", "POST", path, body, version=VERSION, on=on)

    def _get(self, path: str, *, params: dict[str, str] | None = None, on: str = "") -> Any:
        return self._cloud.call("compute", "GET", path, params=params, version=VERSION, on=on)

    def _act(self, id: int, body: dict[str, Any]) -> None:
        path = f"/os-aggregates/{id}/action"
        self._cloud.call("compute", "POST", path, body, version=VERSION, on=self._on(id))

    def _on(self, id: int) -> str:
        return f"aggregate {id} on {self._cloud}"


def _aggregate(data: dict[str, Any]) -> Aggregate:
    return Aggregate(
        id=data["id"],
        uuid=data["uuid"],
        name=data["name"],
        hosts=tuple(data["hosts"]),
        metadata=data["metadata"],
    )


def _service(data: dict[str, Any]) -> Compute:
    return Compute(
        host=data["host"],
        service=data["id"],
        up=data["state"] == "up",
        enabled=data["status"] == "enabled",
        disabled_reason=data["disabled_reason"],
    )


def _server(data: dict[str, Any]) -> Server:
    image = data["image"] or {}
    return Server(
        id=data["id"],
        name=data["name"],
        status=data["status"],
        task_state=data["OS-EXT-STS:task_state"],
        host=data.get("OS-EXT-SRV-ATTR:host"),
        zone=data.get("OS-EXT-AZ:availability_zone") or None,
        project=data["tenant_id"],
        flavor=data["flavor"]["original_name"],
        extra_specs=data["flavor"].get("extra_specs", {}),
        image=image.get("id"),
        created=data["created"],
        updated=data.get("updated"),
        locked=bool(data.get("locked")),
        power_state=_POWER_STATES.get(data["OS-EXT-STS:power_state"]),
        networks={
            name: tuple(address["addr"] for address in listed)
            for name, listed in data["addresses"].items()
        },
    )


def _migration(data: dict[str, Any]) -> Migration:
    return Migration(
        id=data["id"],
        status=data["status"],
        target=data["dest_compute"],
        total=data["memory_total_bytes"],
        processed=data["memory_processed_bytes"],
    )


def _escaped(name: str) -> str:
    """Quote what MariaDB's regular expressions read as operators."""
    return "".join(f"\\{c}" if c in r"\^$.|?*+()[]{}" else c for c in name)
