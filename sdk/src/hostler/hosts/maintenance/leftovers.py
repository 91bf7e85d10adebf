# SPDX-License-Identifier: Apache-2.0
"""Moves that were left half way: finished where the VM has arrived, else taken back."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from hostler.errors import HostlerError
from hostler.hosts.maintenance.planner import FACT
from hostler.plan.work import ask
from hostler.vms.migration.cut import is_cut
from hostler.vms.migration.steps import MigrateDomain
from hostler.vms.migration.where import is_moving, unclear
from hostler.vms.request import side_by_side
from hostler.vms.volume_steps import VolumeStep

if TYPE_CHECKING:
    from hostler.fleet import Fleet
    from hostler.hosts.maintenance.movers import Volume
    from hostler.plan.journal import StoredPlan

LOOKED_AT = 1000
"""The latest unfinished plans: a host has fewer VMs."""
SETTLE_SECONDS = 10.0
"""For a move that nobody drives any more to end."""


_OPEN = ("started", "unsure", "undoing")
"""Statuses of a step whose effect is not known."""


class Left(NamedTuple):
    """A move that was left half way.

    Attributes:
        arrived: the VM is on the target; None where that can't be found out.
        why: why not.
        cut: it stands still on the source, and is put right first.
    """

    stored: StoredPlan
    arrived: bool | None
    why: str = ""
    cut: bool = False

    @property
    def host(self) -> str:
        """The host whose maintenance it is of."""
        return str(self.stored.plan.facts[FACT])

    @property
    def vm(self) -> str:
        """The VM's name."""
        return self.stored.plan.target.partition("/")[2]

    @property
    def note(self) -> str:
        """Say what becomes of it."""
        if self.arrived is None:
            return f"plan {self.stored.plan.id} is half way: {self.why}"
        what = "finished" if self.arrived else "taken back"
        return f"plan {self.stored.plan.id} was left half way, and is {what} first"


class Unfinished(NamedTuple):
    """Plans that are not finished.

    Attributes:
        at_work: what is at work on a VM, by its name.
        left: moves that nobody carries out any more, the oldest first.
    """

    at_work: Mapping[str, str]
    left: Sequence[Left]

    @property
    def blocked(self) -> dict[str, str]:
        """Why VMs can't be touched, by name."""
        return {
            **{one.vm: one.note for one in self.left if one.arrived is None},
            **{vm: f"{what} is changing it: wait for that" for vm, what in self.at_work.items()},
        }

    @property
    def arrived(self) -> frozenset[str]:
        """Names of VMs that have left."""
        return frozenset(one.vm for one in self.left if one.arrived)

    @property
    def mended(self) -> frozenset[str]:
        """Names of VMs that are put right first."""
        return frozenset(one.vm for one in self.left if one.cut)

    @property
    def doomed(self) -> frozenset[Volume]:
        """The volumes that go when ``left`` is taken back."""
        return frozenset(
            (step.uri, step.pool, step.name)
            for one in self.left
            for step in one.stored.plan.steps
            if isinstance(step, VolumeStep) and one.arrived is False
        )


def read_unfinished(fleet: Fleet, hosts: Collection[str]) -> Unfinished:
    """Read what is at work on VMs, and what the maintenance of these hosts has left."""
    at_work: dict[str, str] = {}
    left: list[StoredPlan] = []
    if fleet.store.empty:
        return Unfinished(at_work, [])
    for stored in fleet.journal.list(limit=LOOKED_AT, unfinished=True):
        kind, _, name = stored.plan.target.partition("/")
        if kind == "vm" and stored.alive:
            at_work[name] = f"plan {stored.plan.id} (process {stored.pid} on {stored.host})"
        elif stored.plan.facts.get(FACT) in hosts and not stored.alive:
            left.append(stored)
    return Unfinished(at_work, side_by_side(lambda stored: _judged(fleet, stored), left[::-1]))


def _judged(fleet: Fleet, stored: StoredPlan) -> Left:
    """Find out where the VM of a move is; both hosts get time to see that nobody drives it."""
    until = time.monotonic() + SETTLE_SECONDS
    while True:
        try:
            return _judge(fleet, stored)
        except HostlerError as error:
            if time.monotonic() > until:
                return Left(stored, None, error.reason)
        time.sleep(0.2)


def _judge(fleet: Fleet, stored: StoredPlan) -> Left:
    for step, status in zip(stored.plan.steps, stored.statuses, strict=True):
        if isinstance(step, MigrateDomain):
            if status not in _OPEN:
                return Left(stored, status == "done")
            seen = step.look(fleet)
            if seen.place is None and isinstance(seen.target, HostlerError):
                return Left(stored, None, unclear(step.name, step.uri, step.target_uri).reason)
            if seen.place == "source" and getattr(seen.target, "active_xml", None):
                raise is_moving(step.name, step.uri)  # the target has not given it up yet
            return Left(stored, ask(step, fleet), cut=is_cut(step, fleet))
    return Left(stored, arrived=False)


def clear_up(fleet: Fleet, left: Left) -> str | None:
    """Finish or take back a move; say why it can't be.

    It then stays in the journal, and is tried again the next time.
    """
    plan_id = left.stored.plan.id
    try:
        if left.arrived:
            fleet.runner.resume(plan_id)
        elif left.arrived is False:
            fleet.runner.undo(plan_id)
    except HostlerError as error:
        return f"plan {plan_id} is still half way: {error.what}"
    return None
