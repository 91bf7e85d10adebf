# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hostler.fleet.storage_pool and hostler.fleet.storage_pool_info."""

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

NEEDS = ("hostler.storage.service", "hostler.backends.libvirt", "hostler.plan.journal")
ONE_OF: Spec = {"mutually_exclusive": [("uri", "host")]}
NAMES: Spec = {"names": {"type": "list", "elements": "str", "aliases": ["name"]}}

# The fields of StoragePoolTask.
POOL_TASK: Spec = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "type": {
        "type": "str",
        "choices": [
            *("dir", "disk", "fs", "gluster", "iscsi", "iscsi-direct", "logical"),
            *("mpath", "netfs", "rbd", "scsi", "vstorage", "zfs"),
        ],
    },
    "path": {"type": "str"},
    "source_host": {"type": "str"},
    "source_path": {"type": "str"},
    "source_devices": {"type": "list", "elements": "str"},
    "source_name": {"type": "str"},
    "source_format": {"type": "str"},
    "active": {"type": "bool"},
    "autostart": {"type": "bool"},
    "force": {"type": "bool", "default": False},
}


def pool(fleet: Fleet, params: Params, check: bool) -> Result:
    """Bring a pool to what is wanted."""
    (result,) = fleet.storage.run_pools([given(params, POOL_TASK)], check=check)
    found = result.pool.model_dump(mode="json") if result.pool else None
    return {**one(result), "pool": found}


def pools(fleet: Fleet, params: Params, _check: bool) -> Result:
    """Read pools."""
    found = fleet.storage.pools(params["names"] or ())
    return {"changed": False, "pools": [one.model_dump(mode="json") for one in found]}


POOL = Module(
    arguments={"argument_spec": {**LIBVIRT, **POOL_TASK}, **ONE_OF}, run=pool, needs=NEEDS
)
POOLS = Module(arguments={"argument_spec": {**LIBVIRT, **NAMES}, **ONE_OF}, run=pools, needs=NEEDS)
