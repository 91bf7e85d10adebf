# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hostler.fleet.host_maintenance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.hostler.fleet.plugins.module_utils._module import (
    CONFIG,
    PARALLEL,
    Module,
    Params,
    Result,
    Spec,
    given,
)
from ansible_collections.hostler.fleet.plugins.module_utils._results import many, one
from ansible_collections.hostler.fleet.plugins.module_utils._vm_migrate import FIELDS as WAY

if TYPE_CHECKING:
    from hostler import Fleet
    from hostler.models.host_maintenance import HostMaintenanceResult, HostMove

# What makes no sense for a host that is emptied: where a VM goes, and half a move.
_NOT = ("target_host", "target_uri", "mode", "persist", "undefine_source")
# The fields of HostMaintenanceTask.
FIELDS: Spec = {
    "state": {"type": "str", "choices": ["drained", "active"], "required": True},
    "return_vms": {"type": "bool", "default": False},
    "stopped_vms": {"type": "str", "choices": ["leave", "move"], "default": "leave"},
    "partial": {"type": "bool", "default": False},
    "strategy": {
        "type": "str",
        "choices": ["spread", "pack", "most_free"],
        "default": "spread",
    },
    **{name: option for name, option in WAY.items() if name not in _NOT},
}


def run(fleet: Fleet, params: Params, check: bool) -> Result:
    """Empty hosts, or take them back."""
    ids = [params["host"]] if params["hosts"] is None else params["hosts"]
    options = given(params, FIELDS)
    results = fleet.hosts.maintenance.run(
        [{"host": host, **options} for host in ids], check=check, parallel=params["parallel"]
    )
    if params["hosts"] is None:
        return _item(results[0])
    return many(results, [_item(result) for result in results])


def _item(result: HostMaintenanceResult) -> Result:
    return {
        **one(result),
        "host": result.host.model_dump(mode="json") if result.host else None,
        "moves": [_move(move) for move in result.moves],
        "stuck": result.stuck,
        "stopped": result.vms,
        "drained": result.drained,
    }


def _move(move: HostMove) -> Result:
    item = move.model_dump(
        mode="json", include={"name", "source", "target", "status", "runs_on", "downtime", "data"}
    )
    item["seconds"], item["error"] = move.seconds, move.error
    item["placement"] = move.placement.model_dump(mode="json") if move.placement else None
    item["plan"] = move.plan.model_dump(mode="json") if move.plan else None
    return item


MODULE = Module(
    arguments={
        "argument_spec": {
            **CONFIG,
            **PARALLEL,
            "host": {"type": "str"},
            "hosts": {"type": "list", "elements": "str"},
            **FIELDS,
        },
        "mutually_exclusive": [("host", "hosts")],
        "required_one_of": [("host", "hosts")],
    },
    run=run,
    needs=(
        "hostler.hosts.service",
        "hostler.hosts.maintenance.service",
        "hostler.backends.libvirt",
        "hostler.plan.journal",
    ),
)
