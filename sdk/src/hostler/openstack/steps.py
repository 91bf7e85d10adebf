# SPDX-License-Identifier: Apache-2.0
"""The steps of a server's port."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from hostler.errors import NotFound
from hostler.models.network import PortView
from hostler.openstack import ports
from hostler.plan.step import Report, Step, World

if TYPE_CHECKING:
    from hostler.backends.openstack import Cloud


def openstack(*words: str) -> str:
    """Return a command of the openstack client; ``OS_CLOUD`` says for which cloud."""
    return shlex.join(["openstack", *words])


class PortStep(Step):
    """A step on one port.

    Attributes:
        cloud: the cloud's name; empty: the one of ``OS_*``.
        port: the port's name, which it is known by within its network.
        network: the network's id.
        server, server_name: id and name of the server.
        timeout: seconds that attaching and detaching may take.
    """

    cloud: str
    port: str
    network: str
    server: str
    server_name: str
    timeout: int = 120

    def openstack(self, world: World) -> Cloud:
        """Return the cloud."""
        cloud: Cloud = world.backend("openstack", self.cloud)
        return cloud

    def find(self, world: World) -> PortView | None:
        """Return the port; None where it is not there."""
        return ports.ours(self.openstack(world), self.port, self.network)

    def the_port(self, world: World) -> PortView:
        """Return the port.

        Raises:
            NotFound: it is not there.
        """
        port = self.find(world)
        if port is None:
            raise NotFound("it is gone", on=f"port {self.port!r}")
        return port


class CreatePort(PortStep):
    """Make a port in a network, in the server's project."""

    kind = "openstack.port.create"
    network_name: str
    project: str
    subnet: str | None = None
    fixed_ip: str | None = None
    mac: str | None = None
    security_groups: tuple[str, ...] | None = None

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"make port {self.port} in network {self.network_name}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        place = [f"subnet={self.subnet}"] if self.subnet else []
        place += [f"ip-address={self.fixed_ip}"] if self.fixed_ip else []
        words = ["--network", self.network_name, "--project", self.project]
        words += ["--fixed-ip", ",".join(place)] if place else []
        words += ["--mac-address", self.mac] if self.mac else []
        words += ["--no-security-group"] if self.security_groups == () else []
        for group in self.security_groups or ():
            words += ["--security-group", group]
        return openstack("port", "create", *words, self.port)

    def apply(self, world: World, report: Report) -> None:
        """Make it."""
        ports.make(self.openstack(world), self.body())

    def is_done(self, world: World) -> bool:
        """Whether it is there."""
        return self.find(world) is not None

    def undo(self, world: World) -> None:
        """Delete it."""
        port = self.find(world)
        if port is not None:
            ports.delete(self.openstack(world), port)

    def body(self) -> dict[str, Any]:
        """Return what Neutron is sent."""
        place = {"subnet_id": self.subnet, "ip_address": self.fixed_ip}
        fixed = {name: value for name, value in place.items() if value}
        optional = {
            "fixed_ips": [fixed] if fixed else None,
            "mac_address": self.mac,
            "security_groups": None if self.security_groups is None else [*self.security_groups],
        }
        return {
            "name": self.port,
            "network_id": self.network,
            "project_id": self.project,
            **{name: value for name, value in optional.items() if value is not None},
        }


class AttachPort(PortStep):
    """Attach a port to a server."""

    kind = "openstack.port.attach"

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"attach port {self.port} to server {self.server_name}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return openstack("server", "add", "port", self.server, self.port)

    def apply(self, world: World, report: Report) -> None:
        """Attach it."""
        ports.attach(self.openstack(world), self.server, self.the_port(world), self.timeout)

    def is_done(self, world: World) -> bool:
        """Whether it is attached."""
        port = self.find(world)
        return port is not None and port.attached_to(self.server)

    def undo(self, world: World) -> None:
        """Detach it."""
        port = self.find(world)
        if port is not None:
            ports.detach(self.openstack(world), self.server, port, self.timeout)


class DetachPort(PortStep):
    """Detach a port from a server."""

    kind = "openstack.port.detach"

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"detach port {self.port} from server {self.server_name}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return openstack("server", "remove", "port", self.server, self.port)

    def apply(self, world: World, report: Report) -> None:
        """Detach it."""
        ports.detach(self.openstack(world), self.server, self.the_port(world), self.timeout)

    def is_done(self, world: World) -> bool:
        """Whether it is attached no more."""
        port = self.find(world)
        return port is None or port.server_id != self.server

    def undo(self, world: World) -> None:
        """Attach it."""
        ports.attach(self.openstack(world), self.server, self.the_port(world), self.timeout)


class DeletePort(PortStep):
    """Delete a port."""

    kind = "openstack.port.delete"
    irreversible = "its address may be somebody else's by now"

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"delete port {self.port}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return openstack("port", "delete", self.port)

    def apply(self, world: World, report: Report) -> None:
        """Delete it."""
        port = self.find(world)
        if port is not None:
            ports.delete(self.openstack(world), port)

    def is_done(self, world: World) -> bool:
        """Whether it is gone."""
        return self.find(world) is None
