# SPDX-License-Identifier: Apache-2.0
"""Steps on the lock of a host."""

from __future__ import annotations

from hostler.gpu import lock
from hostler.gpu.steps.base import HostStep, insisting, openstack, passing
from hostler.plan.step import Report, World


class TakeLock(HostStep):
    """Keep others from moving the host meanwhile."""

    kind = "gpu.lock"
    wait: int = 0

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"lock host {self.host}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        value = f"{lock.PREFIX}{self.plan}={self.host}"
        return openstack("aggregate", "set", "--property", value, str(self.lock_in))

    def apply(self, world: World, report: Report) -> None:
        """Take the lock."""
        self.take_lock(world, self.wait)

    def is_done(self, world: World) -> bool:
        """Whether it is ours, and nobody else's."""
        found = self.locks(world)
        others = [lock for lock in found if lock.plan != self.plan and not lock.stale]
        return not others and any(lock.plan == self.plan for lock in found)

    def undo(self, world: World) -> None:
        """Release it."""
        for attempt in insisting(passing):
            with attempt:
                self.drop_lock(world)


class ReleaseLock(HostStep):
    """Let others move the host again."""

    kind = "gpu.unlock"

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"release the lock of host {self.host}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        key = lock.PREFIX + self.plan
        return openstack("aggregate", "unset", "--property", key, str(self.lock_in))

    def apply(self, world: World, report: Report) -> None:
        """Release the lock."""
        for attempt in insisting(passing):
            with attempt:
                self.drop_lock(world)

    def is_done(self, world: World) -> bool:
        """Whether it is released."""
        return not any(lock.plan == self.plan for lock in self.locks(world))

    def undo(self, world: World) -> None:
        """Take it again: the steps before this one are about to be undone."""
        self.take_lock(world)
