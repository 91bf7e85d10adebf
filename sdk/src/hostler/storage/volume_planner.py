# SPDX-License-Identifier: Apache-2.0
"""Plans what becomes of a volume. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from hostler.config import Policy
from hostler.errors import Conflict, HostlerError, InvalidInput, NotFound, PolicyError
from hostler.models.names import some
from hostler.models.size import format_size
from hostler.models.storage import StorageVolumeTask
from hostler.models.url import is_url
from hostler.plan.plan import Plan
from hostler.plan.step import Step
from hostler.storage.transfer_steps import (
    DiscardVolume,
    DownloadVolume,
    ReplaceByDownload,
    UploadUrl,
)
from hostler.vms.volume_steps import (
    CloneVolume,
    CreateVolume,
    DeleteVolume,
    GrowNewVolume,
    ResizeVolume,
    UploadImage,
)

if TYPE_CHECKING:
    from hostler.backends.libvirt.volumes import PoolState, VolumeState
    from hostler.vms.images import ImageFacts

BLOCK_POOLS = ("logical", "disk", "rbd", "iscsi", "iscsi-direct", "zfs", "scsi", "mpath")


@dataclass(frozen=True)
class FileNow:
    """The file that a volume is to be downloaded to.

    Attributes:
        size: bytes that the volume's content has.
        there: whether there is a file; same: whether it has that content.
        writers: running VMs that can write to the volume meanwhile.
    """

    path: str
    size: int
    there: bool
    same: bool
    writers: Sequence[str] = ()


@dataclass(frozen=True)
class VolumeNow:
    """What is known before a volume is planned.

    Attributes:
        pool: the pool; None where there is none of that name.
        volume: the volume; None where it is not there.
        origin: the volume that a new one is made of; None where it is not there.
        image: the file that a new one is made of; checksum: what it must have.
        users: VMs that have it as a disk.
        clones: volumes that it backs.
        interrupted: whether it is what an interrupted upload or copy has left.
        file: the file that it is downloaded to.
    """

    pool: PoolState | None
    volume: VolumeState | None = None
    origin: VolumeState | None = None
    image: ImageFacts | None = None
    checksum: str | None = None
    users: Sequence[str] = ()
    clones: Sequence[str] = ()
    interrupted: bool = False
    file: FileNow | None = None


def plan_volume(uri: str, task: StorageVolumeTask, now: VolumeNow, policy: Policy) -> Plan:
    """Plan one volume.

    Raises:
        NotFound: there is no such pool, or nothing to make it of.
        InvalidInput: the pool is not active, or a new volume has no size.
        Conflict: it is in use, would shrink, or has another format.
        PolicyError: the fleet's policy forbids it.
    """
    try:
        plan = _absent(uri, task, now) if task.state == "absent" else _present(uri, task, now)
        if plan.changed and policy.read_only:
            hint = "Unset policy.read_only in fleet.yml to change it."
            raise PolicyError("the fleet is read-only", hint=hint)
    except HostlerError as error:
        error.on = error.on or f"volume {task.name!r} in pool {task.pool!r} on {uri}"
        error.args = (str(error),)
        raise
    return plan


def _absent(uri: str, task: StorageVolumeTask, now: VolumeNow) -> Plan:
    target = f"storage_volume/{task.pool}/{task.name}"
    if now.pool is not None and not now.pool.active:
        raise _not_active(task)
    if now.volume is None:
        return Plan(target=target, summary="nothing to do")
    if now.clones:
        what = f"it is what these volumes are linked to: {some(now.clones)}"
        raise Conflict(what, hint="Delete those first; without it their data is lost.")
    warnings = []
    if now.users:
        if not task.force:
            what = f"VMs have it as a disk: {some(now.users)}"
            raise Conflict(what, hint="Take it from them first, or say force: true.")
        warnings.append(f"These VMs have it as a disk: {some(now.users)}")
    return Plan(
        target=target,
        summary=f"delete volume {task.name} in pool {task.pool}",
        before=_shown(now.volume),
        warnings=warnings,
        steps=[DeleteVolume(uri=uri, pool=task.pool, name=task.name)],
    )


def _present(uri: str, task: StorageVolumeTask, now: VolumeNow) -> Plan:
    if now.pool is None:
        hint = "Make it with storage_pool, or see 'hostler storage pool list'."
        raise NotFound(f"there is no storage pool {task.pool!r}", hint=hint)
    if not now.pool.active:
        raise _not_active(task)
    if now.volume is None or now.interrupted:
        return _new(uri, task, now, now.pool)
    have = now.volume
    if now.file is not None:
        return _download(uri, task, now.file, have)
    if task.format and have.format and task.format != have.format:
        hint = "Leave 'format' out, or give the new one another name."
        raise Conflict(f"it is {have.format}, and {task.format} is wanted", hint=hint)
    target = f"storage_volume/{task.pool}/{task.name}"
    before = _shown(have)
    if task.size is None or task.size == have.capacity:
        return Plan(target=target, summary="nothing to do", before=before, after=before)
    _check_growth(task.size, now, have)
    return Plan(
        target=target,
        summary=f"grow volume {task.name} in pool {task.pool} to {format_size(task.size)}",
        before=before,
        after={**before, "size": format_size(task.size)},
        steps=[ResizeVolume(uri=uri, pool=task.pool, name=task.name, capacity=task.size)],
    )


def _download(uri: str, task: StorageVolumeTask, file: FileNow, have: VolumeState) -> Plan:
    target, before = f"storage_volume/{task.pool}/{task.name}", _shown(have)
    after = {**before, "download_to": file.path}
    if file.same:
        return Plan(target=target, summary="nothing to do", before=after, after=after)
    warnings = []
    if file.writers:
        if not task.force:
            what = f"running VMs can write to it: {some(file.writers)}"
            hint = "Stop them first, or say force: true, and the file may not be of one moment."
            raise Conflict(what, hint=hint)
        warnings.append(f"These running VMs can write to it meanwhile: {some(file.writers)}")
    step = ReplaceByDownload if file.there else DownloadVolume
    return Plan(
        target=target,
        summary=f"download volume {task.name} in pool {task.pool} to {file.path}",
        before=before,
        after=after,
        warnings=warnings,
        steps=[step(uri=uri, pool=task.pool, name=task.name, path=file.path, size=file.size)],
    )


def _check_growth(size: int, now: VolumeNow, have: VolumeState) -> None:
    if size < have.capacity:
        what = f"it has {format_size(have.capacity)}; shrinking it to {format_size(size)}"
        hint = "Ask for its present size or more."
        raise Conflict(f"{what} would lose data and is refused", hint=hint)
    if now.clones:
        what = f"it is what these volumes are linked to: {some(now.clones)}"
        raise Conflict(what, hint="Grow those.")
    if now.users:
        what = f"VMs have it as a disk: {some(now.users)}"
        hint = "Grow the disk of the VM: its size in 'disks'; a running guest sees it at once."
        raise Conflict(what, hint=hint)


def _new(uri: str, task: StorageVolumeTask, now: VolumeNow, pool: PoolState) -> Plan:
    warnings = _check_interrupted(task, now)
    if task.download_to:
        hint = "See which there are: storage_volume_info"
        raise NotFound("there is no such volume to download", hint=hint)
    least, format = _origin(task, now, pool)
    size = least if task.size is None else task.size
    if size is None:
        hint = "Give it a 'size', an 'image', a 'clone_volume' or a 'backing_volume'."
        raise InvalidInput("it is new and has no size", hint=hint)
    if least is not None and size < least:
        what = f"{format_size(size)} is less than what it is made of: {format_size(least)}"
        raise InvalidInput(what, hint="Leave 'size' out, or ask for more.")
    place = {"uri": uri, "pool": task.pool, "name": task.name}
    steps: list[Step] = [DiscardVolume(**place)] if now.interrupted else []
    steps += _making(uri, task, now, format, size)
    if least is not None and size != least and not task.backing_volume:
        steps.append(GrowNewVolume(**place, capacity=size))
    after: dict[str, Any] = {"size": format_size(size), "format": format}
    if task.backing_volume and now.origin:
        after["backing"] = now.origin.path
    return Plan(
        target=f"storage_volume/{task.pool}/{task.name}",
        summary=f"create volume {task.name} in pool {task.pool}",
        after=after,
        warnings=warnings,
        steps=steps,
    )


def _check_interrupted(task: StorageVolumeTask, now: VolumeNow) -> list[str]:
    """Return what is to be said of a volume that is not whole.

    Raises:
        Conflict: it can't be made anew.
    """
    if not now.interrupted:
        return []
    what = "the upload or copy that made it was interrupted"
    if not (task.image or task.clone_volume):
        hint = "Run that task again, or delete the volume first."
        raise Conflict(f"{what}: it is not whole", hint=hint)
    if now.users or now.clones:
        using = some([*now.users, *now.clones])
        raise Conflict(f"{what}, but it is in use: {using}", hint="Take it from them first.")
    return [f"{what[0].upper()}{what[1:]}; it is made anew"]


def _origin(task: StorageVolumeTask, now: VolumeNow, pool: PoolState) -> tuple[int | None, str]:
    """Return the size and the format of what a new volume is made of."""
    usual = "raw" if pool.type in BLOCK_POOLS else "qcow2"
    if now.image is not None:
        if task.format and task.format != now.image.format:
            hint = "Leave 'format' out, or convert the image with 'qemu-img convert'."
            what = f"image {now.image.path} is {now.image.format}, not {task.format}"
            raise InvalidInput(what, hint=hint)
        return now.image.capacity, now.image.format
    name = task.clone_volume or task.backing_volume
    if name is None:
        return None, task.format or usual
    if now.origin is None:
        raise NotFound(f"there is no volume {name!r} in pool {task.source_pool or task.pool!r}")
    if task.backing_volume:
        return now.origin.capacity, "qcow2"
    return now.origin.capacity, task.format or now.origin.format or usual


def _making(
    uri: str, task: StorageVolumeTask, now: VolumeNow, format: str, size: int
) -> list[Step]:
    place = {"uri": uri, "pool": task.pool, "name": task.name}
    if now.image is not None:
        create = CreateVolume(**place, capacity=now.image.capacity, format=format)
        return [create, _upload(place, task, now.image, now.checksum)]
    if task.clone_volume and now.origin:
        origin = now.origin
        return [CloneVolume(**place, from_pool=origin.pool, from_volume=origin.name, format=format)]
    if now.origin is None:
        return [CreateVolume(**place, capacity=size, format=format)]
    return [
        CreateVolume(
            **place,
            capacity=size,
            format=format,
            backing_path=now.origin.path,
            backing_format=now.origin.format or "raw",
        )
    ]


def _upload(
    place: dict[str, str], task: StorageVolumeTask, image: ImageFacts, checksum: str | None
) -> Step:
    given = task.image or ""
    if not is_url(given):
        return UploadImage(**place, image=image.path, size=image.size)
    secret = SecretStr(given) if image.path != given else None
    return UploadUrl(**place, url=image.path, secret=secret, size=image.size, checksum=checksum)


def _not_active(task: StorageVolumeTask) -> InvalidInput:
    hint = f"Start it: hostler storage pool set {task.pool} --active"
    return InvalidInput(f"storage pool {task.pool!r} is not active", hint=hint)


def _shown(volume: VolumeState) -> dict[str, Any]:
    shown = {
        "size": format_size(volume.capacity),
        "format": volume.format,
        "backing": volume.backing,
    }
    return {key: value for key, value in shown.items() if value is not None}
