# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hostler.fleet.hyperstack_launch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible.module_utils.basic import env_fallback
from ansible_collections.hostler.fleet.plugins.module_utils._hyperstack import HYPERSTACK
from ansible_collections.hostler.fleet.plugins.module_utils._module import (
    OPENSTACK,
    PARALLEL,
    Module,
    Params,
    Result,
    Spec,
    given,
)
from ansible_collections.hostler.fleet.plugins.module_utils._results import many, one

if TYPE_CHECKING:
    from hostler import Fleet
    from hostler.models.launch import LaunchResult

RUNPOD: Spec = {
    "api_key": {
        "type": "str",
        "required": True,
        "no_log": True,
        "fallback": (env_fallback, ["RUNPOD_API_KEY"]),
    },
    "installer_url": {"type": "str", "required": True},
    "disk": {"type": "str", "default": "/dev/vdb"},
    "ports": {"type": "str", "default": "10000-50000"},
}
TASK: Spec = {
    "hostname": {"type": "str"},
    "name": {"type": "str"},
    "image": {"type": "str", "required": True, "aliases": ["image_name", "image_id"]},
    "region": {"type": "str"},
    "environment": {"type": "str"},
    "key": {"type": "str", "no_log": False},
    "network": {"type": "str"},
    "firewall": {"type": "str"},
    "flavor": {"type": "str"},
    "user_data": {"type": "str", "no_log": True},
    "runpod": {"type": "dict", "options": RUNPOD},
    "labels": {"type": "list", "elements": "str", "default": []},
    "floating_ip": {"type": "bool", "default": True},
    "strict_placement": {"type": "bool", "default": False},
    "on_misplaced": {"type": "str", "choices": ["delete", "keep"], "default": "delete"},
    "on_failure": {"type": "str", "choices": ["delete", "keep"], "default": "delete"},
    "wait_timeout": {"type": "int", "default": 1800},
    "override_protection": {"type": "bool", "default": False},
}
SHOWN = {
    "hostname",
    "vm_id",
    "image_name",
    "status",
    "flavor",
    "network_setup",
    "firewall_configured",
    "placed_on",
    "command",
    "masked_command",
    "estimated_resources",
}


def run(fleet: Fleet, params: Params, check: bool) -> Result:
    """Launch VMs on hosts."""
    common = given(params, TASK)
    hosts = params["hostnames"] or [params["hostname"]]
    results = fleet.launches.run(
        [{**common, "hostname": host} for host in hosts],
        check=check,
        parallel=params["parallel"],
        max_failures=params["max_failures"],
    )
    if params["hostnames"] is None:
        return _item(results[0])
    return many(results, [_item(result) for result in results])


def _item(result: LaunchResult) -> Result:
    item = {**one(result), **result.model_dump(mode="json", include=SHOWN)}
    told = [f"{result.name}: {text}" for text in result.warnings]
    return {**item, "warnings": [*item.get("warnings", []), *told]}


MODULE = Module(
    arguments={
        "argument_spec": {
            **OPENSTACK,
            **HYPERSTACK,
            **PARALLEL,
            **TASK,
            "hostnames": {"type": "list", "elements": "str"},
            "max_failures": {"type": "int"},
        },
        "mutually_exclusive": [
            ("hostname", "hostnames"),
            ("name", "hostnames"),
            ("user_data", "runpod"),
        ],
        "required_one_of": [("hostname", "hostnames")],
    },
    run=run,
    needs=(
        "hostler.launches.service",
        "hostler.backends.openstack",
        "hostler.backends.hyperstack",
        "hostler.plan.journal",
    ),
)
