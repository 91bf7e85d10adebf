# SPDX-License-Identifier: Apache-2.0
"""Storage pools and volumes as they are wanted and as they were found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from hostler.models.problems import checked
from hostler.models.result import Result
from hostler.models.size import Size
from hostler.models.url import check_checksum, check_source
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


Source = Annotated[Text, Field(min_length=1), AfterValidator(check_source)]
Checksum = Annotated[Text, AfterValidator(check_checksum)]
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


class StorageVolumeTask(Part):
    """A volume as it is wanted; what is left out stays as it is.

    What it is made of (``image``, ``clone_volume``, ``backing_volume``) is for a new one; one that
    is there keeps its content.

    Attributes:
        pool: the pool that it is in; it must be active.
        size: what a guest sees. It can grow, and never shrinks.
        format: of a new one: qcow2, or raw in pools of block devices.
        image: a raw or qcow2 file to fill a new one with: a path on the machine that runs Hostler,
            or an address (http, https). An address's login and query are never shown.
        checksum: what the image must have: ``sha256:`` or ``sha512:`` and its digits, or the
            address of a file that lists them.
        clone_volume: the volume that a new one is a full copy of.
        backing_volume: the volume that a new one is a linked clone of.
        source_pool: the pool of that volume; ``pool`` where left out.
        download_to: a file on the machine that runs Hostler that is to have the volume's content.
        force: with ``absent``, although VMs are defined with it; with ``download_to``, although
            running VMs may write to it meanwhile.
    """

    pool: Name
    name: Name
    state: Literal["present", "absent"] = "present"
    size: Size | None = None
    format: Literal["raw", "qcow2"] | None = None
    image: Source | None = None
    checksum: Checksum | None = None
    clone_volume: Name | None = None
    backing_volume: Name | None = None
    source_pool: Name | None = None
    download_to: Annotated[Text, Field(min_length=1)] | None = None
    force: bool = False

    @model_validator(mode="after")
    def _makes_sense(self) -> StorageVolumeTask:
        made_of = [self.image, self.clone_volume, self.backing_volume]
        if len([one for one in made_of if one is not None]) > 1:
            raise ValueError("image, clone_volume and backing_volume exclude each other")
        if self.checksum and not self.image:
            raise ValueError("checksum is for an image")
        if self.source_pool and not (self.clone_volume or self.backing_volume):
            raise ValueError("source_pool is for clone_volume or backing_volume")
        if self.backing_volume and self.format == "raw":
            raise ValueError("a linked clone can't be raw")
        if self.download_to and (self.state == "absent" or self.size or any(made_of)):
            raise ValueError("download_to is for a volume as it is: leave the rest out")
        return self

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> StorageVolumeTask:
        """Check a mapping; keys that are None count as left out.

        Raises:
            InvalidInput: names the field and what is wrong with it.
        """
        given = {key: value for key, value in data.items() if value is not None}
        name = str(given.get("name", ""))[:70]
        return checked(cls, given, on=f"volume {name!r}" if name else "volume")


class StorageVolume(View):
    """A volume as it was found; sizes in bytes.

    Attributes:
        path: where it is; with some pools only a name.
        backing: path of the volume that it is a linked clone of.
    """

    pool: str
    name: str
    path: str
    capacity: int
    allocation: int
    format: str | None = None
    backing: str | None = None


class StorageVolumeResult(Result):
    """What became of a volume; ``volume`` is as it is now, None where there is none."""

    volume: StorageVolume | None = None
