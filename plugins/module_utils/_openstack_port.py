# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hostler.fleet.openstack_server_port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.hostler.fleet.plugins.module_utils._module import (
    OPENSTACK,
    Module,
    Params,
    Result,
    Spec,
    given,
)
from ansible_collections.hostler.fleet.plugins.module_utils._results import one

if TYPE_CHECKING:
    from hostler import Fleet

TASK: Spec = {
    "server": {"type": "str", "required": True},
    "network": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "name": {"type": "str"},
    "subnet": {"type": "str"},
    "fixed_ip": {"type": "str"},
    "mac": {"type": "str"},
    "security_groups": {"type": "list", "elements": "str"},
    "timeout": {"type": "int", "default": 120},
}


def run(fleet: Fleet, params: Params, check: bool) -> Result:
    """Bring a server's port to what is wanted."""
    result = fleet.openstack.run_port(given(params, TASK), check=check)
    return {**one(result), "port": result.port.model_dump(mode="json") if result.port else None}


MODULE = Module(
    arguments={"argument_spec": {**OPENSTACK, **TASK}},
    run=run,
    needs=("hostler.openstack.service", "hostler.backends.openstack", "hostler.plan.journal"),
)
