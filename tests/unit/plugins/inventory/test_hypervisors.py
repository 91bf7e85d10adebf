# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of the hypervisors that were read: names, filters, groups, how they are reached."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hostler.fleet.plugins.plugin_utils._inventory_hosts import (
    Choices,
    Row,
    entries,
    groups_of,
)


def hypervisor(name: str, **more: Any) -> Row:
    return {
        "id": name,
        "hostname": f"{name}.example.com",
        "source": "libvirt",
        "status": "active",
        "hypervisor_type": "kvm",
        "labels": {"rack": "r1"},
        "gpu_types": ["L40S"],
        "connect": {"ansible_host": f"10.0.0.{name}"},
        **more,
    }


HOSTS = (
    hypervisor("1"),
    hypervisor("2", gpu_types=[], labels={}, status="maintenance"),
    hypervisor("3", gpu_types=["H100", "L40S"], status="unreachable", hypervisor_type=None),
)


def source(*hosts: Row) -> Row:
    return {"error": None, "notes": [], "gpu_types": ["H100", "L40S"], "hosts": list(hosts)}


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        (Choices(), "123"),
        (Choices(gpu_types=["L40S"]), "13"),
        (Choices(gpu_types=["H100"]), "3"),
        (Choices(statuses=["maintenance", "unreachable"]), "23"),
        (Choices(pools=["spot"]), ""),
    ],
)
def test_filters(choices: Choices, expected: str) -> None:
    assert "".join(entry.name for entry in entries([source(*HOSTS)], choices)) == expected


def test_a_host_is_named_by_its_id_and_reached_by_its_uri() -> None:
    (entry,) = entries([source(HOSTS[0])], Choices())
    assert (entry.name, entry.connect) == ("1", {"ansible_host": "10.0.0.1"})
    assert entry.host == {key: value for key, value in HOSTS[0].items() if key != "connect"}


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, ["gpu_L40S", "status_active", "label_rack_r1", "hypervisor_kvm"]),
        (1, ["status_maintenance", "hypervisor_kvm"]),
        (2, ["gpu_H100", "gpu_L40S", "status_unreachable", "label_rack_r1"]),
    ],
)
def test_groups(number: int, expected: list[str]) -> None:
    kinds = ["pool", "gpu", "tenant", "status", "label", "hypervisor"]
    assert groups_of(HOSTS[number], kinds) == expected
