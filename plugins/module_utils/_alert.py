# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hostler.fleet.alert_info, and the lookup alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.hostler.fleet.plugins.module_utils._module import (
    OPENSTACK,
    Module,
    Params,
    Result,
    Spec,
)
from ansible_collections.hostler.fleet.plugins.module_utils._netbox import NETBOX

if TYPE_CHECKING:
    from hostler import Fleet

FILTERS: Spec = {
    "severities": {
        "type": "list",
        "elements": "str",
        "choices": ["critical", "warning", "info"],
        "aliases": ["severity"],
    },
    "rules": {"type": "list", "elements": "str", "aliases": ["rule"]},
    "resources": {"type": "list", "elements": "str", "aliases": ["resource"]},
    "timeout": {"type": "float", "default": 30},
}


def alerts(fleet: Fleet, params: Params, _check: bool = True) -> Result:
    """Look at everything by the rules."""
    page = fleet.alerts.read(
        severities=params["severities"] or (),
        rules=params["rules"] or (),
        resources=params["resources"] or (),
        timeout=params["timeout"],
    )
    return {"changed": False, "counts": dict(page.counts), **page.model_dump(mode="json")}


INFO = Module(
    arguments={"argument_spec": {**OPENSTACK, **NETBOX, "uri": {"type": "str"}, **FILTERS}},
    run=alerts,
    needs=(
        "hostler.alerts.service",
        "hostler.metrics.service",
        "hostler.hosts.service",
        "hostler.backends.libvirt",
    ),
)
