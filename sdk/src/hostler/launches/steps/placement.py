# SPDX-License-Identifier: Apache-2.0
"""The step that looks where Hyperstack has put a VM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostler.errors import Conflict
from hostler.gpu.steps.base import openstack
from hostler.hyperstack.steps.base import VmStep
from hostler.hyperstack.watch import delete_vm, until, wait_gone
from hostler.plan.step import Report, World

if TYPE_CHECKING:
    from hostler.backends.openstack import Cloud
    from hostler.models.hyperstack import HyperstackVm
    from hostler.models.nova import Server


class PlacedStep(VmStep):
    """A step that needs Nova's side of a VM.

    Attributes:
        cloud: name of the OpenStack that Hyperstack runs on.
        host: the host where the VM should be.
        settle: seconds that the VM gets to show up there.
    """

    cloud: str
    host: str
    settle: int = 60

    def openstack(self, world: World) -> Cloud:
        """Return the cloud."""
        cloud: Cloud = world.backend("openstack", self.cloud)
        return cloud

    def server(self, world: World, report: Report) -> Server:
        """Return Nova's side of the VM, once it is there.

        Hyperstack does not tell Nova's id: it is found by exact name and address.

        Raises:
            Timeout: it does not show up.
            Conflict: several servers have that name and address.
        """
        vm = self.vm(world)
        return until(
            lambda: self._server(world, vm),
            "it does not show up among Nova's servers",
            on=self.on,
            timeout=self.settle,
            every=min(1.0, self.api(world).config.poll_interval),
            report=report,
        )

    def _server(self, world: World, vm: HyperstackVm) -> Server | None:
        named = self.openstack(world).compute.servers(name=self.name)
        found = [s for s in named if vm.fixed_ip is None or vm.fixed_ip in s.addresses]
        if len(found) > 1:
            ids = ", ".join(sorted(server.id for server in found))
            raise Conflict(f"several servers have its name and address: {ids}", on=self.on)
        return found[0] if found and found[0].host else None


class CheckPlacement(PlacedStep):
    """Look whether a VM landed on its host.

    Attributes:
        keep: go on with it where it is.
        deletes: delete a misplaced VM here, as undoing would keep it.
    """

    kind = "launch.check"
    only_looks = True
    keep: bool = False
    deletes: bool = False

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"check that VM {self.name} runs on host {self.host}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return openstack("server", "list", "--all-projects", "--long", "--name", f"^{self.name}$")

    def apply(self, world: World, report: Report) -> None:
        """Look.

        Raises:
            Conflict: it landed on another host.
        """
        server = self.server(world, report)
        if server.host == self.host or self.keep:
            return
        if self.deletes:
            number = self.vm(world).id
            delete_vm(self.api(world), number, on=self.on, timeout=self.timeout)
            wait_gone(self.api(world), number, on=self.on, timeout=self.timeout)
        raise Conflict(
            f"it landed on host {server.host}, not on {self.host}",
            on=self.on,
            hint="Take the other free hosts out of the pool, or say on_misplaced: keep.",
        )
