# SPDX-License-Identifier: Apache-2.0
"""The steps of moving a VM to another hypervisor."""

from __future__ import annotations

import time

from hostler.errors import Conflict, HostlerError
from hostler.models.vm_migration import MigrationFigures, MigrationWay, Mode
from hostler.plan.step import Report, World
from hostler.vms.migration import cut
from hostler.vms.migration.move_step import MoveStep
from hostler.vms.migration.where import Place, broken_off, is_moving, unclear
from hostler.vms.steps import libvirt_of, virsh
from hostler.vms.volume_steps import VolumeStep

SETTLE_SECONDS = 5
"""For a VM whose move failed to be seen on one host again."""


class MigrateDomain(MoveStep):
    """Move a domain to another host."""

    kind = "domain.migrate"
    irreversible = "it is on the target now; move it back by a migration of its own"
    mode: Mode
    way: MigrationWay

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"migrate domain {self.name} to {self.target_uri} ({self.mode}, {self.way.storage})"

    @property
    def command(self) -> str:
        """Return the shell command."""
        way = self.way
        flags = {
            f"--{self.mode}": self.mode != "paused",
            "--p2p": way.peer_to_peer,
            "--persistent": way.persist,
            "--undefinesource": way.undefine_source,
            "--unsafe": way.unsafe,
            "--copy-storage-all": way.storage == "copy" and self.mode != "offline",
            "--copy-storage-inc": way.storage == "incremental" and self.mode != "offline",
            "--postcopy": way.post_copy,
            "--auto-converge": way.auto_converge,
            "--compressed": way.compression,
        }
        words = [flag for flag, on in flags.items() if on]
        if way.parallel_connections:
            words += ["--parallel", "--parallel-connections", str(way.parallel_connections)]
        if way.bandwidth:
            words += ["--bandwidth", str(way.bandwidth)]
        return virsh(self.uri, "migrate", self.name, self.target_uri, *words)

    def apply(self, world: World, report: Report) -> None:
        """Move it; after a failure both hosts are asked where it is."""

        def tell(figures: MigrationFigures) -> None:
            report(figures.percent / 100)

        migrations = self.hypervisor(world).migrations
        target = libvirt_of(world, self.target_uri)
        try:
            migrations.migrate(self.name, target, self.way, self.mode, tell)
        except HostlerError as error:
            self._after(error, world)

    def is_done(self, world: World) -> bool:
        """Whether it is on the target.

        Raises:
            Conflict: it is being moved still.
            BackendError: that can't be found out.
        """
        return self._settled(world) == "target"

    def mend(self, world: World) -> None:
        """Have it run on one host alone, where its move was cut off.

        Raises:
            BackendError: nobody can tell where it runs.
        """
        cut.mend(self, world)

    def _settled(self, world: World) -> Place:
        """Say where it is; raises where that may still change, or can't be found out."""
        place = self.look(world, both=False).place
        if place != "target" and self._broke_off(world):
            raise broken_off(self.name, self.uri)
        if place is None:
            raise unclear(self.name, self.uri, self.target_uri)
        if place == "source" and self._moves(world):
            raise is_moving(self.name, self.uri)
        return place

    def _broke_off(self, world: World) -> bool:
        try:
            return self.hypervisor(world).migrations.broke_off(self.name)
        except HostlerError:
            return False  # it can't be asked: nothing is known of that

    def _moves(self, world: World) -> bool:
        try:
            return self.hypervisor(world).migrations.is_moving(self.name)
        except HostlerError:
            return True  # QEMU is stuck in it: the network between the hosts is silent

    def _after(self, error: HostlerError, world: World) -> None:
        """Raise the error of a failed move with where the VM is; not where it did arrive."""
        until = time.monotonic() + SETTLE_SECONDS
        while True:
            try:
                place = self._settled(world)
                break
            except HostlerError as unsettled:
                if time.monotonic() > until:
                    raise _told(error, unsettled.reason, unsettled.hint, sure=False) from error
            time.sleep(0.2)
        if place == "source":
            raise _told(error, f"It is still on {self.uri}", error.hint, sure=True) from error


def _told(error: HostlerError, place: str, hint: str, *, sure: bool) -> HostlerError:
    """Return the error of a move with what is known of the VM's place since then."""
    told = type(error)(f"{error.what}. {place}", on=error.on, hint=hint)
    told.ambiguous = not sure
    return told


class SendVolume(VolumeStep):
    """Copy a file that the domain only reads, or that does not run, to the target."""

    kind = "volume.send"
    starts_over = True  # half a copy looks like a whole one
    from_uri: str
    path: str

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"copy {self.path} to {self.where} on {self.uri}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return virsh(self.from_uri, "vol-download", self.path, self.name)

    def apply(self, world: World, report: Report) -> None:
        """Copy it."""
        source, target = libvirt_of(world, self.from_uri), libvirt_of(world, self.uri)
        source.migrations.send_volume(self.path, target, self.pool, report)


class VerifyMigration(MoveStep):
    """See that a domain is on one host alone; ``stays_defined``: its definition on both."""

    kind = "domain.migrated"
    only_looks = True
    stays_defined: bool = False

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"see that domain {self.name} is on {self.target_uri} alone"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return virsh(self.target_uri, "dominfo", self.name)

    def apply(self, world: World, report: Report) -> None:
        """Look at both hosts."""
        seen = self.look(world)
        for state in (seen.source, seen.target):
            if isinstance(state, HostlerError):
                raise state
        if seen.target is None:
            raise Conflict(f"it is not on {self.target_uri}", on=f"VM {self.name!r}")
        if seen.is_twice or (seen.source and not self.stays_defined):
            raise Conflict(
                f"it is still on {self.uri} too", on=f"VM {self.name!r}", hint="Look at both hosts."
            )

    def is_done(self, world: World) -> bool:
        """Say no: it only looks."""
        return False
