# SPDX-License-Identifier: Apache-2.0
"""Reads what a plan for a volume needs, and nothing that it doesn't."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hostler.models.storage import StorageVolumeTask
from hostler.storage.sources import find_checksum, read_source
from hostler.storage.volume_planner import FileNow, VolumeNow
from hostler.storage.whole_file import file_at, same_content

if TYPE_CHECKING:
    from hostler.backends.libvirt import Hypervisor
    from hostler.backends.libvirt.volumes import PoolState, VolumeState
    from hostler.fleet import Fleet


def observe_volume(
    fleet: Fleet, task: StorageVolumeTask, hypervisor: Hypervisor, *, interrupted: bool
) -> VolumeNow:
    """Read a volume, who uses it, and what it would be made of.

    ``interrupted`` says that a plan which was to make it has stopped half way.
    """
    pool = hypervisor.volumes.pool(task.pool)
    if pool is None or not pool.active:
        return VolumeNow(pool)
    volume = hypervisor.volumes.find(task.pool, task.name)
    if volume is not None and not (interrupted and task.state == "present"):
        return _there(task, hypervisor, pool, volume)
    if task.state == "absent":
        return VolumeNow(pool)
    name = task.clone_volume or task.backing_volume
    source = hypervisor.volumes.find(task.source_pool or task.pool, name) if name else None
    image = checksum = None
    if task.image:
        checksum = find_checksum(fleet, task.image, task.checksum)
        image = read_source(fleet, task.image, checksum)
    return VolumeNow(
        pool,
        volume,
        origin=source,
        image=image,
        checksum=checksum,
        interrupted=volume is not None,
        users=_users(volume, hypervisor) if volume else (),
        clones=_clones(volume, hypervisor) if volume else (),
    )


def _there(
    task: StorageVolumeTask, hypervisor: Hypervisor, pool: PoolState, volume: VolumeState
) -> VolumeNow:
    """Read who uses a volume that is there, where it would grow, be deleted or downloaded."""
    if task.download_to:
        return VolumeNow(pool, volume, file=_file(task.download_to, volume, hypervisor))
    if task.state == "present" and task.size in (None, volume.capacity):
        return VolumeNow(pool, volume)
    users, clones = _users(volume, hypervisor), _clones(volume, hypervisor)
    return VolumeNow(pool, volume, users=users, clones=clones)


def _file(path: str, volume: VolumeState, hypervisor: Hypervisor) -> FileNow:
    file, volumes = file_at(path), hypervisor.volumes
    size = volumes.physical(volume.pool, volume.name)
    there = file.exists()
    same = (
        there
        and file.stat().st_size == size
        and same_content(file, volumes.content(volume.pool, volume.name))
    )
    writers = hypervisor.pools.writers(volume.pool, volume.name, volume.path)
    return FileNow(str(file), size, there=there, same=same, writers=writers)


def _users(volume: VolumeState, hypervisor: Hypervisor) -> Sequence[str]:
    return hypervisor.pools.volume_users(volume.pool, volume.name, volume.path)


def _clones(volume: VolumeState, hypervisor: Hypervisor) -> Sequence[str]:
    """Name the volumes, in all active pools, that a volume backs."""
    pools = [pool.name for pool in hypervisor.pools.all() if pool.active]
    return [
        other.name
        for pool in pools
        for other in hypervisor.volumes.all(pool)
        if other.backing == volume.path
    ]
