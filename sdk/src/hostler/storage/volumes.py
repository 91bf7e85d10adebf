# SPDX-License-Identifier: Apache-2.0
"""fleet.storage.volumes: the volumes in the pools of hypervisors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from hostler.errors import HostlerError, InvalidInput, NotFound
from hostler.models.storage import StorageVolume, StorageVolumeResult, StorageVolumeTask
from hostler.plan.plan import Plan
from hostler.plan.results import Became, apply_all, failed, result_of
from hostler.plan.runner import OnProgress
from hostler.storage.volume_planner import VolumeNow, plan_volume
from hostler.vms.images import read_image

if TYPE_CHECKING:
    from hostler.backends.libvirt import Hypervisor
    from hostler.backends.libvirt.volumes import VolumeState
    from hostler.fleet import Fleet

Asked = StorageVolumeTask | Mapping[str, Any]


class StorageVolumes:
    """Volumes. ``uri`` and ``host`` name a hypervisor; the fleet's own where left out."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def list(
        self,
        pool: str,
        names: Sequence[str] = (),
        *,
        uri: str | None = None,
        host: str | None = None,
    ) -> Sequence[StorageVolume]:
        """Read the volumes of a pool, by name.

        Args:
            pool: the pool; it must be active.
            names: names or globs; all volumes where left out.
            uri: a hypervisor.
            host: a host of the pool of hypervisors, in place of its URI.

        Raises:
            NotFound: there is no such pool, or no volume of a name that is no glob.
            InvalidInput: the pool is not active.
        """
        hypervisor = self._fleet.hypervisor(uri, host)
        found = hypervisor.volumes.pool(pool)
        on = f"storage pool {pool!r} on {hypervisor.uri}"
        if found is None:
            hint = "See which there are: virsh pool-list --all"
            raise NotFound("there is none", on=on, hint=hint)
        if not found.active:
            raise InvalidInput("it is not active", on=on, hint=f"Start it: virsh pool-start {pool}")
        volumes = [_view(volume) for volume in hypervisor.volumes.all(pool)]
        for name in names:
            if not set("*?[") & set(name) and name not in {one.name for one in volumes}:
                raise NotFound(f"there is no volume {name!r}", on=on)
        return [
            one
            for one in volumes
            if not names or any(fnmatchcase(one.name, name) for name in names)
        ]

    def plan(self, task: Asked, *, uri: str | None = None, host: str | None = None) -> Plan:
        """Plan one volume without touching anything.

        Raises:
            HostlerError: it can't be done.
        """
        hypervisor = self._fleet.hypervisor(uri, host)
        return self._plan(_task(task), hypervisor).bind(self._fleet.runner)

    def run(
        self,
        tasks: Iterable[Asked],
        *,
        uri: str | None = None,
        host: str | None = None,
        check: bool = False,
        on_progress: OnProgress = None,
    ) -> Sequence[StorageVolumeResult]:
        """Bring volumes to what is wanted, in order; a result for each, errors inside.

        Args:
            tasks: StorageVolumeTasks, or mappings of their fields.
            uri: a hypervisor.
            host: a host of the pool of hypervisors, in place of its URI.
            check: touch nothing: the results say what would be.
            on_progress: is told how far a step (an upload) is.
        """
        hypervisor = self._fleet.hypervisor(uri, host)
        return [self._one(task, hypervisor, check, on_progress) for task in tasks]

    def _one(
        self, asked: Asked, hypervisor: Hypervisor, check: bool, on_progress: OnProgress
    ) -> StorageVolumeResult:
        name = asked.name if isinstance(asked, StorageVolumeTask) else str(asked.get("name") or "")
        try:
            task = _task(asked)
            plan = self._plan(task, hypervisor)
        except HostlerError as error:
            return failed(StorageVolumeResult, name, error)
        outcomes: dict[str, Became] = {}
        if not check:
            outcomes = apply_all(self._fleet.runner, [plan], parallel=1, on_progress=on_progress)
        result = result_of(StorageVolumeResult, name, plan, outcomes)
        if result.error is None:
            found = hypervisor.volumes.find(task.pool, name)
            result.volume = _view(found) if found else None
        return result

    def _plan(self, task: StorageVolumeTask, hypervisor: Hypervisor) -> Plan:
        now = _observe(task, hypervisor)
        return plan_volume(hypervisor.uri, task, now, self._fleet.config.policy)


def _observe(task: StorageVolumeTask, hypervisor: Hypervisor) -> VolumeNow:
    """Read what a plan for a volume needs; an image only where it would be uploaded."""
    pool = hypervisor.volumes.pool(task.pool)
    if pool is None or not pool.active:
        return VolumeNow(pool)
    volume = hypervisor.volumes.find(task.pool, task.name)
    if volume is not None:
        return VolumeNow(
            pool,
            volume,
            users=hypervisor.pools.volume_users(task.pool, task.name, volume.path),
            clones=_clones(volume, hypervisor),
        )
    if task.state == "absent":
        return VolumeNow(pool)
    name = task.clone_volume or task.backing_volume
    source = hypervisor.volumes.find(task.source_pool or task.pool, name) if name else None
    image = read_image(task.image, task.checksum) if task.image else None
    return VolumeNow(pool, origin=source, image=image)


def _clones(volume: VolumeState, hypervisor: Hypervisor) -> Sequence[str]:
    """Name the volumes, in all active pools, that a volume backs."""
    pools = [pool.name for pool in hypervisor.pools.all() if pool.active]
    return [
        other.name
        for pool in pools
        for other in hypervisor.volumes.all(pool)
        if other.backing == volume.path
    ]


def _task(asked: Asked) -> StorageVolumeTask:
    return asked if isinstance(asked, StorageVolumeTask) else StorageVolumeTask.parse(asked)


def _view(found: VolumeState) -> StorageVolume:
    return StorageVolume(
        pool=found.pool,
        name=found.name,
        path=found.path,
        capacity=found.capacity,
        allocation=found.allocation,
        format=found.format,
        backing=found.backing,
    )
