# SPDX-License-Identifier: Apache-2.0
"""Where the servers of a host go when it is drained: to hosts of its own pool. Pure."""

from __future__ import annotations

from typing import NamedTuple

from hostler.errors import Conflict
from hostler.gpu.overview import gpu_capacity, gpus_used
from hostler.gpu.world import GpuWorld
from hostler.models.nova import Aggregate, Server

_MOVABLE = ("ACTIVE", "PAUSED")


class Away(NamedTuple):
    """A server and the host that it migrates to."""

    server: Server
    target: str


def place(
    world: GpuWorld, host: str, pool: Aggregate | None, leaving: frozenset[str]
) -> list[Away]:
    """Find a place for each server of a host: the largest first, where it fits most tightly.

    Hosts that are ``leaving`` the pool too are no place.

    Raises:
        Conflict: a server can't be migrated live, or has no place; names all of them.
    """
    servers = sorted(
        world.servers_of.get(host, ()), key=lambda s: (-world.gpus(s).number, s.name, s.id)
    )
    free = _free(world, pool, {host, *leaving})
    away: list[Away] = []
    stuck = []
    for server in servers:
        problem = _problem(server)
        need = world.gpus(server).number
        room = [(left, name) for name, left in free.items() if left >= need]
        if problem or not room:
            stuck.append(f"{server.name} ({problem or _no_room(need, pool)})")
            continue
        _, target = min(room)
        free[target] -= need
        away.append(Away(server, target))
    if stuck:
        raise Conflict(
            f"it can't be drained: {'; '.join(stuck)}",
            on=f"host {host!r}",
            hint="Stop or move those servers yourself, then run again.",
        )
    return away


def _free(world: GpuWorld, pool: Aggregate | None, without: set[str]) -> dict[str, int]:
    """Return the free GPUs of the pool's other hosts that take servers."""
    free = {}
    for name in pool.hosts if pool else ():
        compute = world.computes.get(name)
        capacity, _ = gpu_capacity(world, name)
        if name in without or capacity is None:
            continue
        if compute and compute.up and compute.enabled:
            free[name] = capacity - gpus_used(world, name).number
    return free


def _problem(server: Server) -> str:
    if server.locked:
        return "it is locked"
    if server.task_state:
        return f"it is busy: {server.task_state}"
    if server.status not in _MOVABLE:
        return f"it is {server.status}, and only running servers migrate live"
    return ""


def _no_room(need: int, pool: Aggregate | None) -> str:
    if pool is None:
        return "the host is in no pool"
    return f"no other host of {pool.name} has {need} GPUs free" if need else "no other host is up"
