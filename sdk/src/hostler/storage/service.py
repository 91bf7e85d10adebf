# SPDX-License-Identifier: Apache-2.0
"""fleet.storage: the storage pools and volumes of hypervisors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hostler.errors import HostlerError, NotFound
from hostler.models.storage import StoragePool, StoragePoolResult, StoragePoolTask
from hostler.plan.plan import Plan
from hostler.plan.results import Became, apply_all, failed, result_of
from hostler.storage.planner import PoolNow, plan_pool
from hostler.storage.pool_xml import pool_uuid, read_pool
from hostler.storage.volumes import StorageVolumes

if TYPE_CHECKING:
    from hostler.backends.libvirt.pools import FoundPool, Pools
    from hostler.fleet import Fleet

Asked = StoragePoolTask | Mapping[str, Any]


class Storage:
    """Storage pools. ``uri`` and ``host`` name a hypervisor; the fleet's own where left out."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    @cached_property
    def volumes(self) -> StorageVolumes:
        """The volumes in pools."""
        return StorageVolumes(self._fleet)

    def pools(
        self, names: Sequence[str] = (), *, uri: str | None = None, host: str | None = None
    ) -> Sequence[StoragePool]:
        """Read pools, by name.

        Args:
            names: names or globs; all pools where left out.
            uri: a hypervisor.
            host: a host of the pool of hypervisors, in place of its URI.

        Raises:
            NotFound: there is no pool of a name that is no glob.
            BackendError: they can't be read.
        """
        uri = self._fleet.uri_of(uri, host)
        found = [_view(pool) for pool in self._backend(uri).all()]
        for name in names:
            if not set("*?[") & set(name) and name not in {pool.name for pool in found}:
                hint = "See 'hostler storage pool list'."
                raise NotFound("there is none", on=f"storage pool {name!r} on {uri}", hint=hint)
        return [
            pool
            for pool in found
            if not names or any(fnmatchcase(pool.name, name) for name in names)
        ]

    def plan_pool(self, task: Asked, *, uri: str | None = None, host: str | None = None) -> Plan:
        """Plan one pool without touching anything.

        Raises:
            HostlerError: it can't be done.
        """
        return self._plan(_task(task), self._fleet.uri_of(uri, host)).bind(self._fleet.runner)

    def run_pools(
        self,
        tasks: Iterable[Asked],
        *,
        uri: str | None = None,
        host: str | None = None,
        check: bool = False,
    ) -> Sequence[StoragePoolResult]:
        """Bring pools to what is wanted; a result for each, errors inside.

        Args:
            tasks: StoragePoolTasks, or mappings of their fields.
            uri: a hypervisor.
            host: a host of the pool of hypervisors, in place of its URI.
            check: touch nothing: the results say what would be.
        """
        uri = self._fleet.uri_of(uri, host)
        return [self._one(task, uri, check=check) for task in tasks]

    def _one(self, asked: Asked, uri: str, *, check: bool) -> StoragePoolResult:
        name = asked.name if isinstance(asked, StoragePoolTask) else str(asked.get("name") or "")
        try:
            plan = self._plan(_task(asked), uri)
        except HostlerError as error:
            return failed(StoragePoolResult, name, error)
        outcomes: dict[str, Became] = {}
        if not check:
            outcomes = apply_all(self._fleet.runner, [plan], parallel=1)
        result = result_of(StoragePoolResult, name, plan, outcomes)
        if result.error is None:
            found = self._backend(uri).find(name)
            result.pool = _view(found) if found else None
        return result

    def _plan(self, task: StoragePoolTask, uri: str) -> Plan:
        return plan_pool(uri, task, self._now(task.name, uri), self._fleet.config.policy)

    def _now(self, name: str, uri: str) -> PoolNow | None:
        found = self._backend(uri).find(name)
        if found is None:
            return None
        return PoolNow(
            xml=found.xml,
            active=found.active,
            autostart=found.autostart,
            persistent=found.persistent,
            users=self._backend(uri).users(name, read_pool(found.xml).get("path")),
        )

    def _backend(self, uri: str) -> Pools:
        return self._fleet.hypervisor(uri).pools


def _task(asked: Asked) -> StoragePoolTask:
    return asked if isinstance(asked, StoragePoolTask) else StoragePoolTask.parse(asked)


def _view(found: FoundPool) -> StoragePool:
    sizes = ("capacity", "allocation", "available", "volumes")
    return StoragePool(
        name=found.name,
        uuid=pool_uuid(found.xml),
        active=found.active,
        autostart=found.autostart,
        persistent=found.persistent,
        **read_pool(found.xml),
        **{size: getattr(found, size) for size in sizes},
    )
