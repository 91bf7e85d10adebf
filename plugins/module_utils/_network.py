# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hostler.fleet.network and hostler.fleet.network_info."""

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
from ansible_collections.hostler.fleet.plugins.module_utils._results import one

if TYPE_CHECKING:
    from hostler import Fleet

NEEDS = ("hostler.networks.service", "hostler.backends.libvirt", "hostler.plan.journal")
ONE_OF: Spec = {"mutually_exclusive": [("uri", "host")]}
NEEDED: Spec = {"type": "str", "required": True}
VLANS: Spec = {"type": "list", "elements": "int"}

# The fields of NetworkTask.
TASK: Spec = {
    "name": NEEDED,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "mode": {"type": "str", "choices": ["nat", "routed", "isolated", "bridge", "openvswitch"]},
    "bridge": {"type": "str"},
    "domain": {"type": "str"},
    "mtu": {"type": "int"},
    "address": {"type": "str"},
    "dhcp_ranges": {
        "type": "list",
        "elements": "dict",
        "options": {"start": NEEDED, "end": NEEDED},
    },
    "dhcp_hosts": {
        "type": "list",
        "elements": "dict",
        "options": {"mac": NEEDED, "address": NEEDED, "name": {"type": "str"}},
    },
    "vlans": VLANS,
    "portgroups": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": NEEDED,
            "default": {"type": "bool", "default": False},
            "vlans": VLANS,
        },
    },
    "active": {"type": "bool"},
    "autostart": {"type": "bool"},
    "force": {"type": "bool", "default": False},
}


def network(fleet: Fleet, params: Params, check: bool) -> Result:
    """Bring a network to what is wanted."""
    (result,) = fleet.networks.run([given(params, TASK)], check=check)
    found = result.network.model_dump(mode="json") if result.network else None
    return {**one(result), "network": found}


def networks(fleet: Fleet, params: Params, _check: bool) -> Result:
    """Read networks."""
    found = fleet.networks.list(params["names"] or ())
    return {"changed": False, "networks": [one.model_dump(mode="json") for one in found]}


NETWORK = Module(
    arguments={"argument_spec": {**LIBVIRT, **TASK}, **ONE_OF}, run=network, needs=NEEDS
)
NETWORKS = Module(
    arguments={
        "argument_spec": {
            **LIBVIRT,
            "names": {"type": "list", "elements": "str", "aliases": ["name"]},
        },
        **ONE_OF,
    },
    run=networks,
    needs=NEEDS,
)
