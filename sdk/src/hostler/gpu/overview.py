# SPDX-License-Identifier: Apache-2.0
"""Overviews of GPU types, pools, aggregates and hosts. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from hostler.gpu.classify import one_of
from hostler.gpu.counting import RELEASED, Gpus
from hostler.gpu.world import GpuWorld
from hostler.models.gpu import (
    AggregateView,
    CapacitySource,
    GpuHost,
    GpuOverview,
    GpuSummary,
    GpuType,
    GpuTypeAggregates,
    HostServer,
    HostStatus,
    PoolView,
    TenantInfo,
)
from hostler.models.gpu_config import POOLS, Pool
from hostler.models.nova import Aggregate, Compute, Server

_KEYS = {"ondemand": "ondemand", "spot": "spot", "runpod": "runpod", "contract": "contracts"}


def gpu_types(world: GpuWorld) -> list[GpuType]:
    """Return the GPU types that classified aggregates name, empty pools too."""
    by_type: dict[str, dict[str, list[str]]] = {}
    for name, found in sorted(world.classes.items()):
        if found.pool and found.gpu_type:
            pools = by_type.setdefault(found.gpu_type, {})
            pools.setdefault(_KEYS[found.pool], []).append(name)
    return [
        GpuType(name=name, display_name=name, aggregates=GpuTypeAggregates.model_validate(pools))
        for name, pools in sorted(by_type.items())
    ]


def unclassified(world: GpuWorld) -> list[str]:
    """Return the aggregates of which the name does not say what they are: pool or GPU type."""
    return sorted(n for n, found in world.classes.items() if not (found.pool and found.gpu_type))


def aggregate_views(world: GpuWorld) -> list[AggregateView]:
    """Return all aggregates, by name."""
    hosts = host_views(world)
    return [_aggregate(world, a, hosts) for a in sorted(world.aggregates, key=lambda a: a.name)]


def gpu_overview(gpu_type: str, aggregates: Sequence[AggregateView]) -> GpuOverview:
    """Return the overview of one GPU type."""
    of_type = [a for a in aggregates if a.gpu_type == gpu_type and a.pool]
    pools = {pool: pool_view(pool, of_type) for pool in POOLS if pool != "contract"}
    hosts = {host.hostname: host for aggregate in of_type for host in aggregate.hosts}
    return GpuOverview(
        gpu_type=gpu_type,
        contracts=[a for a in of_type if a.pool == "contract"],
        gpu_overview=summary(hosts.values()),
        **pools,
    )


def pool_view(pool: Pool, aggregates: Sequence[AggregateView]) -> PoolView | None:
    """Return one pool of the aggregates of a GPU type; None where it has none."""
    variants = sorted(
        (a for a in aggregates if a.pool == pool), key=lambda a: (a.variant or "", a.name)
    )
    if not variants:
        return None
    hosts = {host.hostname: host for variant in variants for host in variant.hosts}
    return PoolView(
        name=variants[0].name,
        pool=pool,
        hosts=list(hosts.values()),
        gpu_summary=summary(hosts.values()),
        variants=variants,
    )


def summary(hosts: Iterable[GpuHost]) -> GpuSummary:
    """Sum hosts up; what is not known of one is not known of the sum."""
    listed = list(hosts)
    used = sum(host.gpu_used for host in listed)
    known = [host.gpu_capacity for host in listed if host.gpu_capacity is not None]
    capacity = sum(known) if len(known) == len(listed) else None
    return GpuSummary(
        hosts=len(listed),
        gpu_used=used,
        gpu_capacity=capacity,
        gpu_usage_ratio=_ratio(used, capacity),
        gpu_usage_percentage=round(100 * used / capacity, 2) if capacity else None,
    )


def host_views(world: GpuWorld) -> dict[str, GpuHost]:
    """Return every host that is in an aggregate."""
    return {name: host_view(world, name) for name in sorted(world.aggregates_of)}


def gpu_hosts(world: GpuWorld) -> list[GpuHost]:
    """Return every GPU host, by name: those in a pool, and those of which placement knows GPUs."""
    names = sorted({*world.computes, *world.aggregates_of})
    return [host_view(world, n) for n in names if world.pools_of(n) or world.amounts_of(n)]


def in_no_pool(world: GpuWorld) -> list[str]:
    """Return the names of hosts that have GPUs and are in no pool: nobody can use them."""
    return [host.hostname for host in gpu_hosts(world) if not host.pools]


def host_view(world: GpuWorld, name: str) -> GpuHost:
    """Return one host."""
    compute = world.computes.get(name)
    pools = world.pools_of(name)
    classes = [world.classes[pool.name] for pool in pools]
    servers = world.servers_of.get(name, [])
    used = gpus_used(world, name)
    capacity, source = gpu_capacity(world, name)
    netbox = world.netbox.get(name)
    return GpuHost(
        hostname=name,
        status=_status(compute),
        disabled_reason=compute.disabled_reason if compute else None,
        gpu_type=host_type(world, name),
        pool=classes[0].pool if len(pools) == 1 else None,
        pools=world.pool_names(name),
        variant=classes[0].variant if len(pools) == 1 else None,
        aggregates=[aggregate.name for aggregate in world.aggregates_of.get(name, ())],
        availability_zone=zone_of(world, name),
        vm_count=len(servers),
        has_vms=bool(servers),
        gpu_used=used.number,
        gpu_used_source=used.source,
        gpu_capacity=capacity,
        gpu_capacity_source=source,
        gpu_usage_ratio=_ratio(used.number, capacity),
        nvlink=netbox.nvlink if netbox else None,
        tenant=netbox.tenant if netbox else None,
        owner_group=netbox.owner_group if netbox else None,
        site=netbox.site if netbox else None,
        netbox_status=netbox.status if netbox else None,
    )


def host_type(world: GpuWorld, host: str) -> str | None:
    """Return a host's GPU type: as its pools say, else as placement's resource classes do."""
    by_pools = one_of(world.classes[pool.name].gpu_type for pool in world.pools_of(host))
    if by_pools:
        return by_pools
    return one_of(world.counter.type_of(name) for name in world.amounts_of(host) or ())


def gpus_used(world: GpuWorld, host: str) -> Gpus:
    """Return a host's GPUs in use: the sum over its servers, or placement's where that is more."""
    each = [world.gpus(server) for server in world.servers_of.get(host, ())]
    total = sum(gpus.number for gpus in each)
    placed = sum(amount.used for amount in (world.amounts_of(host) or {}).values())
    if placed > total:
        return Gpus(placed, "placement")
    named = any(gpus.source == "flavor_name" for gpus in each)
    return Gpus(total, "flavor_name" if named else "flavor")


def gpu_capacity(world: GpuWorld, host: str) -> tuple[int | None, CapacitySource | None]:
    """Return a host's GPUs and who says so: placement, else the configuration, else nobody."""
    if amounts := world.amounts_of(host):
        return sum(amount.capacity for amount in amounts.values()), "placement"
    configured = world.config.capacity.get(host_type(world, host) or "")
    return (configured, "config") if configured else (None, None)


def zone_of(world: GpuWorld, host: str) -> str | None:
    """Return a host's availability zone; all its aggregates that name one name the same."""
    return min((a.zone for a in world.aggregates_of.get(host, ()) if a.zone), default=None)


def host_servers(
    world: GpuWorld, host: str, servers: Iterable[Server], projects: Mapping[str, str]
) -> list[HostServer]:
    """Return the servers of a host, by name."""
    return [
        HostServer(
            id=server.id,
            name=server.name,
            status=server.status,
            task_state=server.task_state,
            flavor=server.flavor,
            gpus=world.gpus(server).number,
            tenant=projects.get(server.project),
            tenant_id=server.project,
            image=server.image,
            created=server.created,
            updated=server.updated,
        )
        for server in sorted(servers, key=lambda server: server.name)
        if server.host == host and server.status not in RELEASED
    ]


def _aggregate(
    world: GpuWorld, aggregate: Aggregate, hosts: Mapping[str, GpuHost]
) -> AggregateView:
    found = world.classes[aggregate.name]
    members = [hosts[name] for name in sorted(aggregate.hosts)]
    return AggregateView(
        id=aggregate.id,
        name=aggregate.name,
        aggregate=aggregate.name,
        pool=found.pool,
        gpu_type=found.gpu_type,
        variant=found.variant,
        contract=found.contract,
        availability_zone=aggregate.zone,
        metadata=dict(aggregate.metadata),
        hosts=members,
        gpu_summary=summary(members),
        tenant_info=_tenant(members) if found.pool == "contract" else None,
    )


def _tenant(hosts: Sequence[GpuHost]) -> TenantInfo:
    """Return the tenant of most hosts, the first by name among equals."""
    counts = Counter(host.tenant for host in hosts if host.tenant)
    if not counts:
        return TenantInfo()
    tenant = min(counts, key=lambda name: (-counts[name], name))
    group = next(host.owner_group for host in hosts if host.tenant == tenant)
    return TenantInfo(primary_tenant=tenant, owner_group=group)


def _status(compute: Compute | None) -> HostStatus:
    if compute is None:
        return "unknown"
    if not compute.up:
        return "down"
    return "active" if compute.enabled else "disabled"


def _ratio(used: int, capacity: int | None) -> str | None:
    return None if capacity is None else f"{used}/{capacity}"
