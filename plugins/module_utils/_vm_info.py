# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hostler.fleet.vm_info."""

from __future__ import annotations

from typing import TYPE_CHECKING

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

STATUS = ["running", "paused", "stopping", "stopped", "crashed", "suspended", "unknown"]
SORT = ["name", "status", "cpu_cores", "memory_mb"]

# The fields of VmQuery that choose VMs; vm_batch has them too.
FILTERS: Spec = {
    "names": {"type": "list", "elements": "str", "aliases": ["name"]},
    "status": {"type": "list", "elements": "str", "choices": STATUS},
    "os_type": {"type": "str"},
    "labels": {"type": "dict"},
    "search": {"type": "str"},
}
QUERY: Spec = {
    **FILTERS,
    "fields": {
        "type": "list",
        "elements": "str",
        "choices": ["config", "hardware", "stats", "addresses", "snapshots", "xml"],
    },
    "sort": {
        "type": "str",
        "choices": [*SORT, *(f"-{name}" for name in SORT)],
        "default": "name",
    },
    "page": {"type": "int", "default": 1},
    "limit": {"type": "int", "default": 0},
    "agent_timeout": {"type": "int", "default": 2},
}


def run(fleet: Fleet, params: Params, _check: bool) -> Result:
    """Read VMs."""
    from hostler.models.problems import checked
    from hostler.models.vm_task import VmQuery

    page = fleet.vms.find(checked(VmQuery, given(params, QUERY)))
    return {
        "changed": False,
        "warnings": page.warnings,
        "vms": [vm.model_dump(mode="json") for vm in page.vms],
        "unreachable_hosts": page.unreachable_hosts,
        "total": page.total,
        "pagination": {
            "page": page.page,
            "limit": page.limit,
            "total": page.total,
            "pages": page.pages,
        },
    }


MODULE = Module(
    arguments={"argument_spec": {**LIBVIRT, **QUERY}},
    run=run,
    needs=("hostler.vms.service", "hostler.backends.libvirt"),
)
