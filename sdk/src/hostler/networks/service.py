# SPDX-License-Identifier: Apache-2.0
"""fleet.networks: the virtual networks of hypervisors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from hostler.errors import HostlerError, NotFound
from hostler.models.libvirt_network import LibvirtNetwork, NetworkResult, NetworkTask
from hostler.networks.network_xml import network_uuid, read_network
from hostler.networks.planner import NetworkNow, plan_network
from hostler.plan.plan import Plan
from hostler.plan.results import Became, apply_all, failed, result_of

if TYPE_CHECKING:
    from hostler.backends.libvirt.networks import FoundNetwork
    from hostler.backends.libvirt.networks import Networks as Backend
    from hostler.fleet import Fleet

Asked = NetworkTask | Mapping[str, Any]


class Networks:
    """Virtual networks. ``uri`` and ``host`` name a hypervisor; the fleet's own where left out."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def list(
        self, names: Sequence[str] = (), *, uri: str | None = None, host: str | None = None
    ) -> Sequence[LibvirtNetwork]:
        """Read networks, by name.

        Args:
            names: names or globs; all networks where left out.
            uri: a hypervisor.
            host: a host of the pool of hypervisors, in place of its URI.

        Raises:
            NotFound: there is no network of a name that is no glob.
            BackendError: they can't be read.
        """
        uri = self._fleet.uri_of(uri, host)
        found = [_view(one) for one in self._backend(uri).all()]
        for name in names:
            if not set("*?[") & set(name) and name not in {one.name for one in found}:
                hint = "See 'hostler network list'."
                raise NotFound("there is none", on=f"network {name!r} on {uri}", hint=hint)
        return [
            one for one in found if not names or any(fnmatchcase(one.name, name) for name in names)
        ]

    def plan(self, task: Asked, *, uri: str | None = None, host: str | None = None) -> Plan:
        """Plan one network without touching anything.

        Raises:
            HostlerError: it can't be done.
        """
        return self._plan(_task(task), self._fleet.uri_of(uri, host)).bind(self._fleet.runner)

    def run(
        self,
        tasks: Iterable[Asked],
        *,
        uri: str | None = None,
        host: str | None = None,
        check: bool = False,
    ) -> Sequence[NetworkResult]:
        """Bring networks to what is wanted; a result for each, errors inside.

        Args:
            tasks: NetworkTasks, or mappings of their fields.
            uri: a hypervisor.
            host: a host of the pool of hypervisors, in place of its URI.
            check: touch nothing: the results say what would be.
        """
        uri = self._fleet.uri_of(uri, host)
        return [self._one(task, uri, check=check) for task in tasks]

    def _one(self, asked: Asked, uri: str, *, check: bool) -> NetworkResult:
        name = asked.name if isinstance(asked, NetworkTask) else str(asked.get("name") or "")
        try:
            plan = self._plan(_task(asked), uri)
        except HostlerError as error:
            return failed(NetworkResult, name, error)
        outcomes: dict[str, Became] = {}
        if not check:
            outcomes = apply_all(self._fleet.runner, [plan], parallel=1)
        result = result_of(NetworkResult, name, plan, outcomes)
        if result.error is None:
            found = self._backend(uri).find(name)
            result.network = _view(found) if found else None
        return result

    def _plan(self, task: NetworkTask, uri: str) -> Plan:
        return plan_network(uri, task, self._now(task.name, uri), self._fleet.config.policy)

    def _now(self, name: str, uri: str) -> NetworkNow | None:
        found = self._backend(uri).find(name)
        if found is None:
            return None
        return NetworkNow(
            xml=found.xml,
            active=found.active,
            autostart=found.autostart,
            persistent=found.persistent,
            users=self._backend(uri).users(name),
        )

    def _backend(self, uri: str) -> Backend:
        return self._fleet.hypervisor(uri).networks


def _task(asked: Asked) -> NetworkTask:
    return asked if isinstance(asked, NetworkTask) else NetworkTask.parse(asked)


def _view(found: FoundNetwork) -> LibvirtNetwork:
    return LibvirtNetwork(
        name=found.name,
        uuid=network_uuid(found.xml),
        active=found.active,
        autostart=found.autostart,
        persistent=found.persistent,
        **read_network(found.xml),
    )
