# SPDX-License-Identifier: Apache-2.0
"""Overviews: sums are true, and what is not known stays unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostler.gpu import overview
from hostler.gpu.world import GpuWorld
from hostler.models.gpu import AggregateView, GpuHost
from hostler.models.gpu_config import GpuConfig
from hostler.models.netbox import NetboxHost
from hostler.models.nova import Aggregate, Server

from .worlds import Amounts, aggregate, compute, server, world

L40 = {"CUSTOM_GPU_L40": (8, 0)}


def view(found: GpuWorld, name: str) -> AggregateView:
    return next(view for view in overview.aggregate_views(found) if view.name == name)


def figures(host: GpuHost) -> tuple[object, ...]:
    return host.gpu_used, host.gpu_used_source, host.gpu_capacity, host.gpu_capacity_source


# One host: what it has and who says so.

FIGURES = [
    # servers' flavors, placement, configured capacity -> used, source, capacity, source
    ([], L40, None, (0, "flavor", 8, "placement")),
    (["n3-L40x4", "n3-L40x1"], L40, None, (5, "flavor_name", 8, "placement")),
    (["n3-L40x4"], {"CUSTOM_GPU_L40": (8, 6)}, None, (6, "placement", 8, "placement")),
    (["n3-L40x4"], L40, 10, (4, "flavor_name", 8, "placement")),
    (["n3-L40x4"], {}, 10, (4, "flavor_name", 10, "config")),
    (["n3-L40x4"], {"VCPU": (64, 64), "MEMORY_MB": (1, 1)}, None, (4, "flavor_name", None, None)),
    (["n3-cpu-x16-large"], L40, None, (0, "flavor", 8, "placement")),
    # PCI devices are children of the host in placement, each counts
    ([], {"CUSTOM_PCI_10DE_26B9": (8, 2)}, None, (2, "placement", 8, "placement")),
    ([], {"VGPU": (4, 1), "PGPU": (4, 2)}, None, (3, "placement", 8, "placement")),
]


@pytest.mark.parametrize(("flavors", "amounts", "configured", "expected"), FIGURES)
def test_figures_say_their_source(
    flavors: list[str], amounts: Amounts, configured: int | None, expected: tuple[object, ...]
) -> None:
    found = world(
        aggregate("L40-n3", "h1"),
        servers=tuple(server("h1", flavor) for flavor in flavors),
        amounts={"h1": amounts},
        config=GpuConfig(capacity={"L40": configured} if configured else {}),
    )
    assert figures(overview.host_view(found, "h1")) == expected


@pytest.mark.parametrize(
    ("status", "holds"),
    [
        ("ACTIVE", True),
        ("SHUTOFF", True),
        ("ERROR", True),
        ("BUILD", True),
        ("PAUSED", True),
        ("SHELVED", True),
        ("SOFT_DELETED", True),
        ("SHELVED_OFFLOADED", False),
        ("DELETED", False),
    ],
)
def test_which_servers_hold_their_gpus(status: str, *, holds: bool) -> None:
    found = world(aggregate("L40-n3", "h1"), servers=(server("h1", "n3-L40x4", status=status),))
    host = overview.host_view(found, "h1")
    assert (host.vm_count, host.gpu_used, host.has_vms) == (
        (1, 4, True) if holds else (0, 0, False)
    )


def test_flavors_are_asked_before_their_names() -> None:
    specs = {"resources:CUSTOM_GPU_L40": "2"}
    found = world(aggregate("L40-n3", "h1"), servers=(server("h1", "n3-L40x8", specs=specs),))
    assert figures(overview.host_view(found, "h1"))[:2] == (2, "flavor")


@pytest.mark.parametrize(
    ("up", "enabled", "status"),
    [
        (True, True, "active"),
        (True, False, "disabled"),
        (False, True, "down"),
        (False, False, "down"),
    ],
)
def test_status_is_the_compute_services(status: str, *, up: bool, enabled: bool) -> None:
    one = compute("h1", up=up, enabled=enabled, reason="broken fan")
    host = overview.host_view(world(aggregate("L40-n3", "h1"), computes=(one,)), "h1")
    assert (host.status, host.disabled_reason) == (status, "broken fan")


def test_a_host_without_a_compute_service_is_unknown() -> None:
    host = overview.host_view(world(aggregate("L40-n3", "h1"), computes=()), "h1")
    assert (host.status, host.gpu_capacity, host.gpu_usage_ratio) == ("unknown", None, None)


def test_netbox_tells_whose_a_host_is() -> None:
    known = NetboxHost(name="h1", tenant="acme", owner_group="Investors", nvlink=True, site="ca1")
    found = world(aggregate("L40-n3", "h1", "h2"), netbox={"h1": known})
    hosts = overview.host_views(found)
    assert (hosts["h1"].tenant, hosts["h1"].owner_group, hosts["h1"].nvlink) == (
        *("acme", "Investors", True),
    )
    assert (hosts["h2"].tenant, hosts["h2"].owner_group, hosts["h2"].nvlink) == (None, None, None)


# Hosts in several aggregates.


def test_a_host_in_three_aggregates_is_of_no_one_pool_and_counts_once() -> None:
    found = world(
        aggregate("L40-n3", "h1"),
        aggregate("L40-n3-spot", "h1", "h2"),
        aggregate("L40-n3-runpod", "h1"),
        amounts={"h1": L40, "h2": L40},
    )
    host = overview.host_view(found, "h1")
    assert (host.pool, host.gpu_type) == (None, "L40")
    assert host.pools == ["ondemand", "spot", "runpod"]
    assert host.aggregates == ["L40-n3", "L40-n3-spot", "L40-n3-runpod"]
    whole = overview.gpu_overview("L40", overview.aggregate_views(found))
    assert (whole.gpu_overview.hosts, whole.gpu_overview.gpu_capacity) == (2, 16)


def test_an_aggregate_that_is_no_pool_changes_nothing() -> None:
    found = world(
        aggregate("misc-n2", "h1", zone="az-1"), aggregate("L40-n3", "h1"), amounts={"h1": L40}
    )
    host = overview.host_view(found, "h1")
    assert (host.pool, host.aggregates, host.availability_zone) == (
        *("ondemand", ["misc-n2", "L40-n3"], "az-1"),
    )
    assert overview.unclassified(found) == ["misc-n2"]


def test_the_type_is_the_pools_else_placements() -> None:
    amounts: dict[str, Amounts] = {"h1": L40, "h2": L40, "h3": {"CUSTOM_PCI_10DE_1": (8, 0)}}
    found = world(
        aggregate("H100-n3", "h1"),
        aggregate("misc", "h2", "h3"),
        aggregate("A100-n3", "h4"),
        aggregate("A40-n3", "h4"),
        amounts=amounts,
    )
    types = {name: overview.host_type(found, name) for name in ("h1", "h2", "h3", "h4")}
    assert types == {"h1": "H100", "h2": "L40", "h3": None, "h4": None}


def test_hosts_with_gpus_in_no_pool_are_found() -> None:
    found = world(
        aggregate("L40-n3", "h1"),
        aggregate("L40-n3-spot-2", "h2"),
        aggregate("cpu", "c1"),
        computes=tuple(compute(name) for name in ("h1", "h2", "h3", "c1", "c2")),
        amounts={"h2": L40, "h3": L40, "c1": {"VCPU": (64, 0)}},
    )
    assert [host.hostname for host in overview.gpu_hosts(found)] == ["h1", "h2", "h3"]
    assert overview.in_no_pool(found) == ["h2", "h3"]


# Pools and types.


def test_empty_pools_are_visible() -> None:
    found = world(aggregate("L40-n3", "h1"), aggregate("L40-n3-spot"), amounts={"h1": L40})
    (gpu_type,) = overview.gpu_types(found)
    assert gpu_type.aggregates.spot == ["L40-n3-spot"]
    whole = overview.gpu_overview("L40", overview.aggregate_views(found))
    assert whole.spot is not None
    assert (whole.spot.hosts, whole.spot.gpu_summary.gpu_usage_ratio) == ([], "0/0")
    assert whole.spot.gpu_summary.gpu_usage_percentage is None
    assert whole.runpod is None


def test_types_list_their_aggregates_by_pool() -> None:
    names = ("L40-n3-NVLink", "L40-n3", "L40-n3-spot", "Contract-L40-Customer1", "A100-n3-runpod")
    types = overview.gpu_types(world(*(aggregate(name) for name in (*names, "Contract-x", "misc"))))
    assert [one.model_dump() for one in types] == [
        {
            "name": "A100",
            "display_name": "A100",
            "aggregates": {
                "ondemand": [],
                "spot": [],
                "runpod": ["A100-n3-runpod"],
                "contracts": [],
            },
        },
        {
            "name": "L40",
            "display_name": "L40",
            "aggregates": {
                "ondemand": ["L40-n3", "L40-n3-NVLink"],
                "spot": ["L40-n3-spot"],
                "runpod": [],
                "contracts": ["Contract-L40-Customer1"],
            },
        },
    ]


def test_a_contract_without_a_known_type_is_unclassified() -> None:
    found = world(aggregate("Contract-x"), aggregate("misc"), aggregate("L40-n3"))
    assert overview.unclassified(found) == ["Contract-x", "misc"]


def test_a_pool_has_all_its_variants() -> None:
    found = world(
        aggregate("A100-n3-NVLink", "h2"),
        aggregate("A100-n3", "h1"),
        amounts={name: {"CUSTOM_GPU_A100": (8, 2)} for name in ("h1", "h2")},
    )
    pool = overview.pool_view("ondemand", overview.aggregate_views(found))
    assert pool is not None
    assert (pool.name, [v.name for v in pool.variants]) == (
        "A100-n3",
        ["A100-n3", "A100-n3-NVLink"],
    )
    assert [host.hostname for host in pool.hosts] == ["h1", "h2"]
    assert (pool.gpu_summary.gpu_usage_ratio, pool.gpu_summary.gpu_usage_percentage) == (
        *("4/16", 25.0),
    )


def test_an_unknown_capacity_makes_the_sum_unknown() -> None:
    found = world(
        aggregate("L40-n3", "h1", "h2"),
        amounts={"h1": L40},
        servers=(server("h1", "n3-L40x4"), server("h2", "n3-L40x1")),
    )
    summary = view(found, "L40-n3").gpu_summary
    assert (summary.hosts, summary.gpu_used) == (2, 5)
    assert (summary.gpu_capacity, summary.gpu_usage_ratio, summary.gpu_usage_percentage) == (
        *(None, None, None),
    )


@pytest.mark.parametrize(
    ("tenants", "primary", "group"),
    [
        (["b", "a", "b"], "b", "group-b"),
        (["b", "a"], "a", "group-a"),
        ([None, None], None, None),
        ([None, "a"], "a", "group-a"),
        ([], None, None),
    ],
)
def test_a_contract_belongs_to_the_tenant_of_most_hosts(
    tenants: list[str | None], primary: str | None, group: str | None
) -> None:
    names = [f"h{number}" for number in range(len(tenants))]
    netbox = {
        name: NetboxHost(name=name, tenant=tenant, owner_group=tenant and f"group-{tenant}")
        for name, tenant in zip(names, tenants, strict=True)
    }
    found = world(aggregate("Contract-L40-x", *names), aggregate("L40-n3", *names), netbox=netbox)
    info = view(found, "Contract-L40-x").tenant_info
    assert info is not None
    assert (info.primary_tenant, info.owner_group) == (primary, group)
    assert view(found, "L40-n3").tenant_info is None


def test_the_servers_of_a_host() -> None:
    servers = (
        server("h1", "n3-L40x4", name="b", status="SHUTOFF"),
        server("h1", "n3-L40x1", name="a"),
        server("h1", name="gone", status="SHELVED_OFFLOADED"),
        server("h2", name="elsewhere"),
        server(None, name="nowhere"),
    )
    found = world(aggregate("L40-n3", "h1", "h2"), servers=servers)
    listed = overview.host_servers(found, "h1", servers, {"p1": "tenant-a"})
    assert [(one.name, one.status, one.gpus, one.tenant) for one in listed] == [
        ("a", "ACTIVE", 1, "tenant-a"),
        ("b", "SHUTOFF", 4, "tenant-a"),
    ]
    assert overview.host_servers(found, "h1", servers, {})[0].tenant is None


# Whatever there is, the sums are those of the hosts.

HOSTS = st.sampled_from([f"h{number}" for number in range(6)])
POOLS = st.sampled_from(["L40-n3", "L40-n3-spot", "L40-n3-runpod", "Contract-L40-x", "misc"])
SERVERS = st.builds(
    server,
    st.none() | HOSTS,
    st.sampled_from(["n3-L40x1", "n3-L40x8", "n3-cpu-x16-large"]),
    status=st.sampled_from(["ACTIVE", "SHUTOFF", "SHELVED_OFFLOADED"]),
)


@st.composite
def worlds(draw: st.DrawFn) -> GpuWorld:
    members = draw(st.dictionaries(POOLS, st.lists(HOSTS, unique=True)))
    made: list[Aggregate] = [aggregate(name, *hosts) for name, hosts in members.items()]
    servers: list[Server] = draw(st.lists(SERVERS, max_size=8))
    capacity = draw(st.dictionaries(HOSTS, st.integers(1, 10)))
    amounts = {host: {"CUSTOM_GPU_L40": (number, 0)} for host, number in capacity.items()}
    return world(*made, servers=tuple(servers), amounts=amounts)


@given(worlds())
def test_sums_are_those_of_the_hosts(found: GpuWorld) -> None:
    views = overview.aggregate_views(found)
    whole = overview.gpu_overview("L40", views)
    hosts = {host.hostname: host for v in views if v.gpu_type == "L40" for host in v.hosts}
    assert whole.gpu_overview.hosts == len(hosts)
    assert whole.gpu_overview.gpu_used == sum(host.gpu_used for host in hosts.values())
    capacities = [host.gpu_capacity for host in hosts.values()]
    if None in capacities:
        assert whole.gpu_overview.gpu_capacity is None
    else:
        assert whole.gpu_overview.gpu_capacity == sum(filter(None, capacities))


@given(worlds())
def test_nothing_is_left_out(found: GpuWorld) -> None:
    named = {
        name
        for one in overview.gpu_types(found)
        for names in one.aggregates.model_dump().values()
        for name in names
    }
    assert sorted(named | set(overview.unclassified(found))) == sorted(found.by_name)
    pooled = {host for a in found.aggregates if found.classes[a.name].pool for host in a.hosts}
    listed = {host.hostname for host in overview.gpu_hosts(found)}
    assert pooled <= listed
    assert listed - pooled == set(overview.in_no_pool(found))
