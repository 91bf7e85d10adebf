# SPDX-License-Identifier: Apache-2.0
"""Disks to volumes: which exist, which are made, of what, how large."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hostler.errors import Conflict, InvalidInput, NotFound
from hostler.models.devices import Backing, Disk
from hostler.models.size import format_size
from hostler.vms.domain.disks import (
    Source,
    free_target,
    match_disks,
    source_of,
)
from hostler.vms.domain.tree import Element, attr
from hostler.vms.volume_steps import (
    CloneVolume,
    CreateVolume,
    GrowNewVolume,
    ResizeBlock,
    ResizeVolume,
    UploadImage,
)

if TYPE_CHECKING:
    from hostler.backends.libvirt.volumes import PoolState, VolumeState
    from hostler.plan.step import Step
    from hostler.vms.observe import Observed

DEFAULT_POOL = "default"
_PATHS = {"dir": "file", "fs": "file", "netfs": "file", "logical": "block"}
"""Pool types whose volumes have a path that is known before they are made."""


@dataclass
class ResolvedDisk:
    """A wanted disk with its target, its source, and the steps that make or grow it.

    Attributes:
        make: steps that make its volume.
        grow_live: growing it while the VM runs; grow_cold: while it is stopped.
        size: its size afterwards, None where it is not known or stays.
    """

    disk: Disk
    source: Source
    make: list[Step] = field(default_factory=list)
    grow_live: list[Step] = field(default_factory=list)
    grow_cold: list[Step] = field(default_factory=list)
    size: int | None = None


def find_drive(tree: Element, resolved: ResolvedDisk) -> Element | None:
    """Return the drive of a resolved disk in a tree."""
    return match_disks(tree, [resolved.disk], [resolved.source])[0]


def pool_of(observed: Observed, name: str) -> PoolState:
    """Return a pool.

    Raises:
        NotFound: there is none of that name.
        InvalidInput: it is not active.
    """
    pool = observed.host.pools.get(name)
    if pool is None:
        hint = f"See 'hostler storage pool list', or make it: 'hostler storage pool set {name}'."
        raise NotFound(f"there is no storage pool {name!r}", hint=hint)
    if not pool.active:
        raise InvalidInput(
            f"storage pool {name!r} is not active",
            hint=f"Start it: hostler storage pool set {name} --active",
        )
    return pool


def volume_of(observed: Observed, pool: str, name: str) -> VolumeState:
    """Return a volume that must be there.

    Raises:
        NotFound: it is not.
    """
    pool_of(observed, pool)
    volume = observed.volumes.get((pool, name))
    if volume is None:
        raise NotFound(f"there is no volume {name!r} in pool {pool!r}")
    return volume


def volume_source(pool: PoolState, name: str, format: str | None) -> Source:
    """Return where a volume's content is, known before the volume is made."""
    if pool.path is not None and pool.type in _PATHS:
        path = f"{pool.path.rstrip('/')}/{name}"
        return Source(_PATHS[pool.type], path=path, format=format)
    return Source("volume", pool=pool.name, volume=name, format=format)


def resolve_disks(
    vm: str, disks: tuple[Disk, ...], tree: Element, observed: Observed, used: set[str]
) -> list[ResolvedDisk]:
    """Work out every wanted disk of a VM.

    Args:
        vm: the VM's name; new volumes are named after it and the target.
        disks: what is wanted.
        tree: the VM's definition.
        observed: the world.
        used: targets that are taken; those of new disks are added.
    """
    sources = [_named_source(disk, observed) for disk in disks]
    pairs = match_disks(tree, disks, sources)
    resolved = []
    for disk, source, drive in zip(disks, sources, pairs, strict=True):
        if disk.state == "absent":
            resolved.append(ResolvedDisk(disk, source))
        elif drive is not None:
            resolved.append(_existing(vm, disk, drive, observed))
        else:
            resolved.append(_new(vm, disk, source, observed, used))
    return resolved


def _named_source(disk: Disk, observed: Observed) -> Source:
    if disk.path:
        kind = "block" if disk.path.startswith("/dev/") else "file"
        return Source(kind, path=disk.path, format=disk.format or "raw")
    if not disk.volume:
        return Source("volume")
    name = disk.pool or DEFAULT_POOL
    pool = observed.host.pools.get(name) if disk.state == "absent" else pool_of(observed, name)
    if pool is None:
        return Source("volume", pool=name, volume=disk.volume)
    volume = observed.volumes.get((name, disk.volume))
    source = volume_source(pool, disk.volume, disk.format or (volume.format if volume else None))
    if volume is not None and source.path is not None:
        return Source(source.type, path=volume.path, format=source.format)
    return source


def _existing(vm: str, disk: Disk, drive: Element, observed: Observed) -> ResolvedDisk:
    """A disk that the VM has: it can grow, nothing else of its volume changes."""
    target = str(attr(drive, "target", "dev"))
    source = source_of(drive) or Source("file")
    named = disk.model_copy(update={"target": target, "volume": None, "path": None, "pool": None})
    if disk.volume or disk.path:
        named = disk.model_copy(update={"target": target})
        wanted = _named_source(disk, observed)
        same = (wanted.path, wanted.pool, wanted.volume) == (
            source.path,
            source.pool,
            source.volume,
        )
        source = source if same else wanted
    resolved = ResolvedDisk(named, source)
    have = observed.sizes.get(target)
    if disk.size is None or disk.size == have:
        return resolved
    if have is None:
        raise InvalidInput(
            f"the size of disk {target} is not known, so it can't be changed",
            hint="Its path is in no storage pool; add one, or resize it with qemu-img.",
        )
    if disk.size < have:
        raise InvalidInput(
            f"disk {target} has {format_size(have)}; shrinking it to {format_size(disk.size)} "
            "would lose data and is refused",
            hint="Ask for its present size or more.",
        )
    resolved.size = disk.size
    uri, volume = observed.host.uri, observed.disks.get(target)
    resolved.grow_live = [ResizeBlock(uri=uri, name=vm, target=target, capacity=disk.size)]
    if volume is not None:
        resolved.grow_cold = [
            ResizeVolume(uri=uri, pool=volume.pool, name=volume.name, capacity=disk.size)
        ]
    return resolved


def _new(vm: str, disk: Disk, source: Source, observed: Observed, used: set[str]) -> ResolvedDisk:
    """A disk that the VM does not have: an existing volume or path, or a new volume."""
    target = disk.target or free_target(used, disk.bus or "virtio")
    if target in used:
        raise InvalidInput(f"disk target {target} is in use")
    used.add(target)
    disk = disk.model_copy(update={"target": target})
    if disk.path:
        return ResolvedDisk(disk, source)
    pool = pool_of(observed, disk.pool or DEFAULT_POOL)
    existing = observed.volumes.get((pool.name, disk.volume or ""))
    if existing is not None:
        return _adopted(disk, existing, source, observed)
    return _made(vm, disk, target, pool, observed)


def _adopted(disk: Disk, volume: VolumeState, source: Source, observed: Observed) -> ResolvedDisk:
    """A volume that is there already is used as it is."""
    if disk.image or disk.backing or disk.clone:
        raise Conflict(
            f"volume {volume.name!r} exists already in pool {volume.pool!r}",
            hint="Leave the source out to use it as it is, or delete it first.",
        )
    resolved = ResolvedDisk(disk, source, size=volume.capacity)
    if disk.size and disk.size < volume.capacity:
        raise InvalidInput(
            f"volume {volume.name!r} has {format_size(volume.capacity)}; shrinking it is refused"
        )
    if disk.size and disk.size > volume.capacity:
        resolved.size = disk.size
        resolved.make = [
            ResizeVolume(
                uri=observed.host.uri, pool=volume.pool, name=volume.name, capacity=disk.size
            )
        ]
    return resolved


def _made(vm: str, disk: Disk, target: str, pool: PoolState, observed: Observed) -> ResolvedDisk:
    """A new volume: empty, from an image, a linked or a full clone."""
    origin, format = _origin(disk, pool, observed)
    name = disk.volume or f"{vm}-{target}.{format}"
    capacity = origin if disk.size is None else disk.size
    if capacity is None:
        raise InvalidInput(
            f"disk {target} is new and has no size",
            hint="Give it a 'size', an 'image', a 'backing' or a 'clone'.",
        )
    if origin is not None and capacity < origin:
        raise InvalidInput(
            f"disk {target} is to have {format_size(capacity)}, but what it is made of has "
            f"{format_size(origin)}"
        )
    if name in observed.host.volume_names[pool.name]:
        raise Conflict(
            f"volume {name!r} exists already in pool {pool.name!r}",
            hint=f"Say 'volume: {name}' to use it as it is, or delete it first.",
        )
    source = volume_source(pool, name, format)
    steps = _volume_steps(disk, (pool.name, name), format, capacity, observed)
    if capacity != origin and (disk.image or disk.clone):
        grow = GrowNewVolume(uri=observed.host.uri, pool=pool.name, name=name, capacity=capacity)
        steps.append(grow)
    return ResolvedDisk(disk, source, make=steps, size=capacity)


def _origin(disk: Disk, pool: PoolState, observed: Observed) -> tuple[int | None, str]:
    """Return the size and the format of what a new volume is made of."""
    usual = "raw" if pool.type in ("logical", "disk", "rbd") else "qcow2"
    if disk.image:
        image = observed.images[disk.image]
        if disk.format and disk.format != image.format:
            raise InvalidInput(
                f"image {disk.image} is {image.format}, not {disk.format}",
                hint="Leave 'format' out, or convert the image with 'qemu-img convert'.",
            )
        return image.capacity, image.format
    other = disk.backing or disk.clone
    if other is None:
        return None, disk.format or usual
    volume = _source_volume(other, disk, observed)
    if disk.backing:
        return volume.capacity, "qcow2"
    return volume.capacity, disk.format or volume.format or usual


def _source_volume(other: Backing, disk: Disk, observed: Observed) -> VolumeState:
    return volume_of(observed, other.pool or disk.pool or DEFAULT_POOL, other.volume)


def _volume_steps(
    disk: Disk, place: tuple[str, str], format: str, capacity: int, observed: Observed
) -> list[Step]:
    uri, (pool, name) = observed.host.uri, place
    if disk.image:
        image = observed.images[disk.image]
        return [
            CreateVolume(uri=uri, pool=pool, name=name, capacity=image.capacity, format=format),
            UploadImage(uri=uri, pool=pool, name=name, image=image.path, size=image.size),
        ]
    if disk.clone:
        volume = _source_volume(disk.clone, disk, observed)
        clone = CloneVolume(
            uri=uri,
            pool=pool,
            name=name,
            from_pool=volume.pool,
            from_volume=volume.name,
            format=format,
        )
        return [clone]
    backing = _source_volume(disk.backing, disk, observed) if disk.backing else None
    create = CreateVolume(
        uri=uri,
        pool=pool,
        name=name,
        capacity=capacity,
        format=format,
        backing_path=backing.path if backing else None,
        backing_format=(backing.format or "raw") if backing else None,
    )
    return [create]
