# SPDX-License-Identifier: Apache-2.0
"""VMs of Hyperstack for inventories."""

from __future__ import annotations

import json

import pytest

from hostler import Fleet
from hostler.hyperstack.inventory import collect, vm_row
from hostler.models.hyperstack import HyperstackVm
from hostler.testing.hyperstack import FakeHyperstack

from .conftest import ENV

VM = {
    "id": 7,
    "name": "web",
    "status": "ACTIVE",
    "environment": {"name": "prod"},
    "flavor": {"name": "n3-L40x1", "gpu": "L40", "gpu_count": 1, "cpu": 4, "ram": 16},
    "image": {"name": "Ubuntu"},
    "labels": ["runpod", "stage=test"],
    "fixed_ip": "10.0.0.7",
    "floating_ip": "192.0.2.7",
}


@pytest.mark.parametrize(
    ("status", "ours"),
    [
        ("ACTIVE", "running"),
        ("SHUTOFF", "stopped"),
        ("STOPPING", "stopping"),
        ("HIBERNATED", "suspended"),
        ("ERROR", "crashed"),
        ("BUILD", "unknown"),
        ("NEW-WORD", "unknown"),
    ],
)
def test_statuses_are_in_our_words(status: str, ours: str) -> None:
    row = vm_row(HyperstackVm.model_validate({**VM, "status": status}), "CANADA-1", "https://x/v1")
    assert (row["status"], row["hyperstack_status"]) == (ours, status)


def test_a_row_is_plain_data() -> None:
    row = vm_row(HyperstackVm.model_validate(VM), "CANADA-1", "https://x/v1")
    assert json.loads(json.dumps(row)) == row
    assert row["labels"] == {"runpod": "", "stage": "test"}
    assert row["addresses"] == {"floating": ["192.0.2.7"], "fixed": ["10.0.0.7"]}
    assert (row["region"], row["flavor"], row["environment"]) == ("CANADA-1", "n3-L40x1", "prod")
    assert row["memory_mb"] == 16384


def test_what_is_not_known_is_left_out() -> None:
    row = vm_row(HyperstackVm.model_validate({"id": 1, "name": "x"}), None, "https://x/v1")
    assert {"region", "flavor", "environment", "image", "memory_mb"}.isdisjoint(row)


def test_vms_are_read_and_chosen(fleet: Fleet, fake: FakeHyperstack) -> None:
    for name, status in (("web-1", "ACTIVE"), ("web-2", "SHUTOFF"), ("db", "ACTIVE")):
        fake.add_vm(name, ENV, image="Ubuntu 22.04", flavor="n3-L40x1", key="ops", status=status)
    api = fleet.hyperstack_api()
    assert [vm["name"] for vm in collect(api)["vms"]] == ["web-1", "web-2", "db"]
    found = collect(api, names=["web-*"], states=["running"])
    assert [(vm["name"], vm["region"]) for vm in found["vms"]] == [("web-1", "CANADA-1")]
    assert found["error"] is None


@pytest.mark.fault
def test_a_hyperstack_that_fails_is_a_row_with_the_reason(
    fleet: Fleet, fake: FakeHyperstack
) -> None:
    fake.revoke()
    row = collect(fleet.hyperstack_api())
    assert "the API key is not accepted" in row["error"]
    assert row["vms"] == []
