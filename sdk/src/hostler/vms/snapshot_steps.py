# SPDX-License-Identifier: Apache-2.0
"""The steps of snapshots."""

from __future__ import annotations

from hostler.plan.step import Report, World
from hostler.vms.steps import DomainStep, virsh


class SnapshotStep(DomainStep):
    """A step on one snapshot of a domain."""

    snapshot: str

    def exists(self, world: World) -> bool:
        """Whether the domain has the snapshot."""
        return self.hypervisor(world).snapshots.exists(self.name, self.snapshot)


class CreateSnapshot(SnapshotStep):
    """Make a snapshot."""

    kind = "snapshot.create"
    xml: str
    external: bool = False
    disk_only: bool = False
    quiesce: bool = False

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"make snapshot {self.snapshot} of domain {self.name}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        flags = {
            "--disk-only": self.disk_only,
            "--atomic": self.external,
            "--quiesce": self.quiesce,
        }
        extra = [flag for flag, on in flags.items() if on]
        return virsh(self.uri, "snapshot-create-as", self.name, self.snapshot, *extra)

    def apply(self, world: World, report: Report) -> None:
        """Make it."""
        self.hypervisor(world).snapshots.create(
            self.name,
            self.xml,
            external=self.external,
            disk_only=self.disk_only,
            quiesce=self.quiesce,
        )

    def is_done(self, world: World) -> bool:
        """Whether it is there."""
        return self.exists(world)

    def undo(self, world: World) -> None:
        """Remove it."""
        self.hypervisor(world).snapshots.delete(self.name, self.snapshot, children=False)


class DeleteSnapshot(SnapshotStep):
    """Remove a snapshot."""

    kind = "snapshot.delete"
    irreversible = "what it held is merged or gone"
    children: bool = False

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"remove snapshot {self.snapshot} of domain {self.name}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        extra = ["--children"] if self.children else []
        return virsh(self.uri, "snapshot-delete", self.name, self.snapshot, *extra)

    def apply(self, world: World, report: Report) -> None:
        """Remove it."""
        self.hypervisor(world).snapshots.delete(self.name, self.snapshot, children=self.children)

    def is_done(self, world: World) -> bool:
        """Whether it is gone."""
        return not self.exists(world)


class RevertSnapshot(SnapshotStep):
    """Go back to a snapshot."""

    kind = "snapshot.revert"
    irreversible = "what was written since the snapshot is gone"
    running: bool | None = None

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"revert domain {self.name} to snapshot {self.snapshot}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        extra = ["--running"] if self.running else []
        return virsh(self.uri, "snapshot-revert", self.name, self.snapshot, *extra)

    def apply(self, world: World, report: Report) -> None:
        """Go back to it."""
        self.hypervisor(world).snapshots.revert(self.name, self.snapshot, running=self.running)

    def is_done(self, world: World) -> bool:
        """Say no: going back leaves no trace that could be told from having been there."""
        return False
