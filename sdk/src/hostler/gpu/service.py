# SPDX-License-Identifier: Apache-2.0
"""fleet.gpu: overviews of GPU hosts, and what is done to them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from hostler.errors import HostlerError, InvalidInput, NotFound
from hostler.gpu import overview
from hostler.gpu.names import (
    aggregate_named,
    contract_named,
    known_host,
    known_pool,
    known_type,
    known_variant,
)
from hostler.gpu.observe import observe, project_names
from hostler.gpu.target import advise
from hostler.models.gpu import (
    AggregateView,
    GpuHost,
    GpuOverview,
    GpuType,
    HostServers,
    HostStatus,
    PoolView,
    TargetAdvice,
)
from hostler.models.gpu_config import Pool
from hostler.models.netbox import NetboxHost

if TYPE_CHECKING:
    from hostler.fleet import Fleet
    from hostler.gpu.migrations import Migrations
    from hostler.gpu.pools import Pools
    from hostler.gpu.world import GpuWorld


class Gpu:
    """GPU hosts in OpenStack's aggregates."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    @cached_property
    def migrations(self) -> Migrations:
        """Moves of hosts between aggregates."""
        from hostler.gpu.migrations import Migrations

        return Migrations(self._fleet)

    @cached_property
    def pools(self) -> Pools:
        """Pools as they should be."""
        from hostler.gpu.pools import Pools

        return Pools(self._fleet)

    def observe(self, *, flavors: bool = False) -> GpuWorld:
        """Read all that is known about GPU hosts; other methods take it to read nothing twice.

        Raises:
            Denied: the cloud's user is no administrator.
            HostlerError: a service does not answer.
        """
        return observe(
            self._fleet.openstack_cloud(),
            self._fleet.config.gpu,
            self._ask_netbox if self._fleet.netbox else None,
            flavors=flavors,
        )

    def types(self, world: GpuWorld | None = None) -> list[GpuType]:
        """Return the GPU types and the aggregates of each by pool."""
        return overview.gpu_types(world or self.observe())

    def aggregates(
        self,
        world: GpuWorld | None = None,
        *,
        gpu_type: str | None = None,
        pool: Pool | None = None,
        contract: str | None = None,
        name: str | None = None,
    ) -> list[AggregateView]:
        """Return aggregates with their hosts, those that fit the filters.

        Args:
            world: what was read before.
            gpu_type: only of this type.
            pool: only of this pool.
            contract: only of this contract: the aggregate's name, or what follows ``Contract-``.
            name: only the aggregate of this name.

        Raises:
            NotFound: there is no such type, contract or aggregate.
        """
        world = world or self.observe()
        gpu_type = None if gpu_type is None else known_type(world, gpu_type)
        wanted = [] if name is None else [aggregate_named(world, name).name]
        wanted += [] if contract is None else [contract_named(world, contract)]
        found = [
            view
            for view in overview.aggregate_views(world)
            if gpu_type in (None, view.gpu_type)
            and pool in (None, view.pool)
            and all(one == view.name for one in wanted)
        ]
        if wanted and not found:
            raise NotFound("it does not fit the other filters", on=f"aggregate {wanted[0]!r}")
        return found

    def overview(self, gpu_type: str, world: GpuWorld | None = None) -> GpuOverview:
        """Return all pools of a GPU type.

        Raises:
            NotFound: no aggregate names that type.
        """
        world = world or self.observe()
        gpu_type = known_type(world, gpu_type)
        return overview.gpu_overview(gpu_type, overview.aggregate_views(world))

    def pool(self, gpu_type: str, pool: Pool, world: GpuWorld | None = None) -> PoolView:
        """Return one pool of a GPU type.

        Raises:
            InvalidInput: there is no such pool.
            NotFound: no aggregate names that type, or none is of that pool.
        """
        found = self.aggregates(world, gpu_type=gpu_type, pool=known_pool(pool))
        view = overview.pool_view(pool, found)
        if view is None:
            raise NotFound(f"GPU type {gpu_type!r} has no aggregate of the pool {pool}")
        return view

    def contracts(self, gpu_type: str, world: GpuWorld | None = None) -> list[AggregateView]:
        """Return the contract aggregates of a GPU type.

        Raises:
            NotFound: no aggregate names that type.
        """
        return self.aggregates(world, gpu_type=gpu_type, pool="contract")

    def unclassified(self, world: GpuWorld | None = None) -> list[str]:
        """Return the names of aggregates of which pool or GPU type is not known."""
        return overview.unclassified(world or self.observe())

    def hosts(
        self,
        world: GpuWorld | None = None,
        *,
        gpu_type: str | None = None,
        pool: Pool | None = None,
        status: HostStatus | None = None,
    ) -> list[GpuHost]:
        """Return the GPU hosts, those in no pool too, by name.

        Args:
            world: what was read before.
            gpu_type: only of this type.
            pool: only of this pool; a host in several is of each.
            status: only of this status.

        Raises:
            InvalidInput: there is no such pool.
            NotFound: no aggregate names that type.
        """
        world = world or self.observe()
        gpu_type = None if gpu_type is None else known_type(world, gpu_type)
        pool = None if pool is None else known_pool(pool)
        return [
            host
            for host in overview.gpu_hosts(world)
            if gpu_type in (None, host.gpu_type)
            and (pool is None or pool in host.pools)
            and status in (None, host.status)
        ]

    def in_no_pool(self, world: GpuWorld | None = None) -> list[str]:
        """Return the names of hosts that have GPUs and are in no pool: nobody can use them."""
        return overview.in_no_pool(world or self.observe())

    def host_vms(self, hostname: str, world: GpuWorld | None = None) -> HostServers:
        """Return the servers of a host.

        Raises:
            NotFound: there is no such host.
        """
        world = world or self.observe()
        known_host(world, hostname)
        names, _ = project_names(self._fleet.openstack_cloud())
        servers = overview.host_servers(world, hostname, world.servers, names)
        return HostServers(hostname=hostname, vms=servers, total_vms=len(servers))

    def target(
        self,
        hostname: str,
        gpu_type: str | None = None,
        pool: Pool | None = None,
        variant: str | None = None,
        world: GpuWorld | None = None,
    ) -> TargetAdvice:
        """Return the best aggregate for a host, why, and the others that were considered.

        Args:
            hostname: the host's name, as Nova spells it.
            gpu_type: the type that its GPUs are expected to be.
            pool: only an aggregate of this pool; contracts are left out unless asked for.
            variant: only an aggregate of this variant, such as ``NVLink``.
            world: what was read before, with flavors.

        Raises:
            InvalidInput: there is no such pool.
            NotFound: there is no such host, type or variant.
            Conflict: its GPUs are of another type.
        """
        world = world or self.observe(flavors=True)
        return advise(
            world,
            hostname,
            gpu_type=None if gpu_type is None else known_type(world, gpu_type),
            pool=None if pool is None else known_pool(pool),
            variant=None if variant is None else known_variant(world, variant),
        )

    def _ask_netbox(self, names: Iterable[str]) -> tuple[dict[str, NetboxHost], list[str]]:
        """Ask NetBox for hosts; unless it is required, its failure is a warning."""
        netbox = self._fleet.netbox
        if netbox is None:
            return {}, []
        try:
            return netbox.hosts(names)
        except InvalidInput:
            raise
        except HostlerError as error:
            if netbox.config.required:
                raise
            return {}, [f"Tenants and owner groups are not known: {error}"]
