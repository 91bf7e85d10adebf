# SPDX-License-Identifier: Apache-2.0
"""The steps that connect a VM to the storage network of its region."""

from __future__ import annotations

from hostler.errors import NotFound
from hostler.gpu.steps.base import openstack
from hostler.hyperstack.watch import nothing
from hostler.launches.steps.placement import PlacedStep
from hostler.models.network import PortView, port_name
from hostler.openstack import ports
from hostler.plan.step import Report, World


class StoragePortStep(PlacedStep):
    """A step on a VM's port in a network.

    Attributes:
        network, network_name: id and name of the network.
    """

    network: str
    network_name: str

    @property
    def port(self) -> str:
        """The port's name, which it is known by."""
        return port_name(self.name, self.network_name)

    def find_port(self, world: World) -> PortView | None:
        """Return the port; None where it is not there."""
        return ports.ours(self.openstack(world), self.port, self.network)


class CreateStoragePort(StoragePortStep):
    """Make the port, in the VM's project.

    Attributes:
        subnet: id of the subnet; None: Neutron chooses.
    """

    kind = "launch.port.create"
    subnet: str | None = None

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"make port {self.port} in network {self.network_name}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        where = ["--fixed-ip", f"subnet={self.subnet}"] if self.subnet else []
        return openstack("port", "create", "--network", self.network_name, *where, self.port)

    def apply(self, world: World, report: Report) -> None:
        """Make it."""
        body = {
            "name": self.port,
            "network_id": self.network,
            "project_id": self.server(world, report).project,
        }
        place = {"fixed_ips": [{"subnet_id": self.subnet}]} if self.subnet else {}
        ports.make(self.openstack(world), {**body, **place})

    def is_done(self, world: World) -> bool:
        """Whether it is there."""
        return self.find_port(world) is not None

    def undo(self, world: World) -> None:
        """Delete it."""
        port = self.find_port(world)
        if port is not None:
            ports.delete(self.openstack(world), port)


class AttachStoragePort(StoragePortStep):
    """Attach the port to the VM."""

    kind = "launch.port.attach"

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"connect VM {self.name} to network {self.network_name}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return openstack("server", "add", "port", self.name, self.port)

    def apply(self, world: World, report: Report) -> None:
        """Attach it."""
        port = self.find_port(world)
        if port is None:
            raise NotFound("it is gone", on=f"port {self.port!r}")
        server = self.server(world, report)
        ports.attach(self.openstack(world), server.id, port, self.timeout)

    def is_done(self, world: World) -> bool:
        """Whether it is attached."""
        port, server = self.find_port(world), self.server(world, nothing)
        return port is not None and port.attached_to(server.id)

    def undo(self, world: World) -> None:
        """Detach it."""
        port = self.find_port(world)
        if port is not None and port.server_id is not None:
            ports.detach(self.openstack(world), port.server_id, port, self.timeout)
