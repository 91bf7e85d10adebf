# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hostler.fleet.gpu_pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.hostler.fleet.plugins.module_utils._module import (
    OPENSTACK,
    PARALLEL,
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
    from hostler.models.migration import MigrationResult

TASK: Spec = {
    "gpu_type": {"type": "str", "required": True},
    "pools": {"type": "dict", "required": True},
    "variant": {"type": "str"},
    "drain": {"type": "bool", "default": False},
    "max_moves": {"type": "int"},
    "disable_compute": {"type": "bool", "default": True},
    "override_protection": {"type": "bool", "default": False},
}
OF_MOVE = ("source_aggregate", "target_aggregate", "commands_executed", "verification")


def run(fleet: Fleet, params: Params, check: bool) -> Result:
    """Bring the pools of a GPU type to their numbers of hosts."""
    done = fleet.gpu.pools.run(given(params, TASK), check=check, parallel=params["parallel"])
    moves = [_move(move) for move in done.moves]
    whole = one(done)
    whole["gpu_type"] = whole.pop("name")
    warnings = [text for move in moves for text in move.pop("warnings", [])]
    return {
        **whole,
        "before": done.before,
        "after": done.after,
        "moves": moves,
        "warnings": [*done.warnings, *warnings],
    }


def _move(result: MigrationResult) -> Result:
    return {**one(result), **result.model_dump(mode="json", include={*OF_MOVE})}


MODULE = Module(
    arguments={"argument_spec": {**OPENSTACK, **NETBOX, **PARALLEL, **TASK}},
    run=run,
    needs=(
        "hostler.gpu.service",
        "hostler.gpu.pools",
        "hostler.backends.openstack",
        "hostler.backends.netbox",
        "hostler.plan.journal",
    ),
)
