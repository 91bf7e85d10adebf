# SPDX-License-Identifier: Apache-2.0
"""Puts VMs right whose move was cut off before its last phase: they stand still on the source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostler.backends.libvirt.cut_moves import let_go, was_cut
from hostler.errors import BackendError, HostlerError
from hostler.plan.plan import Plan
from hostler.plan.step import Report, World
from hostler.vms.migration.steps import MigrateDomain, MoveStep
from hostler.vms.migration.where import unclear, whereabouts
from hostler.vms.steps import libvirt_of, virsh

if TYPE_CHECKING:
    from hostler.fleet import Fleet


class CutStep(MoveStep):
    """A step on a domain whose move was cut off; ``uri`` is where it stands still."""

    def runs_there(self, world: World) -> bool:
        """Whether it runs on the target of its move.

        Raises:
            BackendError: nobody can tell, or it is not cut off any more.
        """
        seen = self.look(world)
        if isinstance(seen.target, HostlerError):
            raise unclear(self.name, self.uri, self.target_uri) from seen.target
        if not was_cut(libvirt_of(world, self.uri), self.name):
            raise BackendError(
                "it no longer stands still", on=f"VM {self.name!r}", hint="Run it again."
            )
        if seen.target is None or seen.target.active_xml is None:
            return False
        if seen.target.status != "running":
            raise unclear(self.name, self.uri, self.target_uri)
        return True


class GoOnHere(CutStep):
    """Let a domain go on where it came from: the target does not have it."""

    kind = "domain.go_on"
    irreversible = "it ran before its move"

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"let domain {self.name} go on, as its move was cut off"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return virsh(self.uri, "resume", self.name)

    def apply(self, world: World, report: Report) -> None:
        """Let it go on, unless the target has it after all."""
        if self.runs_there(world):
            raise unclear(self.name, self.uri, self.target_uri)
        self.hypervisor(world).domains.resume(self.name)

    def is_done(self, world: World) -> bool:
        """Whether it goes on."""
        return not was_cut(self.hypervisor(world), self.name)


class LetGo(CutStep):
    """Remove what is left of a domain that runs on the target."""

    kind = "domain.let_go"
    irreversible = "it runs on the target"

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"remove what the move of domain {self.name} has left on {self.uri}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return virsh(self.uri, "destroy", self.name)

    def apply(self, world: World, report: Report) -> None:
        """Remove it, unless it does not run on the target after all."""
        if not self.runs_there(world):
            raise unclear(self.name, self.uri, self.target_uri)
        let_go(self.hypervisor(world), self.name)

    def is_done(self, world: World) -> bool:
        """Whether it is gone."""
        return not self.hypervisor(world).domains.exists(self.name, self.uuid)


def plan_repair(fleet: Fleet, move: MigrateDomain) -> Plan | None:
    """Plan what puts a VM right whose move was cut off; None where it was not.

    Raises:
        BackendError: nobody can tell where it runs.
    """
    source = fleet.hypervisor(move.uri)
    if source.migrations.is_moving(move.name) or not was_cut(source, move.name):
        return None
    seen = whereabouts(move.name, move.uuid, source, fleet.hypervisor(move.target_uri))
    if seen.source is None:
        return None  # another VM of that name
    where = {
        "uri": move.uri,
        "name": move.name,
        "target_uri": move.target_uri,
        "uuid": move.uuid,
    }
    step: CutStep = GoOnHere(**where)
    if step.runs_there(fleet):
        step = LetGo(**where)
    return Plan(target=f"vm/{move.name}", summary=step.summary, steps=[step])
