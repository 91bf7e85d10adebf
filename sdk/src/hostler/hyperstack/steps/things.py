# SPDX-License-Identifier: Apache-2.0
"""Steps that make and delete environments and SSH keys."""

from __future__ import annotations

from contextlib import suppress

from hostler.errors import NotFound
from hostler.hyperstack.steps.base import HyperstackStep, only
from hostler.models.hyperstack import Environment, Keypair
from hostler.plan.step import Report, World


class EnvironmentStep(HyperstackStep):
    """A step on an environment."""

    name: str
    region: str

    def find(self, world: World) -> Environment | None:
        """Return the environment as it is now; None where it is not there."""
        there = self.api(world).environments()
        return only(there, self.name, f"environment {self.name!r}")

    def create(self, world: World) -> None:
        """Make it."""
        self.api(world).create_environment(self.name, self.region)

    def delete(self, world: World) -> None:
        """Delete it, where it is there."""
        there = self.find(world)
        if there is not None:
            with suppress(NotFound):
                self.api(world).delete_environment(there.id)


class CreateEnvironment(EnvironmentStep):
    """Make an environment."""

    kind = "hyperstack.environment.create"

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"create environment {self.name} in {self.region}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        body = {"name": self.name, "region": self.region}
        return self.curl("POST", "/core/environments", body)

    def apply(self, world: World, report: Report) -> None:
        """Make it."""
        self.create(world)

    def is_done(self, world: World) -> bool:
        """Whether it is there."""
        return self.find(world) is not None

    def undo(self, world: World) -> None:
        """Delete it."""
        self.delete(world)


class DeleteEnvironment(EnvironmentStep):
    """Delete an environment; Hyperstack refuses while something is in it."""

    kind = "hyperstack.environment.delete"
    irreversible = "its keys went with it"
    id: int

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"delete environment {self.name}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return self.curl("DELETE", f"/core/environments/{self.id}")

    def apply(self, world: World, report: Report) -> None:
        """Delete it."""
        self.delete(world)

    def is_done(self, world: World) -> bool:
        """Whether it is gone."""
        return self.find(world) is None


class KeypairStep(HyperstackStep):
    """A step on an SSH key of an environment."""

    environment: str
    name: str
    public_key: str

    def find(self, world: World) -> Keypair | None:
        """Return the key as it is now; None where it is not there."""
        mine = [k for k in self.api(world).keypairs() if k.environment.name == self.environment]
        return only(mine, self.name, f"key {self.name!r} in {self.environment}")

    def create(self, world: World) -> None:
        """Add it."""
        self.api(world).create_keypair(self.name, self.environment, self.public_key)

    def delete(self, world: World) -> None:
        """Remove it, where it is there."""
        there = self.find(world)
        if there is not None:
            with suppress(NotFound):
                self.api(world).delete_keypair(there.id)


class CreateKeypair(KeypairStep):
    """Add an SSH key to an environment."""

    kind = "hyperstack.keypair.create"

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"add key {self.name} to {self.environment}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        body = {
            "name": self.name,
            "environment_name": self.environment,
            "public_key": self.public_key,
        }
        return self.curl("POST", "/core/keypairs", body)

    def apply(self, world: World, report: Report) -> None:
        """Add it."""
        self.create(world)

    def is_done(self, world: World) -> bool:
        """Whether it is there."""
        return self.find(world) is not None

    def undo(self, world: World) -> None:
        """Remove it."""
        self.delete(world)


class DeleteKeypair(KeypairStep):
    """Remove an SSH key from an environment; VMs that have it keep it."""

    kind = "hyperstack.keypair.delete"
    id: int

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"remove key {self.name} from {self.environment}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return self.curl("DELETE", f"/core/keypair/{self.id}")

    def apply(self, world: World, report: Report) -> None:
        """Remove it."""
        self.delete(world)

    def is_done(self, world: World) -> bool:
        """Whether it is gone."""
        return self.find(world) is None

    def undo(self, world: World) -> None:
        """Add it again."""
        self.create(world)
