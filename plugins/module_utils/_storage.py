# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hostler.fleet.storage_pool, storage_volume, and what reads them."""

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

# The fields of StorageVolumeTask.
VOLUME_TASK: Spec = {
    "pool": {"type": "str", "required": True},
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "size": {"type": "str"},
    "format": {"type": "str", "choices": ["raw", "qcow2"]},
    "image": {"type": "str"},
    "checksum": {"type": "str"},
    "clone_volume": {"type": "str"},
    "backing_volume": {"type": "str"},
    "source_pool": {"type": "str"},
    "download_to": {"type": "str"},
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


def volume(fleet: Fleet, params: Params, check: bool) -> Result:
    """Bring a volume to what is wanted."""
    (result,) = fleet.storage.volumes.run([given(params, VOLUME_TASK)], check=check)
    found = result.volume.model_dump(mode="json") if result.volume else None
    return {**one(result), "volume": found}


def secrets(params: Params) -> list[str]:
    """Return what of the addresses must not be told."""
    from hostler.models.url import secrets_of

    listed = (params["checksum"] or "").partition(":")[2]
    return [*secrets_of(params["image"] or ""), *secrets_of(listed)]


def volumes(fleet: Fleet, params: Params, _check: bool) -> Result:
    """Read volumes."""
    found = fleet.storage.volumes.list(params["pool"], params["names"] or ())
    return {"changed": False, "volumes": [one.model_dump(mode="json") for one in found]}


POOL = Module(
    arguments={"argument_spec": {**LIBVIRT, **POOL_TASK}, **ONE_OF}, run=pool, needs=NEEDS
)
POOLS = Module(arguments={"argument_spec": {**LIBVIRT, **NAMES}, **ONE_OF}, run=pools, needs=NEEDS)
VOLUME = Module(
    arguments={"argument_spec": {**LIBVIRT, **VOLUME_TASK}, **ONE_OF},
    run=volume,
    needs=(*NEEDS, "hostler.storage.sources"),
    secrets=secrets,
)
VOLUMES = Module(
    arguments={
        "argument_spec": {**LIBVIRT, **NAMES, "pool": VOLUME_TASK["pool"]},
        **ONE_OF,
    },
    run=volumes,
    needs=NEEDS,
)
