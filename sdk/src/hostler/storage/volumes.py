# SPDX-License-Identifier: Apache-2.0
"""fleet.storage.volumes: the volumes in the pools of hypervisors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from hostler.errors import Conflict, HostlerError, InvalidInput, NotFound
from hostler.models.storage import StorageVolume, StorageVolumeResult, StorageVolumeTask
from hostler.plan.plan import Plan
from hostler.plan.results import Became, apply_all, failed, result_of
from hostler.plan.runner import OnProgress
from hostler.storage.observe import observe_volume
from hostler.storage.volume_planner import plan_volume
from hostler.vms.volume_steps import VolumeStep

if TYPE_CHECKING:
    from hostler.backends.libvirt import Hypervisor
    from hostler.backends.libvirt.volumes import VolumeState
    from hostler.fleet import Fleet
    from hostler.plan.journal import StoredPlan

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
            hint = "See 'hostler storage pool list'."
            raise NotFound("there is none", on=on, hint=hint)
        if not found.active:
            hint = f"Start it: hostler storage pool set {pool} --active"
            raise InvalidInput("it is not active", on=on, hint=hint)
        read = hypervisor.volumes.all(pool, lambda name: not names or _matches(name, names))
        volumes = [_view(volume) for volume in read]
        for name in names:
            if not set("*?[") & set(name) and name not in {one.name for one in volumes}:
                raise NotFound(f"there is no volume {name!r}", on=on)
        return volumes

    def plan(self, task: Asked, *, uri: str | None = None, host: str | None = None) -> Plan:
        """Plan one volume without touching anything.

        Raises:
            HostlerError: it can't be done.
        """
        hypervisor, task = self._fleet.hypervisor(uri, host), _task(task)
        left = self._left_behind(task, hypervisor.uri)
        return self._plan(task, hypervisor, left).bind(self._fleet.runner)

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
            on_progress: is told how far a step (an upload, a download) is.
        """
        hypervisor = self._fleet.hypervisor(uri, host)
        return [self._one(task, hypervisor, check, on_progress) for task in tasks]

    def _one(
        self, asked: Asked, hypervisor: Hypervisor, check: bool, on_progress: OnProgress
    ) -> StorageVolumeResult:
        name = asked.name if isinstance(asked, StorageVolumeTask) else str(asked.get("name") or "")
        try:
            task = _task(asked)
            left = self._left_behind(task, hypervisor.uri)
            plan = self._plan(task, hypervisor, left)
        except HostlerError as error:
            return failed(StorageVolumeResult, name, error)
        outcomes: dict[str, Became] = {}
        if not check:
            outcomes = apply_all(self._fleet.runner, [plan], parallel=1, on_progress=on_progress)
        result = result_of(StorageVolumeResult, name, plan, outcomes)
        if result.error is None:
            found = hypervisor.volumes.find(task.pool, name)
            result.volume = _view(found) if found else None
            self._settle(left if outcomes else [], plan)
        return result

    def _plan(
        self, task: StorageVolumeTask, hypervisor: Hypervisor, left: Sequence[StoredPlan]
    ) -> Plan:
        now = observe_volume(self._fleet, task, hypervisor, interrupted=bool(left))
        return plan_volume(hypervisor.uri, task, now, self._fleet.config.policy)

    def _left_behind(self, task: StorageVolumeTask, uri: str) -> Sequence[StoredPlan]:
        """Return the plans that were to make a volume, and stopped half way.

        Raises:
            Conflict: one of them is being applied right now.
        """
        if self._fleet.store.empty:
            return []
        target = f"storage_volume/{task.pool}/{task.name}"
        found = [
            stored
            for stored in self._fleet.journal.list(unfinished=True, target=target)
            if any(isinstance(step, VolumeStep) and step.makes for step in stored.plan.steps)
            and uri in {getattr(step, "uri", None) for step in stored.plan.steps}
        ]
        for stored in found:
            if stored.alive:
                who = f"process {stored.pid} of {stored.user} on {stored.host}"
                on = f"volume {task.name!r} in pool {task.pool!r} on {uri}"
                hint = f"Wait for it; if it is gone: hostler plan undo {stored.plan.id} --take-over"
                raise Conflict(f"{who} is making it right now", on=on, hint=hint)
        return found

    def _settle(self, left: Sequence[StoredPlan], plan: Plan) -> None:
        """Write that plans which stopped half way are of no more concern."""
        for stored in left:
            why = f"The volume was made anew, or deleted, by plan {plan.id}."
            self._fleet.journal.finish(stored.plan.id, "undone", error=why)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


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
