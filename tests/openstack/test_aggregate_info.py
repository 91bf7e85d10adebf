# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""aggregate_info, aggregate_target_info and the lookup gpu_overview, through both doors."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
import yaml
from integration.conftest import Play, Results, Task
from rigs.openstack.layout import CLOUDS

from hostler.testing.netbox import FakeNetbox

INFO = "hostler.fleet.aggregate_info"
TARGET = "hostler.fleet.aggregate_target_info"


def info(task: str, /, **options: Any) -> Task:
    return {"name": task, INFO: options, "ignore_errors": True}


def target(task: str, /, **options: Any) -> Task:
    return {"name": task, TARGET: options, "ignore_errors": True}


def shown(name: str, expression: str) -> Task:
    message = {"msg": f"{{{{ {expression} }}}}"}
    return {"name": name, "ansible.builtin.debug": message, "ignore_errors": True}


def names(result: dict[str, Any]) -> list[str]:
    return [one["name"] for one in result["aggregates"]]


def test_everything_and_filters(play: Play) -> None:
    told = play(
        [
            info("all"),
            info("type", gpu_type="L40"),
            info("both", gpu_type="A4000", pool="spot"),
            info("contract", contract="Acme-8xH100-SXM5"),
            info("name", name="misc-n2"),
            {**info("check", gpu_type="L40"), "check_mode": True},
        ]
    )
    assert not any(result["changed"] for result in told.values())
    assert len(names(told["all"])) == 11
    assert [one["name"] for one in told["all"]["gpu_types"]] == [
        *("A100", "H100-SXM5", "L40", "RTX-A4000"),
    ]
    assert told["all"]["unclassified"] == ["misc-n2"]
    assert told["all"]["hosts_in_no_pool"] == []
    assert told["all"]["overview"]["L40"]["gpu_overview"] == {
        "hosts": 3,
        "gpu_used": 13,
        "gpu_capacity": 24,
        "gpu_usage_ratio": "13/24",
        "gpu_usage_percentage": 54.17,
    }
    assert names(told["type"]) == ["L40-n3", "L40-n3-runpod", "L40-n3-spot"]
    assert list(told["type"]["overview"]) == ["L40"]
    assert names(told["both"]) == ["RTX-A4000-n3-spot"]
    assert names(told["contract"]) == ["Contract-Acme-8xH100-SXM5"]
    assert names(told["name"]) == ["misc-n2"]
    assert told["name"]["overview"] == {}
    assert told["check"]["aggregates"] == told["type"]["aggregates"]


def test_a_host_has_the_fields_of_the_specification(play: Play) -> None:
    told = play([info("pool", gpu_type="L40", pool="ondemand")])
    (aggregate,) = told["pool"]["aggregates"]
    host = aggregate["hosts"][0]
    expected = {
        "hostname": "gpu-host-001",
        "status": "active",
        "vm_count": 2,
        "gpu_used": 5,
        "gpu_capacity": 8,
        "has_vms": True,
        "tenant": None,
        "owner_group": None,
    }
    assert {name: host[name] for name in expected} == expected
    assert aggregate["gpu_summary"]["gpu_usage_ratio"] == "5/16"


def test_netbox_tells_whose_hosts_are(play: Play) -> None:
    with FakeNetbox() as netbox:
        netbox.add_tenant("Acme Corp", group="Investors")
        netbox.add_device("gpu-host-006", tenant="Acme Corp", custom_fields={"NVLinks": True})
        netbox.add_device("gpu-host-004", tenant="Acme Corp", custom_fields={"NVLinks": True})
        with_netbox = {"netbox_url": netbox.url, "netbox_token": netbox.token}
        told = play(
            [
                info("contract", contract="Acme-8xH100-SXM5", **with_netbox),
                target("nvlink", hostname="gpu-host-004", pool="spot", **with_netbox),
            ]
        )
    (contract,) = told["contract"]["aggregates"]
    assert contract["tenant_info"] == {"primary_tenant": "Acme Corp", "owner_group": "Investors"}
    assert contract["hosts"][0]["nvlink"] is True
    assert told["nvlink"]["recommended_aggregate"] == "A100-n3-NVLink-spot"


def test_targets(play: Play) -> None:
    told = play(
        [
            target("empty", hostname="gpu-host-002", gpu_type="L40"),
            target("busy", host="gpu-host-001"),
            target("none", hostname="gpu-host-004", pool="spot"),
        ]
    )
    assert not any(result["changed"] for result in told.values())
    empty = told["empty"]
    assert (empty["current_aggregate"], empty["recommended_aggregate"]) == ("L40-n3", "L40-n3-spot")
    assert empty["reasoning"].startswith("Host has no running VMs, suitable for spot aggregate")
    assert [one["aggregate"] for one in empty["alternatives"]] == [
        *("L40-n3-spot", "L40-n3", "L40-n3-runpod"),
    ]
    assert told["busy"]["recommended_aggregate"] == "L40-n3"
    assert told["none"]["recommended_aggregate"] is None
    assert "host has no NVLink" in told["none"]["reasoning"]


BAD = {
    "type": (info("type", gpu_type="l40"), "not_found", "Did you mean 'L40'?"),
    "aggregate": (info("aggregate", name="L40-N3"), "not_found", "Did you mean 'L40-n3'?"),
    "contract": (info("contract", contract="Acme"), "not_found", "there is no such contract."),
    "not both": (
        info("not both", name="L40-n3", pool="spot"),
        "not_found",
        "aggregate 'L40-n3': it does not fit the other filters.",
    ),
    "host": (target("host", hostname="Gpu-host-001"), "not_found", "Did you mean 'gpu-host-001'?"),
    "other type": (
        target("other type", hostname="gpu-host-001", gpu_type="A100"),
        "conflict",
        "host 'gpu-host-001': its GPUs are L40, not A100.",
    ),
    "variant": (
        target("variant", hostname="gpu-host-005", variant="nvlink"),
        "not_found",
        "Did you mean 'NVLink'?",
    ),
    "rights": (
        info("rights", cloud="box-reader"),
        "denied",
        "Nova of cloud 'box-reader': we may not do that: Policy doesn't allow",
    ),
    "cloud": (info("cloud", cloud="bocks"), "invalid_input", "Cloud bocks was not found."),
}


def is_a_sentence(result: dict[str, Any], code: str, says: str) -> None:
    assert result["failed"]
    assert result["error"] == {"code": code, "message": result["msg"]}
    assert says in result["msg"]
    assert "\n" not in result["msg"]
    assert "Traceback" not in str(result)


def test_bad_input_is_a_sentence(play: Play, door: str) -> None:
    cases = BAD if door == "local" else {name: BAD[name] for name in ("host", "rights")}
    told = play([case[0] for case in cases.values()])
    for name, case in cases.items():
        is_a_sentence(told[name], *case[1:])


def test_a_pool_that_is_none(play: Play) -> None:
    told = play([info("pool", pool="Spot")])
    assert told["pool"]["failed"]
    assert "must be one of: ondemand, spot, runpod, contract" in told["pool"]["msg"]


def test_keystone_is_down(play: Play, environment: dict[str, str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    box = yaml.safe_load(CLOUDS.read_text())["clouds"]["box"]
    box["auth"]["auth_url"] = f"http://127.0.0.1:{port}/v3"
    clouds = tmp_path / "clouds.yaml"
    clouds.write_text(yaml.safe_dump({"clouds": {"gone": box}}))
    environment["OS_CLIENT_CONFIG_FILE"] = str(clouds)
    told = play([info("down", cloud="gone"), target("target", host="x", cloud="gone")])
    for result in told.values():
        is_a_sentence(result, "unreachable", "Keystone of cloud 'gone': can't be reached:")


def looked_up(play: Play) -> Results:
    lookup = "query('hostler.fleet.gpu_overview'{})"
    return play(
        [
            shown("all", lookup.format("")),
            shown("some", lookup.format(", 'L40', 'A4000', cloud='box'")),
            shown("pool", lookup.format(", pool='runpod'")),
            shown("pool of a type", lookup.format(", 'L40', pool='spot'")),
            shown("no type", lookup.format(", 'l40'")),
            shown("no pool of a type", lookup.format(", 'A100', pool='runpod'")),
            shown("no option", lookup.format(", cluod='box'")),
            shown("no rights", lookup.format(", cloud='box-reader'")),
        ]
    )


@pytest.mark.parametrize("door", ["local"], indirect=True)
def test_lookup(play: Play) -> None:
    told = looked_up(play)
    assert [one["gpu_type"] for one in told["all"]["msg"]] == [
        *("A100", "H100-SXM5", "L40", "RTX-A4000"),
    ]
    assert [one["gpu_type"] for one in told["some"]["msg"]] == ["L40", "RTX-A4000"]
    assert told["some"]["msg"][0]["gpu_overview"]["gpu_usage_ratio"] == "13/24"
    assert [(one["gpu_type"], one["name"]) for one in told["pool"]["msg"]] == [
        ("L40", "L40-n3-runpod"),
        ("RTX-A4000", "RTX-A4000-n3-runpod"),
    ]
    (spot,) = told["pool of a type"]["msg"]
    assert (spot["name"], spot["gpu_summary"]["gpu_usage_ratio"]) == ("L40-n3-spot", "8/8")
    says = {
        "no type": "no aggregate has this GPU type. Did you mean 'L40'?",
        "no pool of a type": "GPU type 'A100' has no aggregate of the pool runpod.",
        "no option": "there is no option 'cluod'. Did you mean 'cloud'?",
        "no rights": "we may not do that: Policy doesn't allow",
    }
    for name, words in says.items():
        assert told[name]["failed"]
        assert words in told[name]["msg"]
        assert "Traceback" not in str(told[name])
