# SPDX-License-Identifier: Apache-2.0
"""Steps on a host's compute service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostler.errors import NotFound, Outdated
from hostler.gpu.steps.base import HostStep, insisting, openstack, passing
from hostler.plan.step import Report, World

if TYPE_CHECKING:
    from hostler.models.nova import Compute

REASON = "hostler: move "
"""How the reason starts for which a move disables a service; its plan's id follows."""


class ComputeStep(HostStep):
    """A step on the host's compute service; only a service that we disabled is enabled again.

    Attributes:
        service: its id.
        left_by: the reason for which a move that was left half way has disabled it.
    """

    service: str
    left_by: str = ""

    @property
    def reason(self) -> str:
        """The disabled reason, which tells our own from somebody else's."""
        return REASON + self.plan

    def found(self, world: World) -> Compute:
        """Return the service as it is now.

        Raises:
            NotFound: it is gone.
        """
        found = self.nova(world).service(self.host)
        if found is None:
            raise NotFound("it has no compute service any more", on=f"host {self.host!r}")
        return found

    def is_ours(self, found: Compute) -> bool:
        """Whether we have disabled it."""
        return not found.enabled and found.disabled_reason == self.reason

    def disable(self, world: World) -> None:
        """Disable the service, unless somebody else has done that meanwhile."""
        found = self.found(world)
        if found.enabled or (self.left_by and found.disabled_reason == self.left_by):
            self.nova(world).set_service(self.service, enabled=False, reason=self.reason)


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
        """Disable it.

        Raises:
            Outdated: what a dead move had left is no more so.
        """
        if self.left_by and self.found(world).enabled:
            raise Outdated(
                f"its compute service was disabled ({self.left_by}) and is not any more",
                on=f"host {self.host!r}",
                hint="Run again: it plans from what is there now.",
            )
        self.disable(world)

    def is_done(self, world: World) -> bool:
        """Whether it is disabled by us."""
        return self.is_ours(self.found(world))

    def undo(self, world: World) -> None:
        """Put it back to what it was before, unless somebody else has changed it meanwhile."""
        for attempt in insisting(passing):
            with attempt:
                if self.is_ours(self.found(world)):
                    enabled = not self.left_by
                    self.nova(world).set_service(self.service, enabled=enabled, reason=self.left_by)


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
        """Enable it, unless somebody else has disabled it meanwhile."""
        for attempt in insisting(passing):
            with attempt:
                if self.is_ours(self.found(world)):
                    self.nova(world).set_service(self.service, enabled=True)

    def is_done(self, world: World) -> bool:
        """Whether it is enabled, or disabled by somebody else."""
        return not self.is_ours(self.found(world))

    def undo(self, world: World) -> None:
        """Disable it again: the host is about to be moved back."""
        self.disable(world)
