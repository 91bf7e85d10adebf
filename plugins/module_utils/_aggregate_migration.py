# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hostler.fleet.aggregate_migration."""

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
from ansible_collections.hostler.fleet.plugins.module_utils._results import many, one

if TYPE_CHECKING:
    from hostler import Fleet
    from hostler.models.migration import MigrationResult

TASK: Spec = {
    "host": {"type": "str"},
    "source": {"type": "str", "aliases": ["source_aggregate"]},
    "target": {"type": "str", "aliases": ["target_aggregate"]},
    "pool": {"type": "str", "choices": ["ondemand", "spot", "runpod", "contract"]},
    "variant": {"type": "str"},
    "force": {"type": "bool", "default": False},
    "drain": {"type": "bool", "default": False},
    "disable_compute": {"type": "bool", "default": True},
    "wait": {"type": "int", "default": 0},
    "override_protection": {"type": "bool", "default": False},
}
OF_MOVE = {
    "source_aggregate",
    "target_aggregate",
    "commands_executed",
    "execution_time",
    "verification",
}


def run(fleet: Fleet, params: Params, check: bool) -> Result:
    """Move GPU hosts between aggregates."""
    common = given(params, TASK)
    hosts = params["hosts"] or [params["host"]]
    results = fleet.gpu.migrations.run(
        [{**common, "host": host} for host in hosts],
        check=check,
        parallel=params["parallel"],
        max_failures=params["max_failures"],
    )
    if params["hosts"] is None:
        return item(results[0])
    return many(results, [item(result) for result in results])


def item(result: MigrationResult) -> Result:
    """Make the result of one host."""
    whole = {**one(result), **result.model_dump(mode="json", include=OF_MOVE)}
    told = [f"{result.name}: {text}" for text in result.warnings]
    return {**whole, "host": result.name, "warnings": [*whole.get("warnings", []), *told]}


MODULE = Module(
    arguments={
        "argument_spec": {
            **OPENSTACK,
            **NETBOX,
            **PARALLEL,
            **TASK,
            "hosts": {"type": "list", "elements": "str"},
            "max_failures": {"type": "int"},
        },
        "mutually_exclusive": [("host", "hosts")],
        "required_one_of": [("host", "hosts"), ("target", "pool")],
    },
    run=run,
    needs=(
        "hostler.gpu.service",
        "hostler.gpu.migrations",
        "hostler.backends.openstack",
        "hostler.backends.netbox",
        "hostler.plan.journal",
    ),
)
