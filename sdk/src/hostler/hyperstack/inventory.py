# SPDX-License-Identifier: Apache-2.0
"""Hyperstack's VMs as plain data, for inventories; the same shape as those of hypervisors."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from hostler.errors import HostlerError
from hostler.models.hyperstack import HyperstackVm

if TYPE_CHECKING:
    from hostler.backends.hyperstack import HyperstackApi

Row = dict[str, Any]

_STATUSES = {
    "ACTIVE": "running",
    "SHUTOFF": "stopped",
    "STOPPING": "stopping",
    "HIBERNATED": "suspended",
    "ERROR": "crashed",
}
"""Hyperstack's statuses in our words; what is on its way is ``unknown``."""


def collect(api: HyperstackApi, *, names: Sequence[str] = (), states: Sequence[str] = ()) -> Row:
    """Read the VMs as one row; where that fails, the row has the reason.

    Args:
        api: Hyperstack.
        names: globs of names; none = all.
        states: statuses in our words; none = all.
    """
    whole: Row = {"uri": api.config.url, "host": "hyperstack", "error": None, "notes": []}
    try:
        regions = {e.name: e.region for e in api.environments()}
        vms = api.vms.list()
    except HostlerError as error:
        return {**whole, "error": str(error), "vms": []}
    rows = [vm_row(vm, regions.get(vm.environment.name or ""), api.config.url) for vm in vms]
    return {
        **whole,
        "vms": [
            row
            for row in rows
            if (not names or any(fnmatchcase(row["name"], glob) for glob in names))
            and (not states or row["status"] in states)
        ],
    }


def vm_row(vm: HyperstackVm, region: str | None, url: str) -> Row:
    """Return a VM as plain data; what is not known is left out."""
    flavor = vm.flavor
    row: Row = {
        "name": vm.name,
        "uuid": str(vm.id),
        "status": _STATUSES.get(vm.status, "unknown"),
        "hyperstack_status": vm.status,
        "uri": url,
        "host": "hyperstack",
        "environment": vm.environment.name,
        "region": region,
        "flavor": flavor.name,
        "gpu": flavor.gpu,
        "gpu_count": flavor.gpu_count,
        "cpu_cores": flavor.cpu,
        "memory_mb": None if flavor.ram is None else int(flavor.ram * 1024),
        "image": vm.image.name,
        "labels": dict(_label(text) for text in vm.labels),
        "addresses": {
            "floating": [vm.floating_ip] if vm.floating_ip else [],
            "fixed": [vm.fixed_ip] if vm.fixed_ip else [],
        },
    }
    return {name: value for name, value in row.items() if value is not None}


def _label(text: str) -> tuple[str, str]:
    """Read a label: ``stage=test`` has a value, a plain word has none."""
    name, _, value = text.partition("=")
    return name, value
