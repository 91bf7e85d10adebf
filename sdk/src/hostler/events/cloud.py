# SPDX-License-Identifier: Apache-2.0
"""CloudEvents: what changed in an OpenStack since the last look; two calls for each look."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hostler.backends.openstack import Cloud
from hostler.errors import HostlerError
from hostler.events.compare import compare
from hostler.models.event import CLOUD_STATUS, HOST_STATUS, VM_HOST, Event
from hostler.models.nova import Compute, Server


@dataclass(frozen=True)
class Look:
    """Servers by id, and the statuses of computes by name."""

    servers: dict[str, Server]
    computes: dict[str, tuple[str, str | None]]


class CloudEvents:
    """A source of events.

    Args:
        cloud: opens the OpenStack.
        name: its name.
        every: seconds from one look to the next.
    """

    def __init__(self, cloud: Callable[[], Cloud], name: str, *, every: float) -> None:
        self._cloud, self._name, self._every = cloud, name, every
        self._last: Look | None = None
        self._status: str | None = None

    def watch(self, stop: threading.Event) -> Iterator[Event]:
        """Yield events until ``stop`` is set."""
        while not stop.is_set():
            try:
                now = self._look()
            except HostlerError as error:
                yield from self._became("unreachable", error.what)
            else:
                missed = self._status == "unreachable"
                if self._last is not None:
                    yield from _changes(self._last, now, missed=missed)
                self._last = now
                yield from self._became("active", None)
            stop.wait(self._every)

    def _look(self) -> Look:
        compute = self._cloud().compute
        servers = {server.id: server for server in compute.servers()}
        return Look(servers, {one.host: _status(one) for one in compute.services()})

    def _became(self, status: str, reason: str | None) -> Iterator[Event]:
        if status != self._status:
            old, self._status = self._status, status
            data = {"old_status": old, "new_status": status, "reason": reason}
            yield _event(CLOUD_STATUS, {"cloud": self._name, **data})


def _status(compute: Compute) -> tuple[str, str | None]:
    if not compute.up:
        return "unreachable", "its service does not report"
    return ("active", None) if compute.enabled else ("disabled", compute.disabled_reason)


@dataclass(frozen=True)
class _State:
    name: str
    status: str
    reason: str | None


def _states(servers: dict[str, Server]) -> dict[str, _State]:
    return {id: _State(one.name, one.status, one.task_state) for id, one in servers.items()}


def _changes(before: Look, now: Look, *, missed: bool) -> Iterator[Event]:
    for change in compare(_states(before.servers), _states(now.servers)):
        server = now.servers.get(change.data["vm_id"]) or before.servers[change.data["vm_id"]]
        yield _event(change.type, change.data, host=server.host, vm=change.name, missed=missed)
    for id, server in now.servers.items():
        was = before.servers.get(id)
        if was is not None and was.host != server.host:
            data = {"vm_id": id, "old_host": was.host, "new_host": server.host}
            yield _event(VM_HOST, data, host=server.host, vm=server.name, missed=missed)
    for host in before.computes.keys() | now.computes.keys():
        old, _ = before.computes.get(host, (None, None))
        new, reason = now.computes.get(host, (None, "its service was removed"))
        if old != new:
            data = {"host_id": host, "old_status": old, "new_status": new, "reason": reason}
            yield _event(HOST_STATUS, data, host=host, missed=missed)


def _event(kind: str, data: dict[str, Any], **more: Any) -> Event:
    return Event(type=kind, timestamp=datetime.now(UTC), source="openstack", data=data, **more)
