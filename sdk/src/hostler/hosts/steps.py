# SPDX-License-Identifier: Apache-2.0
"""The steps on the pool: a host saved or forgotten, room reserved on it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, ClassVar

from hostler.models.host import HostSettings
from hostler.models.placement import PlacementRequest
from hostler.models.size import format_size
from hostler.plan.step import Report, Step, World

if TYPE_CHECKING:
    from hostler.hosts.service import Hosts


def pool_of(world: World) -> Hosts:
    """Return the pool of hosts."""
    pool: Hosts = world.backend("hosts", "")
    return pool


def hostler(*words: str) -> str:
    """Return the command line."""
    return shlex.join(["hostler", "host", *words])


class HostStep(Step):
    """A step on a registered host."""

    kind: ClassVar[str]
    id: str

    def settings_of(self, world: World) -> dict[str, Any] | None:
        """Return a host's settings as they are; None where it is not registered."""
        host = pool_of(world).registry.find(self.id)
        return host.settings.dump() if host else None

    def save(self, world: World, settings: dict[str, Any], uuid: str | None) -> None:
        """Write settings down."""
        pool_of(world).registry.save(self.id, HostSettings.model_validate(settings), uuid)


class SaveHost(HostStep):
    """Write a host down; ``before`` is None where it is new."""

    kind = "host.save"
    settings: dict[str, Any]
    uuid: str | None = None
    before: dict[str, Any] | None = None
    before_uuid: str | None = None

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"{'change' if self.before else 'add'} host {self.id}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        before = self.before or {}
        words: list[str] = []
        for key, value in self.settings.items():
            if key == "labels":
                old = before.get("labels", {})
                words += [f"--label={k}={v}" for k, v in value.items() if old.get(k) != v]
                words += [f"--label={k}=" for k in old if k not in value]
            elif key == "enabled":
                words += [] if value == before.get(key, True) else [_flag(value)]
            elif value != before.get(key, _default(key)):
                words.append(f"--{key.replace('_', '-')}={value}")
        return hostler("set", self.id, *words)

    def apply(self, world: World, report: Report) -> None:
        """Write it down."""
        self.save(world, self.settings, self.uuid)

    def is_done(self, world: World) -> bool:
        """Whether it is written so."""
        return self.settings_of(world) == self.settings

    def undo(self, world: World) -> None:
        """Write it as it was, or remove it."""
        if self.before is None:
            pool_of(world).registry.forget(self.id)
        else:
            self.save(world, self.before, self.before_uuid)


def _flag(value: object) -> str:
    return "--enable" if value else "--disable"


def _default(key: str) -> object:
    return HostSettings.model_fields[key].default


class ForgetHost(HostStep):
    """Remove a host from the pool; its VMs stay."""

    kind = "host.forget"
    before: dict[str, Any]
    before_uuid: str | None = None

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"remove host {self.id} from the pool"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return hostler("remove", self.id)

    def apply(self, world: World, report: Report) -> None:
        """Remove it."""
        pool_of(world).registry.forget(self.id)

    def is_done(self, world: World) -> bool:
        """Whether it is gone."""
        return self.settings_of(world) is None

    def undo(self, world: World) -> None:
        """Write it down again."""
        self.save(world, self.before, self.before_uuid)


class ReserveRoom(Step):
    """Keep room on a host for a VM, so that nobody else gets it meanwhile."""

    kind = "host.reserve"
    claim_id: str
    host: str
    request: PlacementRequest
    gpus: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"reserve room for VM {self.request.vm} on host {self.host}"

    @property
    def command(self) -> str:
        """Say what is reserved: there is no shell command for it."""
        wanted = self.request
        size = f"{wanted.cpus} CPUs, {format_size(wanted.memory)}"
        gpus = f", GPUs {' '.join(self.gpus)}" if self.gpus else ""
        return f"# reserve on host {self.host} for VM {wanted.vm}: {size}{gpus}"

    def apply(self, world: World, report: Report) -> None:
        """Reserve it, unless somebody else was faster."""
        pool_of(world).rooms.reserve(self.claim_id, self.host, self.request, self.gpus)

    def is_done(self, world: World) -> bool:
        """Whether it is reserved."""
        return pool_of(world).rooms.reservations.find(self.claim_id) is not None

    def undo(self, world: World) -> None:
        """Let others have it."""
        pool_of(world).rooms.reservations.release(self.claim_id)


class SettleRoom(Step):
    """Note that a VM has taken the room that was reserved for it."""

    kind = "host.settle"
    claim_id: str
    host: str
    vm: str

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"end the reservation for VM {self.vm} on host {self.host}"

    @property
    def command(self) -> str:
        """Say what ends: there is no shell command for it."""
        return f"# end the reservation on host {self.host} for VM {self.vm}"

    def apply(self, world: World, report: Report) -> None:
        """Note it."""
        pool_of(world).rooms.reservations.settle(self.claim_id)

    def is_done(self, world: World) -> bool:
        """Whether it is noted."""
        claim = pool_of(world).rooms.reservations.find(self.claim_id)
        return claim is None or claim.settled is not None

    def undo(self, world: World) -> None:
        """Do nothing: the reservation itself is taken back next."""
