# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hostler.fleet.vm_log_info."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.hostler.fleet.plugins.module_utils._hyperstack import HYPERSTACK
from ansible_collections.hostler.fleet.plugins.module_utils._module import (
    LIBVIRT,
    Module,
    Params,
    Result,
    Spec,
    given,
)

if TYPE_CHECKING:
    from hostler import Fleet

# The fields of LogQuery.
QUERY: Spec = {
    "lines": {"type": "int", "default": 100},
    "since": {"type": "str"},
    "sources": {
        "type": "list",
        "elements": "str",
        "choices": ["guest", "console", "hypervisor"],
    },
    "agent_timeout": {"type": "int", "default": 5},
}


def run(fleet: Fleet, params: Params, _check: bool) -> Result:
    """Read a VM's logs."""
    name, environment = params["name"], params["environment"]
    if environment is not None:
        found = fleet.logs.hyperstack(name, environment=environment, lines=params["lines"])
    else:
        found = fleet.logs.read(name, **given(params, QUERY))
    return {"changed": False, **found.model_dump(mode="json")}


MODULE = Module(
    arguments={
        "argument_spec": {
            **LIBVIRT,
            **HYPERSTACK,
            **QUERY,
            "name": {"type": "str", "required": True, "aliases": ["vm"]},
            "environment": {"type": "str"},
        },
        "mutually_exclusive": [("environment", "uri"), ("environment", "host")],
    },
    run=run,
    needs=("hostler.logs.service", "hostler.backends.libvirt"),
)
