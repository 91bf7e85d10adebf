# SPDX-License-Identifier: Apache-2.0
"""What all steps on a GPU host have in common."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from hostler.errors import Conflict, HostlerError
from hostler.gpu import lock
from hostler.plan.step import Step, World

if TYPE_CHECKING:
    from hostler.backends.openstack import Cloud
    from hostler.backends.openstack.compute import ComputeApi
    from hostler.models.nova import Aggregate

TRIES = 5
"""How often the way back is tried: a host that is in no aggregate is the worst that can happen."""

WAITS = (0.5, 4.0)
"""Seconds between tries: before the second one, and at most; each time twice as long."""


def openstack(*words: str) -> str:
    """Return a command of the openstack client; ``OS_CLOUD`` says for which cloud."""
    return shlex.join(["openstack", *words])


class HostStep(Step):
    """A step on one host.

    Attributes:
        cloud: the cloud's name; empty: the one of ``OS_*``.
        host: the host's name.
        plan: id of the plan, which holds the lock.
        lock_in: id of the aggregate that the lock lies in.
        lock_minutes: how long the lock holds.
    """

    cloud: str
    host: str
    plan: str
    lock_in: int
    lock_minutes: int

    def openstack(self, world: World) -> Cloud:
        """Return the cloud."""
        cloud: Cloud = world.backend("openstack", self.cloud)
        return cloud

    def nova(self, world: World) -> ComputeApi:
        """Return Nova."""
        return self.openstack(world).compute

    def hold(self, world: World) -> list[Aggregate]:
        """Make sure of the lock; return the aggregates as they are now."""
        return lock.hold(
            self.nova(world), self.host, self.plan, self.lock_in, minutes=self.lock_minutes
        )

    def take_lock(self, world: World, wait: float = 0) -> None:
        """Take the lock."""
        lock.take(
            self.nova(world),
            self.host,
            self.plan,
            self.lock_in,
            minutes=self.lock_minutes,
            wait=wait,
        )

    def locks(self, world: World) -> list[lock.Lock]:
        """Return all locks on the host."""
        return lock.locks(self.nova(world).aggregates(), self.host)

    def drop_lock(self, world: World) -> None:
        """Release the lock."""
        lock.release(self.nova(world), self.host, self.plan)


def insisting(may_pass: Callable[[BaseException], bool]) -> Retrying:
    """Return the tries of a call, some seconds in all, as long as its error may pass."""
    return Retrying(
        retry=retry_if_exception(may_pass),
        stop=stop_after_attempt(TRIES),
        wait=wait_exponential(WAITS[0], max=WAITS[1]),
        reraise=True,
    )


def passing(error: BaseException) -> bool:
    """Whether an error may pass: no answer, a server error, a generation that has moved on."""
    generation = isinstance(error, Conflict) and "generation" in error.what
    return isinstance(error, HostlerError) and (error.ambiguous or generation)
