# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hostler.fleet.vm_migrate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.hostler.fleet.plugins.module_utils._module import (
    LIBVIRT,
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
    from hostler.models.vm_migration import VmMigrationResult

FIELDS: Spec = {
    "target_host": {"type": "str"},
    "target_uri": {"type": "str"},
    "mode": {"type": "str", "choices": ["live", "paused", "offline"]},
    "storage": {
        "type": "str",
        "choices": ["shared", "copy", "incremental"],
        "default": "shared",
    },
    "unsafe": {"type": "bool", "default": False},
    "peer_to_peer": {"type": "bool", "default": False},
    "post_copy": {"type": "bool", "default": False},
    "auto_converge": {"type": "bool", "default": False},
    "compression": {"type": "bool", "default": False},
    "parallel_connections": {"type": "int"},
    "bandwidth": {"type": "int"},
    "timeout": {"type": "int"},
    "on_timeout": {
        "type": "str",
        "choices": ["abort", "suspend", "post-copy"],
        "default": "abort",
    },
    "persist": {"type": "bool", "default": True},
    "undefine_source": {"type": "bool", "default": True},
    "override_protection": {"type": "bool", "default": False},
}


def run(fleet: Fleet, params: Params, check: bool) -> Result:
    """Move VMs to another hypervisor."""
    from hostler.models.problems import checked
    from hostler.models.vm_migration import VmMigrationTask

    names = [params["vm"]] if params["vms"] is None else params["vms"]
    options = given(params, FIELDS)
    tasks = [checked(VmMigrationTask, {"vm": name, **options}) for name in names]
    results = fleet.migrations.run(tasks, check=check, parallel=params["parallel"])
    if params["vms"] is None:
        return _item(results[0])
    return many(results, [_item(result) for result in results])


def _item(result: VmMigrationResult) -> Result:
    names = ("source_host", "target_host", "status", "runs_on", "downtime", "data", "seconds")
    return {**one(result), **{name: getattr(result, name) for name in names}}


MODULE = Module(
    arguments={
        "argument_spec": {
            **LIBVIRT,
            **PARALLEL,
            "vm": {"type": "str"},
            "vms": {"type": "list", "elements": "str"},
            **FIELDS,
        },
        "mutually_exclusive": [("vm", "vms"), ("target_host", "target_uri")],
        "required_one_of": [("vm", "vms"), ("target_host", "target_uri")],
    },
    run=run,
    needs=("hostler.vms.migration.service", "hostler.backends.libvirt", "hostler.plan.journal"),
)
