# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hostler.fleet.vm_metrics_info, hostler.fleet.host_metrics_info, and the lookups of metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.hostler.fleet.plugins.module_utils._hyperstack import HYPERSTACK
from ansible_collections.hostler.fleet.plugins.module_utils._module import (
    CONFIG,
    LIBVIRT,
    Module,
    Params,
    Result,
    Spec,
    given,
)

if TYPE_CHECKING:
    from hostler import Fleet

# The fields of MetricsQuery.
QUERY: Spec = {
    "metrics": {"type": "list", "elements": "str"},
    "interval": {"type": "str", "choices": ["1m", "5m", "1h", "1d"]},
    "hours": {"type": "int"},
    "aggregation": {"type": "str", "choices": ["avg", "min", "max", "last"], "default": "avg"},
    "window": {"type": "float", "default": 1},
    "timeout": {"type": "float", "default": 30},
}
OF_VMS: Spec = {
    **QUERY,
    "guest": {"type": "bool", "default": False},
    "system": {"type": "str", "choices": ["libvirt", "hyperstack"], "default": "libvirt"},
    "agent_timeout": {"type": "int", "default": 2},
}
NAMES: Spec = {"names": {"type": "list", "elements": "str", "aliases": ["name"]}}
IDS: Spec = {"names": {"type": "list", "elements": "str", "aliases": ["name", "id"]}}


def vms(fleet: Fleet, params: Params, _check: bool = True) -> Result:
    """Read VMs' figures."""
    where = {name: params[name] for name in ("uri", "host")}
    page = fleet.metrics.vms(params["names"] or (), **where, **given(params, OF_VMS))
    return {
        "changed": False,
        "vms": [vm.model_dump(mode="json") for vm in page.vms],
        "unreachable_hosts": page.unreachable_hosts,
        "warnings": list(page.unreachable_hosts.values()),
    }


def hosts(fleet: Fleet, params: Params, _check: bool = True) -> Result:
    """Read hosts' figures."""
    found = fleet.metrics.hosts(params["names"] or (), uri=params["uri"], **given(params, QUERY))
    return {
        "changed": False,
        "hosts": [host.model_dump(mode="json") for host in found],
        "warnings": [host.reason for host in found if host.reason],
    }


def system(fleet: Fleet, params: Params) -> Result:
    """Read the figures of all hosts together."""
    found = fleet.metrics.system(names=params["names"] or (), **given(params, QUERY))
    return {
        "system": found.model_dump(mode="json"),
        "warnings": list(found.unreachable_hosts.values()),
    }


NEEDS = ("hostler.metrics.service", "hostler.backends.libvirt", "hostler.store")
VMS = Module(
    arguments={
        "argument_spec": {**LIBVIRT, **HYPERSTACK, **NAMES, **OF_VMS},
        "mutually_exclusive": [("uri", "host")],
    },
    run=vms,
    needs=NEEDS,
)
HOSTS = Module(
    arguments={
        "argument_spec": {**CONFIG, "uri": {"type": "str"}, **IDS, **QUERY},
        "mutually_exclusive": [("names", "uri")],
    },
    run=hosts,
    needs=NEEDS,
)
