# SPDX-License-Identifier: Apache-2.0
"""From where to where a host goes, and whether it may. Pure."""

from __future__ import annotations

from typing import NamedTuple

from hostler.errors import Conflict, InvalidInput
from hostler.gpu.names import aggregate_named, known_variant
from hostler.gpu.overview import host_type
from hostler.gpu.target import advise
from hostler.gpu.world import GpuWorld
from hostler.models.migration import AUTO, MigrationTask
from hostler.models.nova import Aggregate


class Route(NamedTuple):
    """The way of a host.

    Attributes:
        source: the aggregate that it leaves; None where it only has to be added, or is there.
        target: the aggregate where it shall be.
        others: the aggregates that it is in besides.
        there: it is in the target already.
    """

    source: Aggregate | None
    target: Aggregate
    others: tuple[Aggregate, ...]
    there: bool

    @property
    def zones(self) -> tuple[str | None, str | None]:
        """The host's availability zone before and after."""
        kept = next((aggregate.zone for aggregate in self.others if aggregate.zone), None)
        left = self.source.zone if self.source else None
        there = self.target.zone if self.there else None
        return left or there or kept, self.target.zone or kept


def find_route(world: GpuWorld, task: MigrationTask) -> Route:
    """Find the source and the target of a move.

    Raises:
        NotFound: no such aggregate.
        Conflict: the host is not in the source, or in so many pools that it can't be told.
        InvalidInput: source and target are the same.
    """
    target = _target(world, task)
    source = _source(world, task, target)
    if source is target:
        raise InvalidInput("source and target are the same aggregate", on=f"host {task.host!r}")
    others = [a for a in world.aggregates_of.get(task.host, ()) if a not in (source, target)]
    return Route(source, target, tuple(others), task.host in target.hosts)


def check_types(world: GpuWorld, host: str, route: Route) -> list[str]:
    """Check that the GPU fits the target; returns warnings.

    Raises:
        Conflict: it does not.
    """
    gpu_type, wanted = host_type(world, host), world.classes[route.target.name]
    if gpu_type is None or wanted.gpu_type is None:
        what = f"host {host!r}" if gpu_type is None else f"aggregate {route.target.name!r}"
        return [f"The GPU type of {what} is not known: whether they fit could not be checked."]
    if gpu_type != wanted.gpu_type:
        raise Conflict(
            f"its GPUs are {gpu_type}, and {route.target.name} is for {wanted.gpu_type}",
            on=f"host {host!r}",
            hint="Name an aggregate of its own GPU type.",
        )
    have = world.classes[route.source.name].variant if route.source else wanted.variant
    if have != wanted.variant:
        return [f"It changes its variant: from {have or 'none'} to {wanted.variant or 'none'}."]
    return []


def check_zones(host: str, route: Route, servers: int) -> None:
    """Check that the availability zones allow the move.

    Source: Nova refuses to change a host's zone while it has instances (since 2024.2), and never
    lets a host be in two zones.

    Raises:
        Conflict: they don't.
    """
    on = f"host {host!r}"
    for other in route.others:
        if other.zone and route.target.zone and other.zone != route.target.zone:
            raise Conflict(
                f"it is in zone {other.zone} by aggregate {other.name},"
                f" and {route.target.name} is in zone {route.target.zone}",
                on=on,
                hint=f"Take it out of {other.name} first.",
            )
    before, after = route.zones
    if before != after and servers:
        raise Conflict(
            f"it has {servers} {'server' if servers == 1 else 'servers'}, and its availability zone"
            f" would change from {before or 'none'} to {after or 'none'}: Nova refuses that",
            on=on,
            hint="Drain it (drain: true), or choose an aggregate of its zone.",
        )


def removes_first(route: Route) -> bool:
    """Whether the host has to leave the source before it can enter the target.

    Only where both name a zone and not the same one; else it is added first, so that it is never
    in no pool at all.
    """
    if route.source is None or not (route.source.zone and route.target.zone):
        return False
    return route.source.zone != route.target.zone


def _target(world: GpuWorld, task: MigrationTask) -> Aggregate:
    if task.target and task.target != AUTO:
        return aggregate_named(world, task.target)
    variant = None if task.variant is None else known_variant(world, task.variant)
    advice = advise(world, task.host, pool=task.pool, variant=variant, drained=task.drain)
    if advice.recommended_aggregate is None:
        raise Conflict(
            f"no aggregate suits it: {advice.reasoning}",
            on=f"host {task.host!r}",
            hint=f"See 'hostler gpu target {task.host}'.",
        )
    return world.by_name[advice.recommended_aggregate]


def _source(world: GpuWorld, task: MigrationTask, target: Aggregate) -> Aggregate | None:
    on = f"host {task.host!r}"
    mine = world.aggregates_of.get(task.host, [])
    if task.source is not None:
        source = aggregate_named(world, task.source)
        if source in mine or target in mine:
            return source if source in mine else None
        where = ", ".join(a.name for a in mine) or "no aggregate"
        raise Conflict(f"it is not in {source.name}", on=on, hint=f"It is in {where}.")
    pools = [a for a in world.pools_of(task.host) if a is not target]
    if len(pools) > 1:
        names = ", ".join(a.name for a in pools)
        raise Conflict(
            f"it is in several pools: {names}", on=on, hint="Say which it shall leave (source)."
        )
    return pools[0] if pools else None
