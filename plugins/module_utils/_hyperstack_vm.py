# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hostler.fleet.hyperstack_vm and hyperstack_vm_info."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible_collections.hostler.fleet.plugins.module_utils._hyperstack import (
    CHANGES,
    HYPERSTACK,
    READS,
    RULES,
    item,
)
from ansible_collections.hostler.fleet.plugins.module_utils._module import (
    PARALLEL,
    Module,
    Params,
    Result,
    Spec,
    given,
)
from ansible_collections.hostler.fleet.plugins.module_utils._results import many

if TYPE_CHECKING:
    from hostler import Fleet

STATES = ["present", "absent", "started", "stopped", "hibernated", "restored", "rebooted"]

FIELDS: Spec = {
    "name": {"type": "str"},
    "environment": {"type": "str"},
    "state": {"type": "str", "choices": STATES},
    "image": {"type": "str"},
    "flavor": {"type": "str"},
    "key": {"type": "str", "no_log": False},
    "user_data": {"type": "str", "no_log": True},
    "labels": {"type": "list", "elements": "str"},
    "floating_ip": {"type": "bool"},
    "port_randomization": {"type": "bool"},
    "security_rules": RULES,
    "purge_rules": {"type": "bool"},
    "volumes": {"type": "list", "elements": "str"},
    "purge_volumes": {"type": "bool"},
    "callback_url": {"type": "str"},
    "recreate": {"type": "bool"},
    "retain_ip": {"type": "bool"},
    "wait": {"type": "bool"},
    "wait_timeout": {"type": "int"},
    "override_protection": {"type": "bool"},
}
DEFAULTS: dict[str, Any] = {
    "state": "present",
    "purge_rules": False,
    "purge_volumes": False,
    "recreate": False,
    "retain_ip": True,
    "wait": True,
    "wait_timeout": 1800,
    "override_protection": False,
}
OPTIONS = {name: {**FIELDS[name], "default": value} for name, value in DEFAULTS.items()}

QUERY: Spec = {
    "names": {"type": "list", "elements": "str", "aliases": ["name"]},
    "environment": {"type": "str"},
    "status": {"type": "list", "elements": "str"},
    "labels": {"type": "list", "elements": "str"},
    "extra": {
        "type": "list",
        "elements": "str",
        "choices": ["metrics", "events", "logs", "firewalls"],
    },
    "metrics_duration": {
        "type": "str",
        "choices": ["1h", "2h", "4h", "6h", "12h", "1d", "3d", "7d", "15d", "30d"],
        "default": "1h",
    },
    "log_lines": {"type": "int", "default": 100},
}


def run(fleet: Fleet, params: Params, check: bool) -> Result:
    """Bring VMs to what is wanted."""
    top = given(params, FIELDS)
    items = params["vms"]
    tasks = [top] if items is None else [{**top, **given(vm, FIELDS)} for vm in items]
    results = fleet.hyperstack.vms.run(tasks, check=check, parallel=params["parallel"])
    if items is None:
        return item(results[0], "vm")
    whole = many(results, [item(result, "vm") for result in results])
    return {**whole, "vms": [vm["vm"] for vm in whole["results"] if vm["vm"]]}


def read(fleet: Fleet, params: Params, _check: bool) -> Result:
    """Read VMs."""
    found = fleet.hyperstack.vms.list(**given(params, QUERY))
    return {"changed": False, "vms": [vm.model_dump(mode="json") for vm in found]}


VM = Module(
    arguments={
        "argument_spec": {
            **HYPERSTACK,
            **PARALLEL,
            **FIELDS,
            **OPTIONS,
            "vms": {
                "type": "list",
                "elements": "dict",
                "options": {**FIELDS, "name": {"type": "str", "required": True}},
            },
        },
        "mutually_exclusive": [("name", "vms")],
        "required_one_of": [("name", "vms")],
    },
    run=run,
    needs=CHANGES,
)
INFO = Module(arguments={"argument_spec": {**HYPERSTACK, **QUERY}}, run=read, needs=READS)
