# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hostler.fleet.vm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible.module_utils.common.yaml import yaml_dump
from ansible_collections.hostler.fleet.plugins.module_utils._module import (
    LIBVIRT,
    PARALLEL,
    Module,
    Params,
    Result,
    given,
)
from ansible_collections.hostler.fleet.plugins.module_utils._results import many, one
from ansible_collections.hostler.fleet.plugins.module_utils._vm_spec import DEFAULTS, FIELDS

if TYPE_CHECKING:
    from hostler import Fleet
    from hostler.models.vm_task import VmResult

OPTIONS = {name: {**FIELDS[name], "default": value} for name, value in DEFAULTS.items()}


def run(fleet: Fleet, params: Params, check: bool) -> Result:
    """Bring VMs to what is wanted."""
    from hostler.models.vm_task import VmTask
    from hostler.models.vm_view import unread

    top = given(params, FIELDS)
    items = params["vms"]
    wanted = [top] if items is None else [given(item, FIELDS) for item in items]
    tasks = [VmTask.parse(item, top) for item in wanted]
    results = fleet.vms.run(tasks, check=check, parallel=params["parallel"])
    unknown = unread(result.vm for result in results if result.vm)
    if items is None:
        one = _item(results[0])
        return {**one, "warnings": [*one.get("warnings", []), *unknown]}
    whole = many(results, [_item(result) for result in results])
    whole["warnings"] += unknown
    return {**whole, "vms": [item["vm"] for item in whole["results"] if item["vm"]]}


def prepare(args: Params) -> Params:
    """Write mappings of cloud-init as text.

    Ansible hides each value within a secret option wherever it occurs in a result: of a mapping
    that would be every short word (``web``), of a text only the whole text.
    """
    if isinstance(args.get("vms"), list):
        args = {**args, "vms": [_with_text(item) for item in args["vms"]]}
    return dict(_with_text(args))


def _with_text(args: Any) -> Any:
    seed = args.get("cloud_init") if isinstance(args, dict) else None
    if not isinstance(seed, dict):
        return args
    seed = dict(seed)
    for name, head in (("user_data", "#cloud-config\n"), ("network_config", "")):
        if isinstance(seed.get(name), dict):
            seed[name] = head + yaml_dump(seed[name], default_flow_style=False, sort_keys=False)
    return {**args, "cloud_init": seed}


def _item(result: VmResult) -> Result:
    return {
        **one(result),
        "vm": result.vm.model_dump(mode="json") if result.vm else None,
        "restart_required": result.restart_required,
        "changes_pending": result.changes_pending,
        "placement": result.placement.model_dump(mode="json") if result.placement else None,
    }


MODULE = Module(
    arguments={
        "argument_spec": {
            **LIBVIRT,
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
    prepare=prepare,
    needs=(
        "hostler.vms.service",
        "hostler.backends.libvirt",
        "hostler.plan.journal",
        "hostler.doctor.kvm",
        "hostler.hosts.service",
    ),
)
