# SPDX-License-Identifier: Apache-2.0
"""Whether hosts can be brought into pools, and what that takes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import NamedTuple

from hostler.config import Policy
from hostler.errors import HostlerError
from hostler.gpu.overview import gpus_used, host_view
from hostler.gpu.planner.migration import plan_migration
from hostler.gpu.target import advise
from hostler.gpu.world import GpuWorld
from hostler.models.gpu import Target
from hostler.models.gpu_config import POOLS, Pool
from hostler.models.gpu_pool import GpuPoolTask
from hostler.models.migration import MigrationTask

_MANY = 10**9  # more than any part of a cost sums up to


class Way(NamedTuple):
    """A host's way into a pool.

    Attributes:
        cost: the order in which ways are preferred, also in sums: as few hosts as can be that are
            down or disabled; as few moves as can be; as few servers as can be that migrate; hosts
            of pools before those in none; hosts that keep their variant; the fewest GPUs in use;
            then by name.
    """

    pool: str
    move: MigrationTask
    cost: int
    warnings: tuple[str, ...]


class Ways:
    """The ways of hosts into pools, each looked at when first asked for.

    Args:
        pools: the names of each pool's aggregates.
        now: the pool that each host is in, or is counted to.
    """

    def __init__(
        self,
        world: GpuWorld,
        task: GpuPoolTask,
        policy: Policy,
        pools: Mapping[str, frozenset[str]],
        now: Mapping[str, str],
    ) -> None:
        self.world, self.task, self.policy = world, task, policy
        self._pools, self._now = pools, now
        self._rank = {host: number for number, host in enumerate(sorted(now))}
        self._known: dict[tuple[str, str], Way | str] = {}
        self._barred: dict[str, str] = {}

    def way(self, host: str, pool: str) -> Way | str:
        """Return a host's way into a pool that it is not in; where there is none, why."""
        if host in self._barred:
            return self._barred[host]
        if (host, pool) not in self._known:
            self._known[host, pool] = self._find(host, pool)
        return self._known[host, pool]

    def cost(self, host: str, pool: str) -> int | None:
        """Return what it takes to have a host in a pool: None where that can't be."""
        if pool == self._now[host]:
            return 0
        way = self.way(host, pool)
        return None if isinstance(way, str) else way.cost

    def bar(self, host: str, reason: str) -> None:
        """Leave a host where it is."""
        self._barred[host] = reason

    def _find(self, host: str, pool: str) -> Way | str:
        world, task = self.world, self.task
        servers = len(world.servers_of.get(host, ()))
        if servers and not task.drain:
            return "1 server" if servers == 1 else f"{servers} servers"
        target = self._target(host, pool)
        if isinstance(target, str):
            return target
        move = MigrationTask(
            host=host,
            target=target.aggregate,
            drain=task.drain,
            disable_compute=task.disable_compute,
            override_protection=task.override_protection,
        )
        try:
            plan_migration(world, move, self.policy, frozenset({host}))
        except HostlerError as error:
            return error.what
        return Way(pool, move, self._cost(host, target, servers), self._warnings(host, pool))

    def _target(self, host: str, pool: str) -> Target | str:
        """Return the best of a pool's aggregates for a host; where none suits it, why."""
        names = self._pools.get(pool, frozenset())
        of_pool: Pool = next((known for known in POOLS if known == pool), "contract")
        advice = advise(
            self.world, host, pool=of_pool, variant=self.task.variant, drained=self.task.drain
        )
        looked_at = [one for one in advice.alternatives if one.aggregate in names]
        suitable = [one for one in looked_at if one.suitable]
        if suitable:
            return suitable[0]
        reasons = [f"{one.aggregate}: {', '.join(one.reasons)}" for one in looked_at]
        return "; ".join(reasons) or f"no aggregate of {pool} is for it"

    def _cost(self, host: str, target: Target, servers: int) -> int:
        world = self.world
        here = {world.classes[a.name].variant for a in world.pools_of(host)}
        parts = (
            host_view(world, host).status != "active",
            1,
            servers,
            not here,
            bool(here) and here != {target.variant},
            gpus_used(world, host).number,
            self._rank[host],
        )
        return reduce(lambda total, part: total * _MANY + part, parts, 0)

    def _warnings(self, host: str, pool: str) -> tuple[str, ...]:
        status = host_view(self.world, host).status
        found = []
        if status != "active":
            found.append(f"Host {host} is {status}, and moved as no other one can be.")
        if not self.world.pools_of(host):
            found.append(f"Host {host} is in no pool so far, and used for {pool}.")
        return tuple(found)
