# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of the GPU hosts that were read: filters, groups."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.hostler.fleet.plugins.inventory.hosts import DOCUMENTATION
from ansible_collections.hostler.fleet.plugins.plugin_utils._inventory_hosts import (
    FIELDS,
    UNCLASSIFIED,
    Choices,
    Row,
    entries,
    groups_of,
)


def host(name: str, **more: Any) -> Row:
    return {
        "hostname": name,
        "gpu_type": "L40",
        "pools": ["ondemand"],
        "status": "active",
        "variant": None,
        "aggregates": ["L40-n3"],
        "availability_zone": None,
        "tenant": None,
        "owner_group": None,
        "site": None,
        **more,
    }


HOSTS = (
    host("a"),
    host("b", pools=["spot"], aggregates=["L40-n3-spot"], status="disabled", tenant="Acme Ltd"),
    host("c", gpu_type="H100-SXM5", pools=["contract"], status="down"),
    host("d", gpu_type=None, pools=[], aggregates=["misc"], status="unknown"),
    host("e", pools=["ondemand", "spot"], aggregates=["L40-n3", "L40-n3-spot"]),
)


def source(*hosts: Row) -> Row:
    return {
        "source": "openstack",
        "name": "box",
        "error": None,
        "notes": [],
        "gpu_types": ["A100", "H100-SXM5", "L40"],
        "hosts": list(hosts),
    }


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        (Choices(), "abcde"),
        (Choices(gpu_types=["L40"]), "abe"),
        (Choices(gpu_types=["L40", "H100-SXM5"]), "abce"),
        (Choices(gpu_types=["A100"]), ""),
        (Choices(pools=["spot"]), "be"),
        (Choices(pools=["spot", "contract"]), "bce"),
        (Choices(statuses=["disabled", "down"]), "bc"),
        (Choices(gpu_types=["L40"], pools=["ondemand"], statuses=["active"]), "ae"),
    ],
)
def test_filters(choices: Choices, expected: str) -> None:
    assert "".join(entry.name for entry in entries([source(*HOSTS)], choices)) == expected


@pytest.mark.parametrize(
    ("name", "hint"),
    [("l40", "Did you mean 'L40'?"), ("A10", "Did you mean 'A100'?"), ("zz", "Known types: A100,")],
)
def test_a_type_that_no_aggregate_has_is_refused(name: str, hint: str) -> None:
    with pytest.raises(ValueError, match=name) as error:
        entries([source(*HOSTS)], Choices(gpu_types=[name]))
    assert hint in str(error.value)


def test_hosts_keep_all_that_is_known() -> None:
    (entry,) = entries([source(HOSTS[1])], Choices())
    assert entry.host == HOSTS[1]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a", ["pool_ondemand", "gpu_L40", "status_active"]),
        ("b", ["pool_spot", "gpu_L40", "tenant_Acme Ltd", "status_disabled"]),
        ("c", ["pool_contract", "gpu_H100-SXM5", "status_down"]),
        ("d", [UNCLASSIFIED, "status_unknown"]),
        ("e", ["pool_ondemand", "pool_spot", "gpu_L40", "status_active"]),
    ],
)
def test_groups(name: str, expected: list[str]) -> None:
    one = next(host for host in HOSTS if host["hostname"] == name)
    assert groups_of(one, ["pool", "gpu", "tenant", "status"]) == expected


def test_other_groups() -> None:
    one = host("x", variant="NVLink", availability_zone="az-1", owner_group="Investors", site="ca1")
    assert groups_of(one, ["variant", "zone", "owner_group", "site", "aggregate"]) == [
        *("variant_NVLink", "zone_az-1", "owner_group_Investors", "site_ca1", "aggregate_L40-n3"),
    ]
    assert groups_of(host("x"), ["variant", "zone", "owner_group", "site"]) == []


def test_the_choices_are_the_documented_ones() -> None:
    options = yaml.safe_load(DOCUMENTATION)["options"]
    assert options["group_by"]["choices"] == sorted(FIELDS)
    assert set(Choices.__dataclass_fields__) <= set(options)
