# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hostler.fleet.vm_snapshot."""

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
    from hostler.models.vm_task import VmResult

FIELDS: Spec = {
    "vm": {"type": "str"},
    "name": {"type": "str"},
    "description": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent", "reverted"]},
    "memory": {"type": "bool"},
    "external": {"type": "bool"},
    "quiesce": {"type": "bool"},
    "running": {"type": "bool"},
    "children": {"type": "bool"},
    "override_protection": {"type": "bool"},
}
SWITCHES = ("memory", "external", "quiesce", "children", "override_protection")
DEFAULTS: Params = {"state": "present", **dict.fromkeys(SWITCHES, False)}


def run(fleet: Fleet, params: Params, check: bool) -> Result:
    """Bring snapshots to what is wanted."""
    from hostler.models.problems import checked
    from hostler.models.vm_task import SnapshotTask

    top = given(params, FIELDS)
    items = params["snapshots"]
    wanted = [top] if items is None else [top | given(item, FIELDS) for item in items]
    tasks = [checked(SnapshotTask, item) for item in wanted]
    results = fleet.snapshots.run(tasks, check=check, parallel=params["parallel"])
    if items is None:
        return _item(results[0])
    return many(results, [_item(result) for result in results])


def _item(result: VmResult) -> Result:
    return {**one(result), "snapshots": result.after}


MODULE = Module(
    arguments={
        "argument_spec": {
            **LIBVIRT,
            **PARALLEL,
            **{name: {**FIELDS[name], "default": DEFAULTS.get(name)} for name in FIELDS},
            "snapshots": {
                "type": "list",
                "elements": "dict",
                "options": {**FIELDS, "name": {"type": "str", "required": True}},
            },
        },
        "mutually_exclusive": [("name", "snapshots")],
        "required_one_of": [("name", "snapshots")],
        "required_by": {"name": ("vm",)},
    },
    run=run,
    needs=("hostler.vms.snapshots", "hostler.backends.libvirt", "hostler.plan.journal"),
)
