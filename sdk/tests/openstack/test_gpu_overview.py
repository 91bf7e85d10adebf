# SPDX-License-Identifier: Apache-2.0
"""GPU types, pools, hosts and targets of a real cloud, in a number of calls that does not grow."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from rigs.openstack.api import Cloud, Json
from rigs.openstack.cloud import AGGREGATES, HOSTS
from rigs.openstack.faults import Faults

from hostler import Fleet
from hostler.errors import NotFound
from hostler.models.gpu import GpuHost

CALLS = {"keystone": 2, "nova": 3, "placement": 2}
"""A version document of each service, the token, and one call for each kind of thing."""

SERVERS = 10


@pytest.fixture(scope="session")
def cloud() -> Cloud:
    """The rig, past our own client."""
    return Cloud()


def act(cloud: Cloud, aggregate: str, action: str, host: str) -> None:
    found = cloud.get("nova", "/v2.1/os-aggregates")["aggregates"]
    id = next(a["id"] for a in found if a["name"] == aggregate)
    cloud.post("nova", f"/v2.1/os-aggregates/{id}/action", {action: {"host": host}})


def service(cloud: Cloud, host: str, change: Json) -> None:
    found = cloud.get("nova", "/v2.1/os-services", binary="nova-compute", host=host)["services"]
    cloud.put("nova", f"/v2.1/os-services/{found[0]['id']}", change)


def host(fleet: Fleet, name: str) -> GpuHost:
    return next(one for one in fleet.gpu.hosts() if one.hostname == name)


# Calls.


@pytest.fixture
def counted(make_fleet: Callable[[str], Fleet], faults: Faults) -> Callable[[], dict[str, int]]:
    """Count the calls that one overview takes, of a program that has just started."""

    def count() -> dict[str, int]:
        faults.clear()
        fleet = make_fleet("box-proxied")
        fleet.gpu.overview("L40")
        return dict(faults.counts())

    return count


def test_an_overview_takes_seven_calls(counted: Callable[[], dict[str, int]]) -> None:
    assert counted() == CALLS
    assert sum(CALLS.values()) == 7


def test_a_second_one_takes_five(proxied_fleet: Fleet, faults: Faults) -> None:
    proxied_fleet.gpu.overview("L40")
    faults.clear()
    proxied_fleet.gpu.overview("A100")
    assert dict(faults.counts()) == {"nova": 3, "placement": 2}


@pytest.mark.usefixtures("changed")
def test_more_hosts_and_servers_take_no_more_calls(
    cloud: Cloud, counted: Callable[[], dict[str, int]], fleet: Fleet
) -> None:
    for aggregate in AGGREGATES:
        for name in set(aggregate.hosts) & {"gpu-host-002", "gpu-host-005", "gpu-host-007"}:
            act(cloud, aggregate.name, "remove_host", name)
    few = fleet.gpu.observe()
    assert len(few.aggregates_of) == len(HOSTS) - 3
    assert counted() == CALLS
    for aggregate in AGGREGATES:
        for name in set(aggregate.hosts) - few.aggregates_of.keys():
            act(cloud, aggregate.name, "add_host", name)
    boot(cloud, SERVERS)
    many = fleet.gpu.observe()
    assert len(many.aggregates_of) == len(HOSTS)
    assert len(many.servers) == len(few.servers) + SERVERS
    assert counted() == CALLS


def boot(cloud: Cloud, number: int) -> None:
    """Boot servers without a network, and wait until they run."""
    flavors = cloud.get("nova", "/v2.1/flavors")["flavors"]
    images = cloud.get("glance", "/v2/images")["images"]
    server = {
        "name": "crowd",
        "imageRef": images[0]["id"],
        "flavorRef": next(f["id"] for f in flavors if f["name"] == "n3-L40x1"),
        "networks": "none",
        "min_count": number,
        "max_count": number,
    }
    cloud.post("nova", "/v2.1/servers", {"server": server})
    end = time.monotonic() + 90
    while True:
        found = cloud.get("nova", "/v2.1/servers/detail", name="crowd")["servers"]
        statuses = [one["status"] for one in found]
        assert "ERROR" not in statuses
        if statuses == ["ACTIVE"] * number:
            return
        assert time.monotonic() < end, statuses
        time.sleep(0.5)


# What is told of the seeded cloud.

SEEDED = {
    "gpu-host-001": ("L40", "ondemand", None, None, 2, 5, "flavor_name", 8),
    "gpu-host-002": ("L40", "ondemand", None, None, 0, 0, "flavor", 8),
    "gpu-host-003": ("L40", "spot", None, None, 1, 8, "flavor", 8),
    "gpu-host-004": ("A100", "ondemand", None, None, 2, 2, "flavor", 8),
    "gpu-host-005": ("A100", "ondemand", "NVLink", None, 0, 0, "flavor", 8),
    "gpu-host-006": ("H100-SXM5", "contract", None, None, 1, 8, "flavor", 8),
    "gpu-host-007": ("RTX-A4000", "ondemand", None, "az-1", 0, 0, "flavor", 10),
    "gpu-host-008": ("RTX-A4000", "spot", None, "az-2", 1, 1, "flavor", 10),
}


def test_hosts(fleet: Fleet) -> None:
    found = {
        one.hostname: (
            one.gpu_type,
            one.pool,
            one.variant,
            one.availability_zone,
            one.vm_count,
            one.gpu_used,
            one.gpu_used_source,
            one.gpu_capacity,
        )
        for one in fleet.gpu.hosts()
    }
    assert found == SEEDED
    assert {one.status for one in fleet.gpu.hosts()} == {"active"}
    assert [one.hostname for one in fleet.gpu.hosts(gpu_type="A4000", pool="spot")] == [
        "gpu-host-008"
    ]
    assert fleet.gpu.hosts(status="down") == []


def test_types_and_what_is_none(fleet: Fleet) -> None:
    world = fleet.gpu.observe()
    types = {one.name: one.aggregates.model_dump() for one in fleet.gpu.types(world)}
    assert sorted(types) == ["A100", "H100-SXM5", "L40", "RTX-A4000"]
    assert types["A100"] == {
        "ondemand": ["A100-n3", "A100-n3-NVLink"],
        "spot": ["A100-n3-NVLink-spot"],
        "runpod": [],
        "contracts": [],
    }
    assert fleet.gpu.unclassified(world) == ["misc-n2"]
    assert fleet.gpu.in_no_pool(world) == []


def test_overview_of_a_type(fleet: Fleet) -> None:
    found = fleet.gpu.overview("L40")
    assert (found.ondemand, found.spot, found.runpod) != (None, None, None)
    assert found.ondemand
    assert found.ondemand.gpu_summary.gpu_usage_ratio == "5/16"
    assert found.ondemand.gpu_summary.gpu_usage_percentage == 31.25
    assert found.runpod
    assert found.runpod.hosts == []
    assert found.gpu_overview.gpu_usage_ratio == "13/24"
    assert fleet.gpu.overview("A4000") == fleet.gpu.overview("RTX-A4000")


def test_a_pool_and_a_contract(fleet: Fleet) -> None:
    pool = fleet.gpu.pool("A100", "ondemand")
    assert [variant.variant for variant in pool.variants] == [None, "NVLink"]
    (contract,) = fleet.gpu.contracts("H100-SXM5")
    assert (contract.contract, contract.gpu_summary.gpu_usage_ratio) == ("Acme-8xH100-SXM5", "8/8")
    assert fleet.gpu.contracts("L40") == []
    for word in ("Acme-8xH100-SXM5", "Contract-Acme-8xH100-SXM5"):
        assert [one.name for one in fleet.gpu.aggregates(contract=word)] == [contract.name]


def test_the_vms_of_a_host(fleet: Fleet) -> None:
    found = fleet.gpu.host_vms("gpu-host-004")
    assert found.total_vms == 2
    assert [(vm.name, vm.status, vm.flavor, vm.gpus, vm.tenant) for vm in found.vms] == [
        ("b-batch-1", "ACTIVE", "n3-cpu-x16-large", 0, "tenant-b"),
        ("b-infer-2", "ACTIVE", "n3-A100x2", 2, "tenant-b"),
    ]
    assert all(vm.created.startswith("20") and vm.id and vm.tenant_id for vm in found.vms)
    assert fleet.gpu.host_vms("gpu-host-002").vms == []


@pytest.mark.usefixtures("changed")
def test_a_host_that_takes_no_servers_or_is_down(fleet: Fleet, cloud: Cloud) -> None:
    service(cloud, "gpu-host-002", {"status": "disabled", "disabled_reason": "broken fan"})
    service(cloud, "gpu-host-003", {"forced_down": True})
    disabled, down = host(fleet, "gpu-host-002"), host(fleet, "gpu-host-003")
    assert (disabled.status, disabled.disabled_reason) == ("disabled", "broken fan")
    assert (down.status, down.gpu_capacity, down.vm_count) == ("down", 8, 1)
    assert [one.hostname for one in fleet.gpu.hosts(status="disabled")] == ["gpu-host-002"]


@pytest.mark.usefixtures("changed")
def test_a_host_in_three_pools_and_one_in_none(fleet: Fleet, cloud: Cloud) -> None:
    act(cloud, "L40-n3-spot", "add_host", "gpu-host-002")
    act(cloud, "L40-n3-runpod", "add_host", "gpu-host-002")
    act(cloud, "A100-n3-NVLink", "remove_host", "gpu-host-005")
    world = fleet.gpu.observe()
    several, none = (fleet.gpu.hosts(world)[index] for index in (1, 4))
    assert (several.hostname, several.pool, several.gpu_type) == ("gpu-host-002", None, "L40")
    assert sorted(several.aggregates) == ["L40-n3", "L40-n3-runpod", "L40-n3-spot"]
    assert fleet.gpu.overview("L40", world).gpu_overview.gpu_capacity == 24
    assert (none.hostname, none.pool, none.gpu_type) == ("gpu-host-005", None, "A100")
    assert fleet.gpu.in_no_pool(world) == ["gpu-host-005"]
    for pool in ("ondemand", "spot", "runpod"):
        assert several in fleet.gpu.hosts(world, pool=pool)
    advice = fleet.gpu.target("gpu-host-002", world=world)
    assert advice.current_aggregate is None
    assert advice.recommended_aggregate == "L40-n3-spot"


# Targets.

TARGETS = [
    ("gpu-host-001", None, "L40-n3", "2 VMs and stays"),
    ("gpu-host-002", None, "L40-n3-spot", "no running VMs, suitable for spot aggregate"),
    ("gpu-host-004", "spot", None, "host has no NVLink"),
    ("gpu-host-005", None, "A100-n3-NVLink-spot", "suitable for spot"),
    ("gpu-host-006", None, "Contract-Acme-8xH100-SXM5", "belongs to the contract"),
    ("gpu-host-007", "spot", "RTX-A4000-n3-spot", "from az-1 to az-2"),
    ("gpu-host-008", "ondemand", None, "needs drain"),
]


@pytest.mark.parametrize(("name", "pool", "target", "why"), TARGETS)
def test_targets(fleet: Fleet, name: str, pool: str | None, target: str | None, why: str) -> None:
    advice = fleet.gpu.target(name, pool=pool)  # type: ignore[arg-type]
    assert advice.recommended_aggregate == target
    assert why in advice.reasoning


@pytest.mark.usefixtures("changed")
def test_an_aggregate_that_no_flavor_finds_is_no_target(fleet: Fleet, cloud: Cloud) -> None:
    for flavor in cloud.get("nova", "/v2.1/flavors")["flavors"]:
        if flavor["name"] == "n3-L40x1":  # the only one for L40 that lands anywhere
            cloud.delete("nova", f"/v2.1/flavors/{flavor['id']}")
    aggregates = cloud.get("nova", "/v2.1/os-aggregates")["aggregates"]
    spot = next(a["id"] for a in aggregates if a["name"] == "L40-n3-spot")
    wrong = {"set_metadata": {"metadata": {"gpu_model": "L4O"}}}
    cloud.post("nova", f"/v2.1/os-aggregates/{spot}/action", wrong)
    advice = fleet.gpu.target("gpu-host-002")
    assert advice.recommended_aggregate == "L40-n3"
    reasons = {one.aggregate: one.reasons for one in advice.alternatives}
    assert "no flavor asks for what its metadata offers" in reasons["L40-n3-spot"]


# Names that are none.


Ask = Callable[[Fleet], object]

NAMES: dict[str, Ask] = {
    "Did you mean 'L40'?": lambda fleet: fleet.gpu.overview("l40"),
    "Did you mean 'gpu-host-001'?": lambda fleet: fleet.gpu.host_vms("GPU-HOST-001"),
    "Did you mean 'L40-n3'?": lambda fleet: fleet.gpu.aggregates(name="l40-N3"),
    "Did you mean 'NVLink'?": lambda fleet: fleet.gpu.target("gpu-host-005", variant="nvlink"),
    "Did you mean 'Acme-8xH100-SXM5'?": lambda fleet: fleet.gpu.aggregates(
        contract="acme-8xH100-SXM5"
    ),
    "Known hosts: gpu-host-001,": lambda fleet: fleet.gpu.target("zzz"),
    "Known types: A100, H100-SXM5,": lambda fleet: fleet.gpu.contracts("zzz"),
}


@pytest.mark.parametrize("hint", NAMES)
def test_names_are_exact(fleet: Fleet, hint: str) -> None:
    with pytest.raises(NotFound) as error:
        NAMES[hint](fleet)
    assert error.value.hint.startswith(hint)
