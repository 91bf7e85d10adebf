# SPDX-License-Identifier: Apache-2.0
"""The steps of maintenance: a host rests or is taken back, and where its VMs are is noted."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from hostler.hosts.steps import pool_of
from hostler.models.host_maintenance import Away, Record
from hostler.plan.step import Report, Step, World

if TYPE_CHECKING:
    from hostler.hosts.resting import Resting


class MaintenanceStep(Step):
    """A step on what is kept of a host in maintenance."""

    kind: ClassVar[str]
    id: str

    def records(self, world: World) -> Resting:
        """Return what is kept of all hosts."""
        return pool_of(world).registry.maintenance

    def rests(self, world: World) -> bool:
        """Whether the host is in maintenance."""
        record = self.records(world).find(self.id)
        return record is not None and record.resting


class RestHost(MaintenanceStep):
    """Take a host into maintenance; ``onto`` are the hosts that its VMs are to be moved to."""

    kind = "host.rest"
    onto: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"take host {self.id} into maintenance"

    @property
    def command(self) -> str:
        """Say what is noted: there is no shell command for it."""
        return f"# host {self.id} takes no VMs from now on"

    def apply(self, world: World, report: Report) -> None:
        """Note it, unless a host that takes its VMs is in maintenance by now."""
        self.records(world).rest(self.id, self.onto)

    def is_done(self, world: World) -> bool:
        """Whether it is noted."""
        return self.rests(world)

    def undo(self, world: World) -> None:
        """Let it take VMs again."""
        records = self.records(world)
        record = records.find(self.id)
        records.wake(self.id, keep=record.away if record else ())


class WakeHost(MaintenanceStep):
    """Take a host out of maintenance; ``keep`` are UUIDs of VMs that are to come back."""

    kind = "host.wake"
    keep: tuple[str, ...] = ()
    before: Record

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"take host {self.id} out of maintenance"

    @property
    def command(self) -> str:
        """Say what is noted: there is no shell command for it."""
        return f"# host {self.id} takes VMs again"

    def apply(self, world: World, report: Report) -> None:
        """Note it."""
        self.records(world).wake(self.id, self.keep)

    def is_done(self, world: World) -> bool:
        """Whether it is noted."""
        record = self.records(world).find(self.id)
        if record is None:
            return True
        return not record.resting and set(record.away) <= set(self.keep)

    def undo(self, world: World) -> None:
        """Have it rest as before."""
        self.records(world).restore(self.id, self.before)


class NoteAway(MaintenanceStep):
    """Note where a VM of the host is; ``to`` None: it is back."""

    kind = "host.away"
    uuid: str
    vm: str
    to: str | None
    before: str | None = None

    @property
    def summary(self) -> str:
        """Say what the step does."""
        where = f"on host {self.to}" if self.to else "back"
        return f"note that VM {self.vm} of host {self.id} is {where}"

    @property
    def command(self) -> str:
        """Say what is noted: there is no shell command for it."""
        return f"# {self.summary}"

    def apply(self, world: World, report: Report) -> None:
        """Note it."""
        self.records(world).note(self.id, self.uuid, self._away(self.to))

    def is_done(self, world: World) -> bool:
        """Whether it is noted."""
        record = self.records(world).find(self.id)
        found = record.away.get(self.uuid) if record else None
        return found == self._away(self.to)

    def undo(self, world: World) -> None:
        """Note what was noted before."""
        self.records(world).note(self.id, self.uuid, self._away(self.before))

    def _away(self, host: str | None) -> Away | None:
        return Away(vm=self.vm, host=host) if host else None
