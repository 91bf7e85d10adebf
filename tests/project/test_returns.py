# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules return has samples, which docs/samples.py takes from what tests have recorded.

That modules return what is documented is looked at wherever tests run them: tests/returns.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import returns
from unit.plugins.test_specs import MODULES

UNSEEN: dict[str, set[str]] = {
    "aggregate_info": {"aggregates.hosts.disabled_reason"},
    "alert_info": {"alerts.since", "unknown.host"},
    "command_log": {"error.code", "error.message"},
    "fleet_info": {"error.code", "error.message"},
    "host_info": {"hosts.capabilities", "hosts.devices", "hosts.uptime_seconds"},
    "host_maintenance": {"moves.error"},
    "host_metrics_info": {"error.code", "error.message"},
    "hyperstack_environment_info": {"error.code", "error.message"},
    "hyperstack_firewall": {"error.code", "error.message"},
    "hyperstack_firewall_info": {"error.code", "error.message"},
    "hyperstack_flavor_info": {"error.code", "error.message"},
    "hyperstack_image_info": {"error.code", "images.description", "error.message"},
    "hyperstack_stock_info": {"error.code", "error.message"},
    "hyperstack_vm_info": {
        "error.code",
        "error.message",
        "vms.callback_url",
        "vms.events",
        "vms.metrics",
    },
    "network": {"network.mtu"},
    "network_info": {"networks.mtu"},
    "openstack_server_info": {"servers.task_state"},
    "storage_pool": {
        "pool.source_format",
        "pool.source_host",
        "pool.source_name",
        "pool.source_path",
    },
    "storage_pool_info": {
        "pools.source_format",
        "pools.source_host",
        "pools.source_name",
        "pools.source_path",
    },
    "storage_volume_info": {"error.code", "error.message"},
    "vm_console_info": {
        "consoles.has_password",
        "consoles.password",
        "consoles.tls",
        "consoles.tls_port",
    },
    "vm_info": {"vms.status_reason", "vms.os_version", "vms.xml", "vms.title", "vms.description"},
    "vm_log_info": {"logs.unit"},
    "vm_metrics_info": {"vms.guest"},
}
"""What no test can make a module return with a value."""


def leaves(fields: returns.Fields, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, field in fields.items():
        if "contains" in field:
            yield from leaves(field["contains"], f"{where}{name}.")
        else:
            yield f"{where}{name}", field


@pytest.mark.parametrize("module", MODULES)
def test_all_that_is_returned_has_a_sample_of_its_type(module: str) -> None:
    found = dict(leaves(returns.fields(module)))
    assert {name for name, field in found.items() if "sample" not in field} == UNSEEN.get(
        module, set()
    )
    for name, field in found.items():
        if "sample" in field:
            assert not list(returns.problems({name: field}, {name: field["sample"]}))


@pytest.mark.parametrize(
    ("result", "problem"),
    [
        ({"vms": [{"name": "web"}], "total": 1}, []),
        ({"vms": None, "changed": False, "warnings": []}, []),
        ({"vms": [{"nom": "web"}]}, ["vms[].nom is not documented"]),
        ({"all": 1}, ["all is not documented"]),
        ({"total": "1"}, ["total is no int: '1'"]),
        ({"total": True}, ["total is no int: True"]),
        ({"vms": [{"name": 1}, 2]}, ["vms[].name is no str: 1", "vms[] is no dict: 2"]),
    ],
)
def test_what_is_not_as_documented_is_found(result: dict[str, Any], problem: list[str]) -> None:
    assert list(returns.problems(returns.fields("vm_info"), result)) == problem
