# SPDX-License-Identifier: Apache-2.0
"""Environments, SSH keys, and what there is to choose from."""

from __future__ import annotations

from typing import Any

import pytest

from hostler import Fleet
from hostler.errors import Conflict, HostlerError, InvalidInput, NotFound, PlanFailed
from hostler.hyperstack.prices import price_of
from hostler.models.hyperstack import Flavor, Price
from hostler.testing.hyperstack import FakeHyperstack

from .conftest import ENV

KEY = "ssh-ed25519 AAAAC3Nza ops@example.com"


def test_life_of_an_environment(fleet: Fleet, fake: FakeHyperstack) -> None:
    environments = fleet.hyperstack.environments
    wanted = {"name": "lab", "region": "US-1"}
    predicted = environments.run(wanted, check=True)
    assert len(fake.environments) == 2
    made = environments.run(wanted)
    assert (predicted.after, predicted.changed) == (made.after, made.changed) == (wanted, True)
    assert made.view
    assert made.view["region"] == "US-1"
    assert not environments.run(wanted).changed
    assert not environments.run({"name": "lab"}).changed
    assert [e.name for e in environments.list("US-1")] == ["lab"]
    assert environments.list("us-1") == environments.list("US-1")
    assert environments.run({"name": "lab", "state": "absent"}).changed
    assert not environments.run({"name": "lab", "state": "absent"}).changed


@pytest.mark.parametrize(
    ("task", "kind", "words"),
    [
        ({"name": "lab"}, InvalidInput, "a new one needs a region"),
        ({"name": "lab", "region": "MARS-1"}, NotFound, "no region 'MARS-1' (there: CANADA-1"),
        ({"name": ENV, "region": "US-1"}, Conflict, "it is in region CANADA-1, and stays"),
        ({"name": "x" * 51}, InvalidInput, "name"),
    ],
)
def test_bad_environments(
    fleet: Fleet, task: dict[str, Any], kind: type[HostlerError], words: str
) -> None:
    with pytest.raises(kind) as caught:
        fleet.hyperstack.environments.plan(task)
    assert words in str(caught.value)


def test_an_environment_with_something_in_it_stays(fleet: Fleet, fake: FakeHyperstack) -> None:
    fake.add_firewall("guard", ENV)
    result = fleet.hyperstack.environments.run({"name": ENV, "state": "absent"})
    assert "The environment is not empty" in str(result.error)


def test_undo_of_an_environment(fleet: Fleet, fake: FakeHyperstack) -> None:
    plan = fleet.hyperstack.environments.plan({"name": "lab", "region": "US-1"})
    plan.apply()
    plan.undo()
    assert len(fake.environments) == 2


def test_life_of_a_key(fleet: Fleet, fake: FakeHyperstack) -> None:
    keys = fleet.hyperstack.keypairs
    wanted = {"name": "me", "environment": ENV, "public_key": KEY}
    predicted = keys.run(wanted, check=True)
    made = keys.run(wanted)
    assert predicted.after == made.after
    assert made.view
    assert made.view["public_key"] == KEY
    assert not keys.run(wanted).changed
    assert not keys.run({**wanted, "public_key": "ssh-ed25519 AAAAC3Nza renamed"}).changed
    with pytest.raises(Conflict, match="there is another key of that name"):
        keys.run({**wanted, "public_key": "ssh-ed25519 BBBB"})
    assert [k.name for k in keys.list(ENV)] == ["ops", "me"]
    plan = keys.plan({"name": "me", "environment": ENV, "state": "absent"})
    plan.apply()
    assert [k["name"] for k in fake.keypairs] == ["ops"]
    plan.undo()
    assert fake.keypairs[-1]["public_key"] == KEY
    assert keys.run({"name": "me", "environment": ENV, "state": "absent"}).changed
    assert not keys.run({"name": "me", "environment": ENV, "state": "absent"}).changed


@pytest.mark.parametrize(
    ("task", "kind", "words"),
    [
        ({}, InvalidInput, "a new one needs public_key"),
        ({"public_key": KEY, "environment": "x"}, NotFound, "no environment 'x'"),
    ],
)
def test_bad_keys(fleet: Fleet, task: dict[str, Any], kind: type[HostlerError], words: str) -> None:
    with pytest.raises(kind) as caught:
        fleet.hyperstack.keypairs.plan({"name": "me", "environment": ENV, **task})
    assert words in str(caught.value)


def test_undo_that_fails_says_so(fleet: Fleet, fake: FakeHyperstack) -> None:
    plan = fleet.hyperstack.environments.plan({"name": "lab", "region": "US-1"})
    plan.apply()
    fake.add_firewall("guard", "lab")
    with pytest.raises(PlanFailed, match="The environment is not empty"):
        plan.undo()


def test_images(fleet: Fleet) -> None:
    assert [i.name for i in fleet.hyperstack.images("canada-1")] == ["Ubuntu 22.04", "Debian 12"]
    assert len(fleet.hyperstack.images()) == 3
    (image,) = fleet.hyperstack.images("CANADA-1", type="debian")
    assert (image.region_name, image.display_size) == ("CANADA-1", "10.0 GB")
    assert fleet.hyperstack.images(name="none") == []


def test_flavors_with_prices(fleet: Fleet, fake: FakeHyperstack) -> None:
    fake.add_flavor("n3-L40x1", "US-1", gpu="L40", gpu_count=1)
    found = {f.name: f for f in fleet.hyperstack.flavors("canada-1")}
    assert found["n3-L40x8"].price_per_hour == 8.0
    assert (found["n3-L40x8"].gpu, found["n3-L40x8"].stock_available) == ("L40", True)
    assert found["n1-cpu-small"].price_per_hour is None
    assert [f.region_name for f in fleet.hyperstack.flavors(name="n3-L40x1")] == [
        "CANADA-1",
        "US-1",
    ]
    assert fleet.hyperstack.price("n3-L40x8") == 8.0
    with pytest.raises(NotFound, match="no such flavor"):
        fleet.hyperstack.price("n9")


BOOK = [
    Price(name="L40", value=1.0),
    Price(name="L40-spot", value=0.5),
    Price(name="n3-X", value=7),
    Price(name="H100", value=None),
]


@pytest.mark.parametrize(
    ("name", "gpu", "count", "price"),
    [
        ("n3-L40x8", "L40", 8, 8.0),
        ("n3-L40x2-spot", "L40", 2, 1.0),
        ("n3-X", "X", 4, 7.0),
        ("n3-H100x8", "H100", 8, None),
        ("n3-A100x8", "A100", 8, None),
        ("n3-L40x8", "L40", None, None),
        ("n1-cpu-small", None, 0, None),
    ],
)
def test_price(name: str, gpu: str | None, count: int | None, price: float | None) -> None:
    assert price_of(Flavor(name=name, gpu=gpu, gpu_count=count), BOOK) == price


def test_stock(fleet: Fleet, fake: FakeHyperstack) -> None:
    fake.add_stock("US-1", "H100", "200+")
    (stock,) = fleet.hyperstack.stock("us-1")
    assert (stock.model, stock.available, stock.stock_type) == ("H100", "200+", "GPU")
    assert [s.configurations["8x"] for s in fleet.hyperstack.stock(model="L40")] == [1]


def test_regions_and_quota(fleet: Fleet, fake: FakeHyperstack) -> None:
    assert "CANADA-1" in [region.name for region in fleet.hyperstack.regions()]
    fake.add_vm("a", ENV, image="Ubuntu 22.04", flavor="n3-L40x1")
    quota = fleet.hyperstack.environments.quota(ENV)
    assert (quota.current_vms, quota.available_vms) == (1, 99)
    with pytest.raises(NotFound, match=r"no environment 'x' \(there: default-CANADA-1"):
        fleet.hyperstack.environments.quota("x")
