# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hostler.fleet.vm_migrate."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ansible_collections.hostler.fleet.plugins.module_utils._module import (
    LIBVIRT,
    PARALLEL,
    Module,
    Params,
    Result,
    Spec,
    Tell,
    given,
)
from ansible_collections.hostler.fleet.plugins.module_utils._results import many, one

if TYPE_CHECKING:
    from hostler import Fleet
    from hostler.models.vm_migration import MigrationFigures, VmMigrationResult
    from hostler.plan.outcome import Progress
    from hostler.vms.migration.service import OnMove

EVERY = 5.0
"""Seconds between two lines about a VM."""

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


def run(fleet: Fleet, params: Params, check: bool, tell: Tell) -> Result:
    """Move VMs to another hypervisor."""
    from hostler.models.problems import checked
    from hostler.models.vm_migration import VmMigrationTask

    names = [params["vm"]] if params["vms"] is None else params["vms"]
    options = given(params, FIELDS)
    tasks = [checked(VmMigrationTask, {"vm": name, **options}) for name in names]
    results = fleet.migrations.run(
        tasks, check=check, parallel=params["parallel"], on_progress=lines(tell)
    )
    if params["vms"] is None:
        return _item(results[0])
    return many(results, [_item(result) for result in results])


def lines(tell: Tell) -> OnMove:
    """Tell how far each VM's move is: when its figures are there, then every some seconds."""
    last: dict[str, float] = {}

    def told(progress: Progress, figures: MigrationFigures | None) -> None:
        now = time.monotonic()
        if figures and figures.total and now - last.get(progress.plan, -EVERY) >= EVERY:
            last[progress.plan] = now
            tell(f"{progress.target.partition('/')[2]}: {figures.text}")

    return told


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
    tells=True,
    needs=("hostler.vms.migration.service", "hostler.backends.libvirt", "hostler.plan.journal"),
)
