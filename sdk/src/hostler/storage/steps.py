# SPDX-License-Identifier: Apache-2.0
"""The steps on storage pools. None of them touches a volume."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from hostler.plan.step import Report, Step, World
from hostler.storage.pool_xml import read_pool
from hostler.vms.steps import libvirt_of, virsh

if TYPE_CHECKING:
    from hostler.backends.libvirt.pools import FoundPool, Pools


class PoolStep(Step):
    """A step on one pool."""

    kind: ClassVar[str]
    uri: str
    name: str

    def pools(self, world: World) -> Pools:
        """Return the pools of the hypervisor."""
        return libvirt_of(world, self.uri).pools

    def found(self, world: World) -> FoundPool | None:
        """Return the pool as it is; None where there is none."""
        return self.pools(world).find(self.name)


class DefinePool(PoolStep):
    """Define a pool; ``before_xml`` is None where it is new."""

    kind = "pool.define"
    xml: str
    before_xml: str | None = None

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"{'define' if self.before_xml is None else 'redefine'} storage pool {self.name}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return virsh(self.uri, "pool-define", f"{self.name}.xml")

    def apply(self, world: World, report: Report) -> None:
        """Define it."""
        self.pools(world).define(self.xml, self.name)

    def is_done(self, world: World) -> bool:
        """Whether it is defined so."""
        found = self.found(world)
        return found is not None and found.persistent and read_pool(found.xml) == self._wanted

    @property
    def _wanted(self) -> dict[str, object]:
        return read_pool(self.xml)

    def undo(self, world: World) -> None:
        """Define it as it was, or forget it."""
        if self.before_xml is None:
            self.pools(world).undefine(self.name)
        else:
            self.pools(world).define(self.before_xml, self.name)


class BuildPool(PoolStep):
    """Make the folder of a pool; one that is there already stays."""

    kind = "pool.build"
    kept = "a folder may hold files of others"
    path: str

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"make the folder {self.path} of storage pool {self.name}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return virsh(self.uri, "pool-build", self.name)

    def apply(self, world: World, report: Report) -> None:
        """Make it."""
        self.pools(world).build(self.name)

    def is_done(self, world: World) -> bool:
        """Say no: a folder can't be seen from outside, and making it twice does no harm."""
        return False


class StartPool(PoolStep):
    """Start a pool."""

    kind = "pool.start"

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"start storage pool {self.name}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return virsh(self.uri, "pool-start", self.name)

    def apply(self, world: World, report: Report) -> None:
        """Start it."""
        self.pools(world).start(self.name)

    def is_done(self, world: World) -> bool:
        """Whether it runs."""
        found = self.found(world)
        return found is not None and found.active

    def undo(self, world: World) -> None:
        """Stop it."""
        self.pools(world).stop(self.name)


class StopPool(PoolStep):
    """Stop a pool; ``xml`` is of one that is not defined, and is gone once it stops."""

    kind = "pool.stop"
    xml: str | None = None

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"stop storage pool {self.name}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return virsh(self.uri, "pool-destroy", self.name)

    def apply(self, world: World, report: Report) -> None:
        """Stop it."""
        self.pools(world).stop(self.name)

    def is_done(self, world: World) -> bool:
        """Whether it runs no more."""
        found = self.found(world)
        return found is None or not found.active

    def undo(self, world: World) -> None:
        """Start it again."""
        if self.xml is not None:
            self.pools(world).define(self.xml, self.name)
        self.pools(world).start(self.name)


class SetPoolAutostart(PoolStep):
    """Say whether a pool starts with the host."""

    kind = "pool.autostart"
    autostart: bool

    @property
    def summary(self) -> str:
        """Say what the step does."""
        verb = "start" if self.autostart else "don't start"
        return f"{verb} storage pool {self.name} with the host"

    @property
    def command(self) -> str:
        """Return the shell command."""
        disable = [] if self.autostart else ["--disable"]
        return virsh(self.uri, "pool-autostart", self.name, *disable)

    def apply(self, world: World, report: Report) -> None:
        """Set it."""
        self.pools(world).set_autostart(self.name, self.autostart)

    def is_done(self, world: World) -> bool:
        """Whether it is set so."""
        found = self.found(world)
        return found is not None and found.autostart == self.autostart

    def undo(self, world: World) -> None:
        """Set it as it was."""
        self.pools(world).set_autostart(self.name, not self.autostart)


class UndefinePool(PoolStep):
    """Forget a pool that does not run; its volumes stay."""

    kind = "pool.undefine"
    before_xml: str
    autostart: bool = False

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"remove storage pool {self.name}; its volumes stay"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return virsh(self.uri, "pool-undefine", self.name)

    def apply(self, world: World, report: Report) -> None:
        """Forget it."""
        self.pools(world).undefine(self.name)

    def is_done(self, world: World) -> bool:
        """Whether it is gone."""
        return self.found(world) is None

    def undo(self, world: World) -> None:
        """Define it again."""
        self.pools(world).define(self.before_xml, self.name)
        if self.autostart:
            self.pools(world).set_autostart(self.name, True)
