# SPDX-License-Identifier: Apache-2.0
"""The lock of a host: one move at a time, whichever machine it is made from.

It lies where all control nodes see it: in the metadata of an aggregate. Nova can't compare and set,
but it sets single keys, so each contender first writes a key of its own and then looks for keys of
others, in all aggregates: of two, at least one sees the other, and who sees another gives way.

A lock is stale when its time has run out, or when its process is on this machine and gone.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from hostler.errors import Conflict, HostlerError
from hostler.models.nova import Aggregate
from hostler.plan.who import Who, me

if TYPE_CHECKING:
    from hostler.backends.openstack.compute import ComputeApi

PREFIX = "hostler:lock:"
PAUSE = (0.2, 1.5)
"""Seconds between two looks at a lock that somebody else has, by chance."""
_LONGEST = 255  # of a value in an aggregate's metadata
_TIME = "%Y-%m-%dT%H:%M:%SZ"


class Lock(NamedTuple):
    """A lock on a host, as the aggregate's metadata holds it."""

    plan: str
    host: str
    who: Who
    until: str
    aggregate: int

    @property
    def stale(self) -> bool:
        """Whether nobody holds it any more."""
        return self.who.gone or self.until < _now()

    @property
    def key(self) -> str:
        """The metadata's key."""
        return PREFIX + self.plan

    def __str__(self) -> str:
        return f"{self.who.user} on {self.who.host} (plan {self.plan}, until {self.until})"


def locks(aggregates: Iterable[Aggregate], host: str) -> list[Lock]:
    """Return all locks on a host. Pure, but for the clock of ``stale``."""
    found = [
        _parse(key, value, aggregate.id)
        for aggregate in aggregates
        for key, value in aggregate.metadata.items()
        if key.startswith(PREFIX)
    ]
    return [lock for lock in found if lock and lock.host == host]


def take(
    nova: ComputeApi, host: str, plan: str, aggregate: int, *, minutes: int, wait: float
) -> None:
    """Take the lock, or wait for it. Taken again by its holder, its time begins anew.

    Two that come at the very same time both give way, and try again.

    Raises:
        Conflict: somebody else has it, and still had when the waiting was over.
    """
    deadline = time.monotonic() + wait
    while True:
        other = _other(nova, host, plan)
        if other is None:
            mine = _mine(host, plan, minutes, aggregate)
            nova.set_metadata(aggregate, {mine.key: _text(mine)})
            try:
                other = _other(nova, host, plan)
            except HostlerError as error:
                error.ambiguous = True  # ours is written: whether it holds, the world says
                raise
            if other is None:
                return
            release(nova, host, plan)
        elif time.monotonic() >= deadline:
            raise _taken(host, other)
        time.sleep(random.uniform(*PAUSE))  # noqa: S311 - so that two do not meet again


def hold(
    nova: ComputeApi, host: str, plan: str, aggregate: int, *, minutes: int
) -> list[Aggregate]:
    """Make sure that we still have the lock, right before a change; returns the aggregates.

    A plan that is resumed or undone by another process takes it again.

    Raises:
        Conflict: somebody else has it.
    """
    aggregates = nova.aggregates()
    on_host = locks(aggregates, host)
    others = [lock for lock in on_host if lock.plan != plan and not lock.stale]
    if others:
        raise _taken(host, others[0])
    if any(lock.plan == plan and lock.who == me() and not lock.stale for lock in on_host):
        return aggregates
    take(nova, host, plan, aggregate, minutes=minutes, wait=0)
    return nova.aggregates()


def release(nova: ComputeApi, host: str, plan: str) -> None:
    """Remove a plan's lock, where it is still there."""
    for lock in locks(nova.aggregates(), host):
        if lock.plan == plan:
            nova.set_metadata(lock.aggregate, {lock.key: None})


def _other(nova: ComputeApi, host: str, plan: str) -> Lock | None:
    """Return somebody else's lock; stale ones are removed on the way."""
    for lock in locks(nova.aggregates(), host):
        if lock.plan == plan:
            continue
        if not lock.stale:
            return lock
        nova.set_metadata(lock.aggregate, {lock.key: None})
    return None


def _taken(host: str, lock: Lock) -> Conflict:
    hint = "Wait for it (option wait)."
    if not lock.who.here:
        hint += f" If that is gone: finish it there with 'hostler plan resume {lock.plan}'"
        hint += f", or break its lock with 'hostler gpu unlock {host}'."
    return Conflict(f"it is being moved by {lock}", on=f"host {host!r}", hint=hint)


def _mine(host: str, plan: str, minutes: int, aggregate: int) -> Lock:
    until = (datetime.now(UTC) + timedelta(minutes=minutes)).strftime(_TIME)
    return Lock(plan, host, me(), until, aggregate)


def _text(lock: Lock) -> str:
    who = lock.who
    fields = [lock.until, str(who.pid), who.pid_started, lock.host, who.host, who.user]
    return " ".join(field.replace(" ", "_") for field in fields)[:_LONGEST]


def _parse(key: str, value: str, aggregate: int) -> Lock | None:
    """Read a lock; None where somebody wrote something else there."""
    until, pid, started, host, machine, user, *_ = [*value.split(" "), "", "", "", "", "", ""]
    if not pid.isdigit():
        return None
    who = Who(user, machine, int(pid), started)
    return Lock(key.removeprefix(PREFIX), host, who, until, aggregate)


def _now() -> str:
    return datetime.now(UTC).strftime(_TIME)
