# SPDX-License-Identifier: Apache-2.0
"""Steps on the aggregates of a host, in Nova and in placement."""

from __future__ import annotations

from collections.abc import Iterable

from hostler.errors import BackendError, Conflict, NotFound, Outdated
from hostler.gpu.steps.base import HostStep, insisting, openstack, passing
from hostler.models.nova import Aggregate
from hostler.plan.step import Report, World


class AggregateStep(HostStep):
    """A step on one aggregate of the move.

    Attributes:
        id, aggregate: the aggregate.
        of_move: names of the move's aggregates; found in another one, the host has been moved on
            by somebody else.
        others: the host's aggregates that the move leaves alone.
        kept_by: the aggregate that must have the host before this one lets it go; empty where
            zones allow only one of them at a time.
    """

    id: int
    aggregate: str
    of_move: tuple[str, ...]
    others: tuple[str, ...] = ()
    kept_by: str = ""

    def is_in(self, world: World) -> bool:
        """Whether the host is in the aggregate, in exactly this spelling."""
        return self.host in self.nova(world).aggregate(self.id).hosts

    def put(self, world: World, *, present: bool) -> None:
        """Bring the host in or out, once; a host that is where it should be is left alone.

        Nova refuses while it still counts servers that are just leaving: that is tried again.

        Raises:
            Conflict: somebody else has moved the host since the move was planned.
        """
        here = {a.id: a for a in self.hold(world)}
        self._check_not_moved_on(here.values())
        if self.id not in here:
            raise NotFound("it is gone", on=f"aggregate {self.aggregate!r}")
        if (self.host in here[self.id].hosts) == present:
            return
        if not present:
            self._check_kept(here.values())
        for attempt in insisting(_still_leaving):
            with attempt:
                self._change(world, present=present)

    def put_back(self, world: World, *, present: bool) -> None:
        """Bring the host back, as often as it takes; the world is asked before each try.

        Raises:
            Conflict: somebody else has moved the host on.
            HostlerError: it could not be done.
        """
        for attempt in insisting(passing):
            with attempt:
                self._check_not_moved_on(self.nova(world).aggregates())
                self.put(world, present=present)
                if self.is_in(world) != present:
                    raise BackendError(
                        "Nova took the change and does not show it",
                        on=f"host {self.host!r} in aggregate {self.aggregate!r}",
                    )

    def _change(self, world: World, *, present: bool) -> None:
        """Ask Nova once; a refusal is none where somebody else has done the same meanwhile."""
        nova = self.nova(world)
        try:
            if present:
                nova.add_host(self.id, self.host)
            else:
                nova.remove_host(self.id, self.host)
        except (Conflict, NotFound):
            if self.is_in(world) != present:
                raise

    def _check_kept(self, aggregates: Iterable[Aggregate]) -> None:
        """Make sure that the host is not lost when it leaves."""
        if not self.kept_by or any(
            a.name == self.kept_by and self.host in a.hosts for a in aggregates
        ):
            return
        raise Conflict(
            f"somebody else has taken it out of {self.kept_by}: it stays in {self.aggregate}",
            on=f"host {self.host!r}",
            hint="See 'hostler gpu hosts'; run again.",
        )

    def _check_not_moved_on(self, aggregates: Iterable[Aggregate]) -> None:
        known = {*self.of_move, *self.others}
        now = {a.name for a in aggregates if self.host in a.hosts}
        if now - known:
            raise Conflict(
                f"it has been put into {', '.join(sorted(now - known))} since",
                on=f"host {self.host!r}",
                hint="See 'hostler gpu hosts'; run again. 'hostler plan forget' drops this plan.",
            )


class AddToAggregate(AggregateStep):
    """Put a host into an aggregate."""

    kind = "gpu.add"

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"put host {self.host} into aggregate {self.aggregate}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return openstack("aggregate", "add", "host", self.aggregate, self.host)

    def apply(self, world: World, report: Report) -> None:
        """Put it in."""
        self.put(world, present=True)

    def is_done(self, world: World) -> bool:
        """Whether it is in."""
        return self.is_in(world)

    def undo(self, world: World) -> None:
        """Take it out."""
        self.put_back(world, present=False)


class RemoveFromAggregate(AggregateStep):
    """Take a host out of an aggregate."""

    kind = "gpu.remove"

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"take host {self.host} out of aggregate {self.aggregate}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return openstack("aggregate", "remove", "host", self.aggregate, self.host)

    def apply(self, world: World, report: Report) -> None:
        """Take it out."""
        self.put(world, present=False)

    def is_done(self, world: World) -> bool:
        """Whether it is out."""
        return not self.is_in(world)

    def undo(self, world: World) -> None:
        """Put it in."""
        self.put_back(world, present=True)


class MirrorInPlacement(HostStep):
    """Have placement's copy of the aggregates agree with Nova's, which only logs when it fails.

    Stands before the move, so that it is undone last and repairs what undoing left, and after it.

    Attributes:
        provider: the host in placement.
        of_move: uuids of the move's aggregates; placement's others are left alone.
    """

    kind = "gpu.mirror"
    provider: str
    of_move: tuple[str, ...]

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"check that placement has host {self.host} in the same aggregates"

    @property
    def command(self) -> str:
        """Return the shell command."""
        words = ("resource", "provider", "aggregate", "list", self.provider)
        return openstack("--os-placement-api-version", "1.19", *words)

    def apply(self, world: World, report: Report) -> None:
        """Compare, and repair what differs."""
        for attempt in insisting(passing):
            with attempt:
                self._repair(world)

    def is_done(self, world: World) -> bool:
        """Whether they agree."""
        have = self.openstack(world).placement.mirror(self.provider).aggregates
        return have == self._wanted(world, have)

    def undo(self, world: World) -> None:
        """Make sure of it once more."""
        self.apply(world, lambda _: None)

    def _repair(self, world: World) -> None:
        placement = self.openstack(world).placement
        found = placement.mirror(self.provider)
        wanted = self._wanted(world, found.aggregates)
        if wanted != found.aggregates:
            placement.set_mirror(self.provider, wanted, found.generation)

    def _wanted(self, world: World, have: frozenset[str]) -> frozenset[str]:
        """Return what placement should have: of the move's aggregates, what Nova has now."""
        now = {a.uuid for a in self.nova(world).aggregates() if self.host in a.hosts}
        return (have - set(self.of_move)) | (now & set(self.of_move))


class CheckPlace(HostStep):
    """Look where the host is: before the move, as it was planned long ago perhaps, and after it."""

    kind = "gpu.check"
    only_looks = True
    inside: tuple[str, ...]
    outside: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """Say what the step does."""
        where = f"in {', '.join(self.inside) or 'no aggregate'}"
        apart = f" and not in {', '.join(self.outside)}" if self.outside else ""
        return f"check that host {self.host} is {where}{apart}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return openstack("aggregate", "list", "--long")

    def apply(self, world: World, report: Report) -> None:
        """Look.

        Raises:
            Outdated: it is elsewhere.
        """
        for attempt in insisting(passing):
            with attempt:
                now = {a.name for a in self.nova(world).aggregates() if self.host in a.hosts}
        if not now.issuperset(self.inside) or now.intersection(self.outside):
            raise Outdated(
                f"it is in {', '.join(sorted(now)) or 'no aggregate'}: somebody else has moved it",
                on=f"host {self.host!r}",
                hint="Run again: it plans from what is there now.",
            )


def _still_leaving(error: BaseException) -> bool:
    """Whether Nova counts servers that are just leaving: a refusal, so a repeat is safe."""
    return isinstance(error, Conflict) and "instance(s)" in error.what
