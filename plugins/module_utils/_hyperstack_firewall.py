# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hostler.fleet.hyperstack_firewall, hyperstack_firewall_attachment, hyperstack_firewall_info."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.hostler.fleet.plugins.module_utils._hyperstack import (
    CHANGES,
    HYPERSTACK,
    READS,
    RULES,
    item,
)
from ansible_collections.hostler.fleet.plugins.module_utils._module import (
    Module,
    Params,
    Result,
    Spec,
    given,
)

if TYPE_CHECKING:
    from hostler import Fleet

TASK: Spec = {
    "name": {"type": "str", "required": True},
    "environment": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "description": {"type": "str"},
    "rules": RULES,
}
ATTACHMENT_TASK: Spec = {
    "firewall": {"type": "str", "required": True},
    "environment": {"type": "str", "required": True},
    "vms": {"type": "list", "elements": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent", "exact"], "default": "present"},
    "wait_timeout": {"type": "int", "default": 300},
}


def run(fleet: Fleet, params: Params, check: bool) -> Result:
    """Bring a firewall to what is wanted."""
    return item(fleet.hyperstack.firewalls.run(given(params, TASK), check=check), "firewall")


def attach(fleet: Fleet, params: Params, check: bool) -> Result:
    """Attach a firewall to VMs, or detach it."""
    task = given(params, ATTACHMENT_TASK)
    return item(fleet.hyperstack.firewalls.attach(task, check=check), "firewall")


def read(fleet: Fleet, params: Params, _check: bool) -> Result:
    """Read firewalls."""
    firewalls, name = fleet.hyperstack.firewalls, params["name"]
    found = [
        firewall.model_dump(mode="json")
        for firewall in firewalls.list(params["environment"])
        if name is None or name in (firewall.name, str(firewall.id))
    ]
    return {"changed": False, "firewalls": found}


FIREWALL = Module(arguments={"argument_spec": {**HYPERSTACK, **TASK}}, run=run, needs=CHANGES)
ATTACHMENT = Module(
    arguments={"argument_spec": {**HYPERSTACK, **ATTACHMENT_TASK}}, run=attach, needs=CHANGES
)
INFO = Module(
    arguments={
        "argument_spec": {**HYPERSTACK, "name": {"type": "str"}, "environment": {"type": "str"}}
    },
    run=read,
    needs=READS,
)
