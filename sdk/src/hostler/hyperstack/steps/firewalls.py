# SPDX-License-Identifier: Apache-2.0
"""Steps that make and delete firewalls."""

from __future__ import annotations

from hostler.errors import Conflict, NotFound
from hostler.hyperstack.steps.base import FirewallStep
from hostler.plan.step import Report, World


class CreateFirewall(FirewallStep):
    """Make a firewall without rules.

    Attributes:
        environment_id: id of the environment.
        description: what it is for.
    """

    kind = "hyperstack.firewall.create"
    environment_id: int
    description: str = ""

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"create firewall {self.name} in {self.environment}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        body = {
            "name": self.name,
            "environment_id": self.environment_id,
            "description": self.description,
        }
        return self.curl("POST", "/core/firewalls", body)

    def apply(self, world: World, report: Report) -> None:
        """Make it.

        Raises:
            Conflict: there is one of that name by now.
        """
        if self.find(world) is not None:
            raise Conflict("there is one of that name by now", on=self.on, hint="Run again.")
        self.api(world).firewalls.create(self.name, self.environment_id, self.description)

    def is_done(self, world: World) -> bool:
        """Whether it is there."""
        return self.find(world) is not None

    def undo(self, world: World) -> None:
        """Delete it."""
        firewall = self.find(world)
        if firewall is not None:
            self.api(world).firewalls.delete(firewall.id)


class DeleteFirewall(FirewallStep):
    """Delete a firewall that is attached to nothing."""

    kind = "hyperstack.firewall.delete"
    irreversible = "a new one would have another id"

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"delete firewall {self.name} in {self.environment}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return self.curl("DELETE", self.path())

    def apply(self, world: World, report: Report) -> None:
        """Delete it, unless it was attached meanwhile.

        Raises:
            Conflict: it is attached.
        """
        firewall = self.find(world)
        if firewall is None:
            return
        if firewall.attachments:
            raise Conflict("it was attached to a VM meanwhile", on=self.on)
        try:
            self.api(world).firewalls.delete(firewall.id)
        except NotFound:
            return

    def is_done(self, world: World) -> bool:
        """Whether it is gone."""
        return self.find(world) is None
