# SPDX-License-Identifier: Apache-2.0
"""Placement: where a VM goes, why, and why not elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostler.errors import Conflict
from hostler.hosts.placement import (
    Candidate,
    Resident,
    obstacle,
    place,
    place_all,
)
from hostler.models.host_view import Amount, HostInfo, NetworkInfo, PciDevice, PoolInfo
from hostler.models.placement import Claim, Placement, PlacementRequest, PlacementRules
from hostler.models.size import GIB

pytestmark = pytest.mark.slow


def gpu(number: int, model: str = "AD102GL [L40S]", *users: str) -> PciDevice:
    return PciDevice(
        address=f"0000:{number:02x}:00.0",
        kind="3d",
        vendor="NVIDIA Corporation",
        vendor_id="0x10de",
        model=model,
        model_id="0x26b9",
        used_by=list(users),
    )


def host(name: str, **more: Any) -> Candidate:
    """A host of 8 CPUs (16 virtual ones) and 16 GiB; ``vms`` are labels by name."""
    vms, claims, at = more.pop("vms", {}), more.pop("claims", ()), more.pop("at", 0.0)
    cpus, memory = more.pop("taken", (0, 0))
    fields = {
        "status": "active",
        "cpu_cores": 8,
        "memory_mb": 16384,
        "capacity": Amount(cpus=16, memory_mb=16384),
        "allocated": Amount(cpus=cpus, memory_mb=memory),
        "pools": [PoolInfo(name="default", active=True, capacity_gb=100, available_gb=50)],
        "networks": [NetworkInfo(name="lan", active=True)],
        "gpus": [],
        **more,
    }
    info = HostInfo(id=name, uri=f"test:///{name}", **fields)
    return Candidate(info, [Resident(n, labels) for n, labels in vms.items()], claims, at)


def request(**more: Any) -> PlacementRequest:
    rules = {key: more.pop(key) for key in list(more) if key in PlacementRules.model_fields}
    return PlacementRequest.model_validate(
        {"vm": "new", "cpus": 2, "memory": 4 * GIB, "rules": rules, **more}
    )


def claim(vm: str = "other", **more: Any) -> Claim:
    fields = {"id": vm, "host": "a", "vm": vm, "cpus": 1, "memory": GIB, **more}
    return Claim.model_validate(fields)


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [("spread", "b"), ("pack", "a"), ("most_free", "c")],
)
def test_strategies(strategy: str, expected: str) -> None:
    hosts = [
        host("a", vms={"one": {}, "two": {}}, taken=(10, 8192)),
        host("b", taken=(4, 4096)),
        host("c", vms={"three": {}}, taken=(2, 2048)),
    ]
    placement = place(request(strategy=strategy), hosts)
    assert placement.host == expected
    assert sorted(placement.others) == sorted({"a", "b", "c"} - {expected})


def test_it_explains_itself() -> None:
    hosts = [
        host("a", taken=(4, 4096)),
        host("b", vms={"web": {}}, taken=(2, 2048)),
        host("c", status="maintenance"),
        host("d", status="unreachable", reason="no answer"),
    ]
    placement = place(request(), hosts)
    assert placement.reason == (
        "the fewest VMs: has 0 VMs, 38 % of CPUs and 50 % of memory with this one"
    )
    assert placement.others == {
        "b": "has 1 VM, 25 % of CPUs and 38 % of memory with this one",
        "c": "is in maintenance",
        "d": "is unreachable (no answer)",
    }


OBSTACLES: list[tuple[str, dict[str, Any], dict[str, Any], str | None]] = [
    ("fits", {}, {}, None),
    ("disabled", {}, {"status": "disabled"}, "is disabled"),
    ("excluded", {"exclude": {"a": "is the source"}}, {}, "is the source"),
    ("label", {"host_labels": {"tier": "gold"}}, {}, "does not carry tier=gold"),
    (
        "other label",
        {"host_labels": {"tier": "gold"}},
        {"labels": {"tier": "tin"}},
        "does not carry tier=gold",
    ),
    ("any label", {"host_labels": {"tier": "*"}}, {"labels": {"tier": "tin"}}, None),
    ("cpus left", {}, {"taken": (15, 0)}, "has 1 of 16 virtual CPUs left"),
    ("exactly full", {}, {"taken": (14, 12288)}, None),
    ("memory left", {}, {"taken": (0, 12289)}, "has 4095 of 16384 MiB of memory left"),
    ("more CPUs than there are", {"cpus": 9}, {}, "has 8 CPUs, fewer than the VM's 9"),
    (
        "more memory than there is",
        {"memory": 17 * GIB},
        {"capacity": Amount(cpus=16, memory_mb=32768)},
        "has 16384 MiB of memory, less than the VM's 17408",
    ),
    (
        "limit",
        {},
        {"capacity": Amount(cpus=1, memory_mb=16384)},
        "has 1 of 1 virtual CPUs left",
    ),
    ("figures unknown", {}, {"capacity": None}, "has told neither its CPUs nor its memory"),
    ("no such pool", {"pools": {"fast": GIB}}, {}, "has no active storage pool 'fast'"),
    (
        "pool is full",
        {"pools": {"default": 51 * GIB}},
        {},
        "has 50.0 GiB left in pool 'default', less than 51.0",
    ),
    (
        "pool is reserved",
        {"pools": {"default": 20 * GIB}},
        {"claims": [claim(pools={"default": 31 * GIB})]},
        "has 19.0 GiB left in pool 'default', less than 20.0",
    ),
    ("no such network", {"networks": ("lan", "dmz")}, {}, "has no network 'dmz'"),
    (
        "reserved",
        {},
        {"claims": [claim(cpus=15)]},
        "has 1 of 16 virtual CPUs left",
    ),
    (
        "anti-affinity",
        {"anti_affinity": {"app": "db"}},
        {"vms": {"db1": {"app": "db"}}},
        "has a VM with app=db",
    ),
    (
        "anti-affinity with one on the way",
        {"anti_affinity": {"app": "db"}},
        {"claims": [claim(labels={"app": "db"})]},
        "has a VM with app=db",
    ),
    ("affinity", {"affinity": {"app": "db"}}, {"vms": {"w": {}}}, "has no VM with app=db"),
    ("affinity met", {"affinity": {"app": "db"}}, {"vms": {"d": {"app": "db"}}}, None),
]


@pytest.mark.parametrize(
    ("asked", "have", "expected"),
    [case[1:] for case in OBSTACLES],
    ids=[case[0] for case in OBSTACLES],
)
def test_obstacles(asked: dict[str, Any], have: dict[str, Any], expected: str | None) -> None:
    assert obstacle(request(**asked), host("a", **have)) == expected


GPUS = [
    ("*L40S*", 2, ["0000:01:00.0", "0000:03:00.0"]),
    ("*l40s*", 1, ["0000:01:00.0"]),
    ("nvidia*l40s*", 1, ["0000:01:00.0"]),
    ("10de:26b9", 1, ["0000:01:00.0"]),
    ("*h100*", 1, "has 0 of 0 GPUs *h100* free, and the VM wants 1"),
    ("*L40S*", 3, "has 2 of 4 GPUs *L40S* free, and the VM wants 3"),
]


@pytest.mark.parametrize(("model", "count", "expected"), GPUS)
def test_gpus(model: str, count: int, expected: list[str] | str) -> None:
    gpus = [gpu(1), gpu(2, "AD102GL [L40S]", "web"), gpu(3), gpu(4)]
    reserved = claim(gpus=("0000:04:00.0",))
    candidate = host("a", gpus=gpus, claims=[reserved])
    asked = request(gpu={"model": model, "count": count})
    if isinstance(expected, str):
        with pytest.raises(Conflict) as error:
            place(asked, [candidate])
        assert f"a {expected}" in str(error.value)
    else:
        assert place(asked, [candidate]).gpus == expected


def test_the_first_of_a_group_may_go_anywhere() -> None:
    asked = request(affinity={"app": "db"}, labels={"app": "db"})
    later = request(vm="next", affinity={"app": "db"}, labels={"app": "db"}, strategy="spread")
    found = place_all([asked, later], [host("a"), host("b")])
    assert [one.host for one in found if isinstance(one, Placement)] == ["a", "a"]
    with pytest.raises(Conflict, match="has no VM with app=db"):
        place(request(affinity={"app": "db"}), [host("a"), host("b")])


def test_one_of_each_on_each() -> None:
    wanted = [
        request(vm=f"db{n}", labels={"app": "db"}, anti_affinity={"app": "db"}) for n in range(3)
    ]
    found = place_all(wanted, [host("a"), host("b")])
    assert [getattr(one, "host", None) for one in found] == ["a", "b", None]
    assert "a has a VM with app=db; b has a VM with app=db" in str(found[2])


def test_an_empty_pool_is_said() -> None:
    with pytest.raises(Conflict, match="the pool has no hosts"):
        place(request(), [])


@pytest.mark.parametrize(
    ("what", "counts"),
    [
        ({"settled": None}, True),
        ({"settled": 101.0}, True),
        ({"settled": 100.0}, True),
        ({"settled": 99.0}, False),
        ({"settled": None, "vm": "there"}, False),
    ],
)
def test_reservations_count_until_they_are_seen(what: dict[str, Any], counts: bool) -> None:
    candidate = host("a", vms={"there": {}}, claims=[claim(**what)], at=100.0)
    assert candidate.reserved.cpus == (1 if counts else 0)


names = st.sampled_from(["a", "b", "c", "d"])
labels = st.dictionaries(st.sampled_from(["app", "tier"]), st.sampled_from(["x", "y"]), max_size=2)


@st.composite
def pools_of_hosts(draw: st.DrawFn) -> list[Candidate]:
    hosts = []
    for name in draw(st.sets(names, min_size=1)):
        vms = draw(st.dictionaries(st.sampled_from(["v1", "v2", "v3"]), labels, max_size=3))
        gpus = [
            gpu(n, "AD102GL [L40S]", *draw(st.sampled_from([(), ("v1",)])))
            for n in range(draw(st.integers(0, 4)))
        ]
        hosts.append(
            host(
                name,
                vms=vms,
                gpus=gpus,
                labels=draw(labels),
                status=draw(st.sampled_from(["active", "active", "active", "disabled"])),
                taken=(draw(st.integers(0, 16)), draw(st.integers(0, 16384))),
            )
        )
    return hosts


@st.composite
def asked_for(draw: st.DrawFn) -> list[PlacementRequest]:
    return [
        request(
            vm=f"new{n}",
            cpus=draw(st.integers(1, 8)),
            memory=draw(st.integers(1, 16)) * GIB // 2,
            labels=draw(labels),
            strategy=draw(st.sampled_from(["spread", "pack", "most_free"])),
            host_labels=draw(st.one_of(st.just({}), labels)),
            anti_affinity=draw(st.one_of(st.just({}), labels)),
            gpu=draw(st.sampled_from([None, {"model": "*L40S*", "count": 1}])),
        )
        for n in range(draw(st.integers(1, 6)))
    ]


@given(pools_of_hosts(), asked_for())
def test_nothing_is_overfilled_nor_given_twice(
    hosts: list[Candidate], asked: list[PlacementRequest]
) -> None:
    found = place_all(asked, hosts)
    for one in hosts:
        here = [
            (wanted, placed)
            for wanted, placed in zip(asked, found, strict=True)
            if isinstance(placed, Placement) and placed.host == one.id
        ]
        assert not here or one.info.status == "active"
        room, taken = one.info.capacity, one.info.allocated
        assert room
        assert taken
        if here:
            assert taken.cpus + sum(w.cpus for w, _ in here) <= room.cpus
            assert taken.memory_mb + sum(w.memory for w, _ in here) / 2**20 <= room.memory_mb
        given_away = [address for _, placed in here for address in placed.gpus]
        free = {g.address for g in one.info.gpus or () if not g.used_by}
        assert len(given_away) == len(set(given_away))
        assert set(given_away) <= free


@given(pools_of_hosts(), asked_for(), st.randoms())
def test_the_order_of_hosts_does_not_matter(
    hosts: list[Candidate], asked: list[PlacementRequest], random: Any
) -> None:
    turned = random.sample(hosts, len(hosts))
    assert list(map(str, place_all(asked, hosts))) == list(map(str, place_all(asked, turned)))


@given(pools_of_hosts(), asked_for())
def test_the_best_is_chosen_and_refusals_are_true(
    hosts: list[Candidate], asked: list[PlacementRequest]
) -> None:
    wanted = asked[0]
    refused = {one.id: obstacle(wanted, one) for one in hosts}
    suited = [one for one in hosts if refused[one.id] is None]
    if not suited:
        with pytest.raises(Conflict) as error:
            place(wanted, hosts)
        assert all(f"{name} {why}" in str(error.value) for name, why in refused.items())
        return
    placed = place(wanted, hosts)
    (best,) = [one for one in hosts if one.id == placed.host]
    assert best in suited
    if wanted.rules.strategy == "spread":
        assert best.vm_count == min(one.vm_count for one in suited)
    if wanted.rules.strategy == "most_free":
        assert best.taken.memory_mb == min(one.taken.memory_mb for one in suited)
