# SPDX-License-Identifier: Apache-2.0
"""Steps on a host's compute service."""

from __future__ import annotations

from hostler.gpu.steps.base import HostStep, openstack
from hostler.plan.step import Report, World


class ComputeStep(HostStep):
    """A step on the host's compute service; only a service that we disabled is enabled again."""

    service: str

    @property
    def reason(self) -> str:
        """The disabled reason, which tells our own from somebody else's."""
        return f"hostler: move {self.plan}"

    def is_disabled(self, world: World) -> bool:
        """Whether the service is disabled, and by us."""
        found = self.nova(world).service(self.host)
        return found is not None and not found.enabled and found.disabled_reason == self.reason

    def disable(self, world: World) -> None:
        """Disable the service."""
        self.nova(world).set_service(self.service, enabled=False, reason=self.reason)

    def enable(self, world: World) -> None:
        """Enable the service, unless somebody else has disabled it meanwhile."""
        if self.is_disabled(world):
            self.nova(world).set_service(self.service, enabled=True)


class DisableCompute(ComputeStep):
    """Have a host take no servers."""

    kind = "gpu.disable"

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"disable the compute service of host {self.host}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        how = ("--disable", "--disable-reason", self.reason)
        return openstack("compute", "service", "set", *how, self.host, "nova-compute")

    def apply(self, world: World, report: Report) -> None:
        """Disable it."""
        self.disable(world)

    def is_done(self, world: World) -> bool:
        """Whether it is disabled by us."""
        return self.is_disabled(world)

    def undo(self, world: World) -> None:
        """Enable it."""
        self.enable(world)


class EnableCompute(ComputeStep):
    """Have a host take servers again."""

    kind = "gpu.enable"

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"enable the compute service of host {self.host}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return openstack("compute", "service", "set", "--enable", self.host, "nova-compute")

    def apply(self, world: World, report: Report) -> None:
        """Enable it."""
        self.enable(world)

    def is_done(self, world: World) -> bool:
        """Whether it is enabled, or disabled by somebody else."""
        return not self.is_disabled(world)

    def undo(self, world: World) -> None:
        """Disable it again: the host is about to be moved back."""
        self.disable(world)
