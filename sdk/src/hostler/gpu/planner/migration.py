# SPDX-License-Identifier: Apache-2.0
"""Plans the move of one host from one aggregate to another. Pure.

The order of things, and why: the lock, so that nobody else moves the host; the compute service
disabled, so that no server comes in between; the servers counted again, now that none can come; the
aggregates, added first where availability zones allow it, so that the host is never in no pool;
placement's copy compared; all of it read back; and the way out in reverse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from typing import Any

from hostler.config import Policy
from hostler.errors import Conflict, PolicyError
from hostler.gpu import metadata
from hostler.gpu.lock import locks
from hostler.gpu.names import known_host
from hostler.gpu.planner import drain
from hostler.gpu.planner.drain import Away
from hostler.gpu.planner.route import Route, check_types, check_zones, find_route, removes_first
from hostler.gpu.steps import (
    AddToAggregate,
    CheckPlace,
    CountServers,
    DisableCompute,
    EnableCompute,
    MigrateServer,
    MirrorInPlacement,
    ReleaseLock,
    RemoveFromAggregate,
    TakeLock,
)
from hostler.gpu.steps.compute import REASON
from hostler.gpu.world import GpuWorld
from hostler.models.migration import MigrationTask
from hostler.models.nova import Aggregate, Compute, Server
from hostler.plan.plan import Plan, new_id
from hostler.plan.step import Step


def plan_migration(
    world: GpuWorld,
    task: MigrationTask,
    policy: Policy,
    leaving: frozenset[str] = frozenset(),
) -> tuple[Plan, GpuWorld]:
    """Plan the move of a host; without steps where it is there already.

    Returns the plan, and the world as it will be: what further hosts are planned on.
    ``leaving`` are hosts that are moved by the same request: no server is put on them.

    Raises:
        NotFound: no such host or aggregate.
        Conflict: it can't or may not be moved there as things are.
        PolicyError: the fleet's policy forbids it.
    """
    host = known_host(world, task.host)
    route = find_route(world, task)
    source = route.source.name if route.source else None
    plan = Plan(
        id=new_id(),
        target=f"host/{host}",
        summary=_summary(host, route),
        before=_state(world, host),
        facts={"source": source, "target": route.target.name},
    )
    if route.there and route.source is None:
        return plan.model_copy(update={"after": plan.before}), world
    _guard(policy, task)
    unfit = check_types(world, host, route)
    servers = world.servers_of.get(host, [])
    away = drain.place(world, host, route.source, leaving) if task.drain else []
    staying = [] if task.drain else servers
    _check_servers(host, staying, force=task.force)
    check_zones(host, route, len(staying))
    then = _moved(world, host, route, away)
    update = {
        "after": _state(then, host, plan.before),
        "warnings": [*world.warnings, *unfit, *_warnings(world, task, route, servers)],
        "steps": _steps(world, task, route, plan.id, away),
    }
    return plan.model_copy(update=update), then


def _steps(
    world: GpuWorld, task: MigrationTask, route: Route, plan: str, away: Sequence[Away]
) -> list[Step]:
    """Return the steps in order; see the head of this file."""
    common: dict[str, Any] = {
        "cloud": world.cloud,
        "host": task.host,
        "plan": plan,
        "lock_in": (route.source or route.target).id,
        "lock_minutes": _lock_minutes(world, away),
    }
    compute = world.computes.get(task.host)
    service = _disables(common, task, compute)
    provider = compute.provider if compute else None
    staying = () if task.drain else world.servers_of.get(task.host, ())
    expected = tuple(sorted(server.id for server in staying))
    mine = tuple(sorted(a.name for a in world.aggregates_of.get(task.host, ())))
    target, source = (route.target.name,), (route.source.name,) if route.source else ()
    mirror = (
        MirrorInPlacement(**common, provider=provider, of_move=_uuids(route)) if provider else None
    )
    return [
        TakeLock(**common, wait=task.wait),
        CheckPlace(**common, inside=mine, outside=() if route.there else target),
        *([DisableCompute(**service)] if service else []),
        *(_migrate(common, world, one) for one in away),
        CountServers(**common, provider=provider, expected=expected),
        *([mirror] if mirror else []),
        *_moves(common, route),
        *([mirror] if mirror else []),
        CheckPlace(**common, inside=target, outside=source),
        *([EnableCompute(**service)] if service else []),
        ReleaseLock(**common),
    ]


def _lock_minutes(world: GpuWorld, away: Sequence[Away]) -> int:
    """Return how long the lock holds: at least as long as the longest step may take."""
    longest = ceil(world.config.drain_timeout / 60) + 5 if away else 0
    return max(world.config.lock_minutes, longest)


def _disables(
    common: dict[str, Any], task: MigrationTask, compute: Compute | None
) -> dict[str, Any] | None:
    """Return the fields of the steps on the compute service; None where it is left alone.

    One that a move of ours has left disabled half way is taken over.
    """
    if compute is None or not task.disable_compute:
        return None
    if compute.enabled:
        return {**common, "service": compute.service}
    reason = compute.disabled_reason or ""
    if not reason.startswith(REASON):
        return None
    return {**common, "service": compute.service, "left_by": reason}


def _moves(common: dict[str, Any], route: Route) -> list[Step]:
    """Return the change itself: one or two calls, in the order that zones allow."""
    source, target = route.source, route.target
    first = removes_first(route)
    both: dict[str, Any] = {
        **common,
        "of_move": tuple(a.name for a in (source, target) if a),
        "others": tuple(a.name for a in route.others),
    }
    steps: list[Step] = []
    if not route.there:
        kept_by = source.name if source and not first else ""
        steps.append(AddToAggregate(**both, id=target.id, aggregate=target.name, kept_by=kept_by))
    if source:
        kept_by = "" if first else target.name
        steps.append(
            RemoveFromAggregate(**both, id=source.id, aggregate=source.name, kept_by=kept_by)
        )
    return steps[::-1] if first else steps


def _uuids(route: Route) -> tuple[str, ...]:
    return tuple(a.uuid for a in (route.source, route.target) if a)


def _migrate(common: dict[str, Any], world: GpuWorld, away: Away) -> Step:
    return MigrateServer(
        **common,
        server=away.server.id,
        name=away.server.name,
        target=away.target,
        timeout=world.config.drain_timeout,
    )


def _check_servers(host: str, staying: Sequence[Server], *, force: bool) -> None:
    """Refuse to move a host under its servers, whatever pool it is in.

    Raises:
        Conflict: it has servers, and neither force nor drain was said.
    """
    if not staying or force:
        return
    names = ", ".join(sorted(server.name for server in staying))
    raise Conflict(
        f"{len(staying)} {'server runs' if len(staying) == 1 else 'servers run'} on it: {names}",
        on=f"host {host!r}",
        hint="Say drain: true to migrate them away first, or force: true to move it with them.",
    )


def _guard(policy: Policy, task: MigrationTask) -> None:
    if policy.read_only:
        hint = "Unset policy.read_only in fleet.yml to change it."
        raise PolicyError("the fleet is read-only", on=f"host {task.host!r}", hint=hint)
    if policy.protects(task.host) and not task.override_protection:
        hint = "Say override_protection: true in the task if you mean it."
        raise PolicyError("it is protected", on=f"host {task.host!r}", hint=hint)


def _warnings(
    world: GpuWorld, task: MigrationTask, route: Route, servers: Sequence[Server]
) -> list[str]:
    compute = world.computes.get(task.host)
    found = metadata.warnings(world, task, route.target)
    if servers and not task.drain:
        found.append(f"{len(servers)} of its servers stay on it and change the pool with it.")
    if route.source is None and route.others:
        names = ", ".join(aggregate.name for aggregate in route.others)
        found.append(f"It is in no pool, and stays in {names}.")
    if compute is None:
        found.append("It has no compute service: placement's copy can't be checked.")
    elif not compute.enabled and _disables({}, task, compute) is None:
        reason = compute.disabled_reason or "no reason given"
        found.append(f"Its compute service is disabled ({reason}) and stays so.")
    elif not task.disable_compute:
        found.append("Its compute service stays enabled: a server may come in between.")
    for lock in locks(world.aggregates, task.host):
        hint = f"'hostler plan resume {lock.plan}' finishes what was left half way."
        found.append(f"It is locked by {lock}: where that is gone, {hint}")
    if removes_first(route):
        found.append("It leaves its zone first, and is in neither pool for a moment.")
    return found


def _moved(world: GpuWorld, host: str, route: Route, away: Sequence[Away]) -> GpuWorld:
    moved = {one.server.id: one.target for one in away}
    aggregates = tuple(_with_host(a, host, route) for a in world.aggregates)
    servers = tuple(
        replace(server, host=moved[server.id]) if server.id in moved else server
        for server in world.servers
    )
    return replace(world, aggregates=aggregates, servers=servers)


def _with_host(aggregate: Aggregate, host: str, route: Route) -> Aggregate:
    if aggregate is route.source:
        return replace(aggregate, hosts=tuple(h for h in aggregate.hosts if h != host))
    if aggregate is route.target and host not in aggregate.hosts:
        return replace(aggregate, hosts=(*aggregate.hosts, host))
    return aggregate


def _state(world: GpuWorld, host: str, before: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return what a diff shows: the host's aggregates, and where the servers are that it had."""
    had = (before or {}).get("servers")
    servers = [s for s in world.servers if (s.host == host if had is None else s.id in had)]
    return {
        "aggregates": sorted(a.name for a in world.aggregates_of.get(host, ())),
        "servers": {s.id: {"name": s.name, "host": s.host} for s in servers},
    }


def _summary(host: str, route: Route) -> str:
    if route.there and route.source is None:
        return f"host {host} is in {route.target.name}"
    if route.source is None:
        return f"put host {host} into {route.target.name}"
    return f"move host {host} from {route.source.name} to {route.target.name}"
