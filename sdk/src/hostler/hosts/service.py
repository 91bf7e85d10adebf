# SPDX-License-Identifier: Apache-2.0
"""fleet.hosts: the pool of hypervisors. Register them, read them, place VMs on them."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hostler.backends.libvirt.connection import open_connection
from hostler.errors import HostlerError, NotFound
from hostler.hosts.homes import find_homes, may_have
from hostler.hosts.info import fleet_stats, host_info, host_vms
from hostler.hosts.observe import Seen, observe
from hostler.hosts.placement import carries
from hostler.hosts.planner import Known, plan_host
from hostler.hosts.registry import Registry
from hostler.hosts.rooms import Rooms
from hostler.hosts.stored import LastSeen, StoredVms
from hostler.models.host import Host, HostResult, HostSettings, HostTask
from hostler.models.host_view import CloudStats, FleetStats, HostField, HostInfo, HostVm
from hostler.models.problems import checked
from hostler.models.vm_task import VmTask
from hostler.plan.plan import Plan
from hostler.plan.results import Became, apply_all, failed, result_of
from hostler.vms.home import Home

if TYPE_CHECKING:
    from hostler.fleet import Fleet
    from hostler.hosts.maintenance.service import Maintenance

TIMEOUT = 30.0
"""Seconds that each host gets to tell everything."""

Asked = HostTask | Mapping[str, Any]
Row = tuple[Host, Seen | HostlerError]


class Hosts:
    """The pool of hypervisors."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    @cached_property
    def registry(self) -> Registry:
        """Which hosts there are."""
        return Registry(self._fleet.config.hosts, lambda: self._fleet.store)

    @cached_property
    def rooms(self) -> Rooms:
        """Where VMs are placed, and room that is kept for those on the way."""
        return Rooms(self, lambda: self._fleet.store)

    @cached_property
    def maintenance(self) -> Maintenance:
        """Empties hosts, and takes them back."""
        from hostler.hosts.maintenance.service import Maintenance

        return Maintenance(self._fleet, self)

    @cached_property
    def stored(self) -> StoredVms:
        """The VMs of hosts as they were last seen."""
        return StoredVms(lambda: self._fleet.store)

    def list(self) -> Sequence[Host]:
        """Return the registered hosts, by id; none of them is asked."""
        return self.registry.all()

    def get(self, host_id: str) -> Host:
        """Return a registered host.

        Raises:
            NotFound: there is none of that id.
        """
        return self.registry.get(host_id)

    def info(
        self,
        names: Sequence[str] = (),
        *,
        uri: str | None = None,
        labels: Mapping[str, str] | None = None,
        fields: Collection[HostField] = (),
        timeout: float = TIMEOUT,
    ) -> Sequence[HostInfo]:
        """Read hosts side by side; one that can't be reached is a row that says why.

        Args:
            names: ids or globs; all registered hosts where left out.
            uri: a hypervisor that need not be registered, in place of ``names``.
            labels: only hosts that carry all of these (value ``*`` = any).
            fields: what to read beside the ordinary fields.
            timeout: seconds that each host gets.

        Raises:
            NotFound: a name without a glob is not registered.
        """
        if uri is None:
            hosts = self.choose(names, labels or {})
        else:
            hosts = (Host(id=uri, settings=checked(HostSettings, {"uri": uri})),)
        return self._info(self.read(hosts, timeout, fields, keep=uri is None), fields, uri)

    def _info(
        self, rows: Sequence[Row], fields: Collection[str] = (), uri: str | None = None
    ) -> Sequence[HostInfo]:
        with_vms = self._vms(rows) if "vms" in fields else {}
        found = []
        for host, seen, candidate in self.rooms.candidates(rows):
            info = host_info(host, seen, registered=uri is None, fields=fields)
            info.reserved = candidate.reserved
            vms = with_vms.get(host.id)
            info.vms = None if vms is None else [*vms]
            found.append(info)
        return found

    def homes(self, tasks: Sequence[VmTask]) -> Sequence[Home | HostlerError]:
        """Return the host of each VM: the one that has it, or one with room for it."""
        return find_homes(self, tasks)

    def may_have(self, names: Iterable[str], host_ids: Sequence[str]) -> dict[str, str]:
        """Say why VMs may be on hosts that can't be reached, by their names."""
        return may_have(self, names, host_ids)

    def vms(
        self, host_id: str, *, stored: bool = False, timeout: float = TIMEOUT
    ) -> Sequence[HostVm]:
        """Return a host's VMs: as they are, or as they were last seen.

        Args:
            host_id: the host.
            stored: don't ask the host; it may be down.
            timeout: seconds that it gets.

        Raises:
            NotFound: it is not registered, or was never seen.
            Unreachable: it does not answer.
        """
        host = self.get(host_id)
        if not stored:
            (row,) = self.read([host], timeout)
            if isinstance(row[1], HostlerError):
                row[1].hint += " What was last seen of it: stored (--stored)."
                row[1].args = (str(row[1]),)
                raise row[1]
        found = self._vms([(host, NotFound("not asked"))]).get(host_id)
        if found is None:
            hint = "Read it once while it is up: 'hostler host info'."
            raise NotFound("it was never seen", on=f"host {host_id!r}", hint=hint)
        return found

    def _vms(self, rows: Sequence[Row]) -> dict[str, Sequence[HostVm]]:
        """Return hosts' VMs: those just read, or those that were last seen."""
        now = time.time()
        unread = [host.id for host, seen in rows if isinstance(seen, HostlerError)]
        last = self.stored.read(unread) if unread else {}
        found: dict[str, Sequence[HostVm]] = {}
        for host, seen in rows:
            if isinstance(seen, Seen):
                found[host.id] = host_vms(host.id, seen.vms, seen.at, now)
            elif host.id in last:
                found[host.id] = host_vms(host.id, last[host.id].vms, last[host.id].at, now)
        return found

    def stats(self, *, timeout: float = TIMEOUT) -> FleetStats:
        """Sum up all registered hosts, and the GPUs of the OpenStack that is configured."""
        found = fleet_stats(self.info(timeout=timeout))
        if self._fleet.cloud or os.environ.get("OS_AUTH_URL"):
            found.clouds = [self._cloud()]
        return found

    def _cloud(self) -> CloudStats:
        gpu, name = self._fleet.gpu, self._fleet.cloud
        try:
            world = gpu.observe()
            types = [one.name for one in gpu.types(world)]
            gpus = {name: gpu.overview(name, world).gpu_overview for name in types}
        except HostlerError as error:
            return CloudStats(name=name, status="unreachable", reason=str(error))
        return CloudStats(name=name, status="active", gpu_types=gpus)

    def plan(self, task: Asked) -> Plan:
        """Plan one host of the pool without touching anything.

        Raises:
            HostlerError: it can't be done.
        """
        return self._plan(_task(task)).bind(self._fleet.runner)

    def run(self, tasks: Iterable[Asked], *, check: bool = False) -> Sequence[HostResult]:
        """Bring hosts of the pool to what is wanted; a result for each, errors inside.

        Args:
            tasks: HostTasks, or mappings of their fields.
            check: touch nothing: the results say what would be.
        """
        return [self._one(task, check=check) for task in tasks]

    def _one(self, asked: Asked, *, check: bool) -> HostResult:
        name = asked.id if isinstance(asked, HostTask) else str(asked.get("id") or "")
        try:
            plan = self._plan(_task(asked))
        except HostlerError as error:
            return failed(HostResult, name, error)
        outcomes: dict[str, Became] = {}
        if not check:
            outcomes = apply_all(self._fleet.runner, [plan], parallel=1)
        result = result_of(HostResult, name, plan, outcomes)
        result.host = self.registry.find(name)
        return result

    def _plan(self, task: HostTask) -> Plan:
        hosts = self.list()
        host = next((host for host in hosts if host.id == task.id), None)
        known = Known(host, [other for other in hosts if other.id != task.id])
        if task.state == "absent":
            known = replace(known, ours=self._ours(host) if host else ())
        elif host is None or (task.uri and task.uri != host.uri):
            uri = task.uri or (host.uri if host else "")
            known = replace(known, **self._probe(uri)) if uri else known
        return plan_host(task, known, self._fleet.config.policy)

    def _ours(self, host: Host) -> Sequence[str] | HostlerError:
        (row,) = self.read([host])
        return row[1] if isinstance(row[1], HostlerError) else row[1].ours

    def _probe(self, uri: str) -> dict[str, Any]:
        """Connect to a host: read-only, and to write.

        Raises:
            BackendError: it can't be read.
        """
        timeout = self._fleet.config.connect_timeout
        (seen,) = observe([uri], timeout=timeout)
        if isinstance(seen, HostlerError):
            raise seen
        found: dict[str, Any] = {"uuid": seen.uuid}
        try:
            open_connection(uri, readonly=False, timeout=timeout, heartbeat=False).close()
        except HostlerError as error:
            found["read_only"] = error
        return found

    def choose(
        self, names: Sequence[str] = (), labels: Mapping[str, str] | None = None
    ) -> Sequence[Host]:
        """Return the registered hosts of these ids or globs that carry these labels.

        Raises:
            NotFound: a name without a glob is not registered.
        """
        known = self.list()
        for name in names:
            if not set("*?[") & set(name) and name not in [host.id for host in known]:
                self.registry.get(name)  # says that it is not there
        chosen = [
            host for host in known if not names or any(fnmatchcase(host.id, name) for name in names)
        ]
        return [host for host in chosen if carries(host.settings.labels, labels or {})]

    def read(
        self,
        hosts: Sequence[Host],
        timeout: float | None = None,
        fields: Collection[str] = (),
        *,
        keep: bool = True,
    ) -> Sequence[Row]:
        """Read hosts side by side, and keep what VMs they have.

        Each gets ``timeout`` seconds; the fleet's ``connect_timeout`` where left out.
        """
        timeout = timeout or self._fleet.config.connect_timeout
        answers = observe([host.uri for host in hosts], timeout=timeout, fields=fields)
        rows = list(zip(hosts, answers, strict=True))
        good = {host.id: (host, seen) for host, seen in rows if isinstance(seen, Seen)}
        if keep:
            self.stored.write(
                {
                    name: LastSeen(host.uri, seen.uuid, seen.at, seen.vms)
                    for name, (host, seen) in good.items()
                }
            )
        return rows


def _task(asked: Asked) -> HostTask:
    return asked if isinstance(asked, HostTask) else HostTask.parse(asked)
