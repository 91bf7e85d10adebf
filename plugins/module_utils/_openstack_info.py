# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hostler.fleet.openstack_server_info and hostler.fleet.openstack_network_info."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.hostler.fleet.plugins.module_utils._module import (
    OPENSTACK,
    Module,
    Params,
    Result,
)

if TYPE_CHECKING:
    from hostler import Fleet

FILTERS = ("name", "host", "project", "status")
NEEDS = ("hostler.openstack.service", "hostler.backends.openstack")


def servers(fleet: Fleet, params: Params, _check: bool) -> Result:
    """Read servers."""
    filters = {name: params[name] for name in FILTERS}
    found = fleet.openstack.servers(ports=params["ports"], **filters)
    return {"changed": False, "servers": [one.model_dump(mode="json") for one in found]}


def networks(fleet: Fleet, params: Params, _check: bool) -> Result:
    """Read networks."""
    found = fleet.openstack.networks(params["name"], ports=params["ports"])
    return {"changed": False, "networks": [one.model_dump(mode="json") for one in found]}


SERVERS = Module(
    arguments={
        "argument_spec": {
            **OPENSTACK,
            **{name: {"type": "str"} for name in FILTERS},
            "ports": {"type": "bool", "default": False},
        }
    },
    run=servers,
    needs=NEEDS,
)
NETWORKS = Module(
    arguments={
        "argument_spec": {
            **OPENSTACK,
            "name": {"type": "str"},
            "ports": {"type": "bool", "default": False},
        }
    },
    run=networks,
    needs=NEEDS,
)
