# SPDX-License-Identifier: Apache-2.0
"""GPU hosts, pools and overviews as they were found; what could not be found out is None."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from hostler.models.gpu_config import Pool

HostStatus = Literal["active", "disabled", "down", "unknown"]
"""``disabled``: its compute service takes no servers; ``down``: it does not report."""
STATUSES: tuple[HostStatus, ...] = ("active", "disabled", "down", "unknown")

UseSource = Literal["flavor", "flavor_name", "placement"]
CapacitySource = Literal["placement", "config"]


class View(BaseModel):
    """Base of what is observed."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


class Classified(View):
    """What an aggregate's name says: all None where no pattern matches (unclassified)."""

    pool: Pool | None = None
    gpu_type: str | None = None
    variant: str | None = None
    contract: str | None = None


class GpuTypeAggregates(View):
    """Names of the aggregates of a GPU type by pool."""

    ondemand: list[str] = []
    spot: list[str] = []
    runpod: list[str] = []
    contracts: list[str] = []


class GpuType(View):
    """A GPU type that aggregates exist for."""

    name: str
    display_name: str
    aggregates: GpuTypeAggregates


class GpuSummary(View):
    """GPUs in use; ``gpu_usage_ratio`` is ``used/capacity``, the percentage has two decimals.

    Where the capacity of a host is not known, neither is the sum's.
    """

    hosts: int
    gpu_used: int
    gpu_capacity: int | None
    gpu_usage_ratio: str | None
    gpu_usage_percentage: float | None


class GpuHost(View):
    """A GPU host.

    Attributes:
        status: of its compute service.
        disabled_reason: why it takes no servers.
        pool: the one that it is in; None where it is in none, or in several ``pools``.
        gpu_used_source: where the figure comes from: what its servers' flavors ask for, their
            names (``x8``) where they ask for nothing, or placement where that knows of more.
        gpu_capacity_source: placement's inventory, or fleet.yml.
        nvlink: whether it has NVLink, by NetBox.
        tenant, owner_group, site, netbox_status: by NetBox.
    """

    hostname: str
    status: HostStatus
    disabled_reason: str | None = None
    gpu_type: str | None = None
    pool: Pool | None = None
    pools: list[Pool] = []
    variant: str | None = None
    aggregates: list[str] = []
    availability_zone: str | None = None
    vm_count: int
    has_vms: bool
    gpu_used: int
    gpu_used_source: UseSource
    gpu_capacity: int | None = None
    gpu_capacity_source: CapacitySource | None = None
    gpu_usage_ratio: str | None = None
    nvlink: bool | None = None
    tenant: str | None = None
    owner_group: str | None = None
    site: str | None = None
    netbox_status: str | None = None


class TenantInfo(View):
    """Whom a contract aggregate's hosts belong to, by NetBox: the tenant of most of them."""

    primary_tenant: str | None = None
    owner_group: str | None = None


class AggregateView(View):
    """A host aggregate; ``name`` and ``aggregate`` are the same."""

    id: int
    name: str
    aggregate: str
    pool: Pool | None = None
    gpu_type: str | None = None
    variant: str | None = None
    contract: str | None = None
    availability_zone: str | None = None
    metadata: dict[str, str] = {}
    hosts: list[GpuHost] = []
    gpu_summary: GpuSummary
    tenant_info: TenantInfo | None = None


class PoolView(View):
    """One pool of a GPU type: all its variants together, and each by itself.

    ``name`` is the aggregate without a variant, or the first one.
    """

    name: str
    pool: Pool
    hosts: list[GpuHost]
    gpu_summary: GpuSummary
    variants: list[AggregateView]


class GpuOverview(View):
    """All pools of a GPU type; a pool that has no aggregate is None."""

    gpu_type: str
    ondemand: PoolView | None = None
    spot: PoolView | None = None
    runpod: PoolView | None = None
    contracts: list[AggregateView] = []
    gpu_overview: GpuSummary


class HostServers(View):
    """The servers of a host."""

    hostname: str
    vms: list[HostServer]
    total_vms: int


class HostServer(View):
    """A server on a GPU host; ``tenant`` is its project's name."""

    id: str
    name: str
    status: str
    task_state: str | None = None
    flavor: str
    gpus: int
    tenant: str | None = None
    tenant_id: str
    image: str | None = None
    created: str
    updated: str | None = None


class Target(View):
    """An aggregate that a host could go to, and what speaks for and against it."""

    aggregate: str
    pool: Pool | None
    variant: str | None
    suitable: bool
    reasons: list[str]


class TargetAdvice(View):
    """Where a host should go; ``recommended_aggregate`` is None where nothing is suitable."""

    hostname: str
    gpu_type: str | None
    current_aggregate: str | None
    recommended_aggregate: str | None
    reasoning: str
    alternatives: list[Target]
