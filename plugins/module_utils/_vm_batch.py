# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hostler.fleet.vm_batch."""

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
from ansible_collections.hostler.fleet.plugins.module_utils._vm_info import FILTERS

if TYPE_CHECKING:
    from hostler import Fleet

OPERATIONS = ["start", "stop", "restart", "reset", "pause", "resume", "delete", "snapshot"]
OPTIONS: Spec = {
    "timeout": {"type": "int", "default": 120},
    "delete_disks": {"type": "bool", "default": False},
    "override_protection": {"type": "bool", "default": False},
}


def run(fleet: Fleet, params: Params, check: bool) -> Result:
    """Do one operation to many VMs."""
    from hostler.models.problems import checked
    from hostler.models.vm_task import VmQuery

    hard = not params["graceful"]
    options = given(params, OPTIONS)
    batch = fleet.vms.batch(
        params["operation"],
        checked(VmQuery, given(params, FILTERS)),
        options={**options, "force": True, "timeout": 0} if hard else options,
        snapshot=params["snapshot"],
        check=check,
        parallel=params["parallel"],
        max_failures=params["max_failures"],
    )
    items = [{**one(result), "host_id": result.host_id} for result in batch.results]
    whole = many(batch.results, items)
    lost = [f"host {host} can't be reached: {why}" for host, why in batch.unreachable_hosts.items()]
    whole["warnings"] += lost
    counts = {"succeeded": batch.succeeded, "failed": batch.failed, "skipped": batch.skipped}
    return {
        **whole,
        "batch_id": batch.batch_id,
        "operation": batch.operation,
        "total_vms": batch.total_vms,
        "status": batch.status,
        "counts": counts,
        "unreachable_hosts": batch.unreachable_hosts,
    }


MODULE = Module(
    arguments={
        "argument_spec": {
            **LIBVIRT,
            **PARALLEL,
            **FILTERS,
            **OPTIONS,
            "operation": {"type": "str", "choices": OPERATIONS, "required": True},
            "graceful": {"type": "bool", "default": True},
            "max_failures": {"type": "int"},
            "snapshot": {"type": "str"},
        },
        "required_one_of": [tuple(FILTERS)],
        "required_if": [("operation", "snapshot", ("snapshot",))],
    },
    run=run,
    needs=(
        "hostler.vms.service",
        "hostler.vms.snapshots",
        "hostler.backends.libvirt",
        "hostler.plan.journal",
    ),
)
