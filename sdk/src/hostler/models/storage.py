# SPDX-License-Identifier: Apache-2.0
"""Storage pools as they are wanted and as they were found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator

from hostler.models.problems import checked
from hostler.models.result import Result
from hostler.models.vm import Name, Part, Text
from hostler.models.vm_view import View

PoolType = Literal[
    "dir", "disk", "fs", "gluster", "iscsi", "iscsi-direct", "logical", "mpath", "netfs", "rbd",
    "scsi", "vstorage", "zfs",
]  # fmt: skip
"""Kinds of pools. Source: https://libvirt.org/storage.html"""


def check_path(value: str) -> str:
    """Refuse paths that do not start at the root.

    Raises:
        ValueError: it does not.
    """
    if not value.startswith("/") or value == "/":
        raise ValueError(f"{value[:70]!r} is not a path from the root on, such as /srv/vms")
    return value.rstrip("/")


AbsolutePath = Annotated[Text, AfterValidator(check_path)]


class StoragePoolTask(Part):
    """A pool as it is wanted; what is left out stays as it is.

    Attributes:
        type: ``dir`` for a new one where it is left out.
        path: where the volumes are.
        source_host: the server of ``netfs``, ``iscsi``, ``gluster`` and ``rbd``.
        source_path: the server's folder.
        source_devices: block devices, or an iSCSI target.
        source_name: a volume group, a zpool, a Ceph pool.
        source_format: of the file system or partition table.
        active: whether it runs; a new one does.
        autostart: whether it starts with the host; a new one does.
        force: although VMs use it.
    """

    name: Name
    state: Literal["present", "absent"] = "present"
    type: PoolType | None = None
    path: AbsolutePath | None = None
    source_host: Text | None = None
    source_path: Text | None = None
    source_devices: tuple[Text, ...] | None = None
    source_name: Text | None = None
    source_format: Text | None = None
    active: bool | None = None
    autostart: bool | None = None
    force: bool = False

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> StoragePoolTask:
        """Check a mapping; keys that are None count as left out.

        Raises:
            InvalidInput: names the field and what is wrong with it.
        """
        given = {key: value for key, value in data.items() if value is not None}
        name = str(given.get("name", ""))[:70]
        return checked(cls, given, on=f"storage pool {name!r}" if name else "storage pool")


class StoragePool(View):
    """A pool as it was found; sizes in bytes, None while it is not active.

    Attributes:
        persistent: whether it is defined, and there after a restart of the host.
        volumes: how many there are.
    """

    name: str
    uuid: str
    active: bool
    autostart: bool
    persistent: bool
    type: str
    path: str | None = None
    source_host: str | None = None
    source_path: str | None = None
    source_devices: tuple[str, ...] = ()
    source_name: str | None = None
    source_format: str | None = None
    capacity: int | None = None
    allocation: int | None = None
    available: int | None = None
    volumes: int | None = None


class StoragePoolResult(Result):
    """What became of a pool; ``pool`` is as it is now, None where there is none."""

    pool: StoragePool | None = None
