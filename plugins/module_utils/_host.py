# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hostler.fleet.host, hostler.fleet.host_info and hostler.fleet.fleet_info."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.hostler.fleet.plugins.module_utils._module import (
    CONFIG,
    OPENSTACK,
    Module,
    Params,
    Result,
    Spec,
    given,
)
from ansible_collections.hostler.fleet.plugins.module_utils._netbox import NETBOX
from ansible_collections.hostler.fleet.plugins.module_utils._results import one

if TYPE_CHECKING:
    from hostler import Fleet

NEEDS = ("hostler.hosts.service", "hostler.backends.libvirt", "hostler.plan.journal")

# The fields of HostTask.
TASK: Spec = {
    "id": {"type": "str", "required": True, "aliases": ["name"]},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "uri": {"type": "str"},
    "labels": {"type": "dict"},
    "cpu_overcommit": {"type": "float"},
    "memory_overcommit": {"type": "float"},
    "cpu_limit": {"type": "int"},
    "memory_limit": {"type": "str"},
    "enabled": {"type": "bool"},
    "force": {"type": "bool", "default": False},
}
TIMEOUT: Spec = {"timeout": {"type": "float", "default": 30}}


def host(fleet: Fleet, params: Params, check: bool) -> Result:
    """Bring a host of the pool to what is wanted."""
    (result,) = fleet.hosts.run([given(params, TASK)], check=check)
    found = result.host.model_dump(mode="json") if result.host else None
    return {**one(result), "host": found}


def info(fleet: Fleet, params: Params, _check: bool) -> Result:
    """Read hosts."""
    found = fleet.hosts.info(
        params["names"] or (),
        uri=params["uri"],
        labels=params["labels"],
        fields=params["fields"] or (),
        timeout=params["timeout"],
    )
    return {
        "changed": False,
        "hosts": [one.model_dump(mode="json") for one in found],
        "warnings": [note for one in found for note in one.notes],
    }


def stats(fleet: Fleet, params: Params, _check: bool) -> Result:
    """Sum up hosts and clouds."""
    found = fleet.hosts.stats(timeout=params["timeout"])
    return {"changed": False, **found.model_dump(mode="json")}


HOST = Module(
    arguments={"argument_spec": {**CONFIG, **TASK}},
    run=host,
    needs=NEEDS,
)
INFO = Module(
    arguments={
        "argument_spec": {
            **CONFIG,
            **TIMEOUT,
            "names": {"type": "list", "elements": "str", "aliases": ["name", "id"]},
            "uri": {"type": "str"},
            "labels": {"type": "dict"},
            "fields": {
                "type": "list",
                "elements": "str",
                "choices": ["load", "devices", "capabilities", "vms"],
            },
        },
        "mutually_exclusive": [("names", "uri")],
    },
    run=info,
    needs=NEEDS,
)
STATS = Module(
    arguments={"argument_spec": {**OPENSTACK, **NETBOX, **TIMEOUT}},
    run=stats,
    needs=(*NEEDS, "hostler.gpu.service"),
)
