# SPDX-License-Identifier: Apache-2.0
"""EventFeed: what one hypervisor tells of its domains, as it happens.

libvirt's one event loop (see ``connection``) calls back for all hypervisors; it never waits for a
reader here: what a full feed can't hold is counted and dropped.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import libvirt

from hostler.backends.libvirt import event_words as words
from hostler.backends.libvirt.connection import bounded, open_connection
from hostler.backends.libvirt.domains import STATES
from hostler.backends.libvirt.event_words import word
from hostler.backends.libvirt.faults import translated
from hostler.errors import HostlerError, Unreachable
from hostler.models.event import LOST, VM_STATUS

CLOSE_SECONDS = 5
_CLOSED = ("error", "end of file", "no heartbeat", "client")
"""Source: virConnectCloseReason."""

Tell = Callable[..., tuple[str, dict[str, Any]]]


@dataclass(frozen=True)
class Told:
    """What was told: an event's type and data, of a domain (or ``events.lost``, of none).

    Attributes:
        at: when, in seconds since 1970.
        again: QEMU goes on: of a domain that is being started, its start is told too.
    """

    type: str
    name: str = ""
    uuid: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    at: float = 0
    again: bool = False


@dataclass(frozen=True)
class Known:
    """A domain's status, and why it has it."""

    name: str
    status: str
    reason: str | None = None


class EventFeed:
    """Opens a connection of its own, and listens on it.

    Args:
        uri: the hypervisor.
        timeout: seconds to wait for a connection.
        size: how many events wait for a reader; further ones are lost, and counted.

    Raises:
        BackendError: the hypervisor can't be reached.
    """

    def __init__(self, uri: str, *, timeout: float, size: int) -> None:
        self._on = f"hypervisor {uri}"
        self._size = size
        self._waiting: deque[Told] = deque()
        self._arrival = threading.Condition()
        self._lost = 0
        self._closed: str | None = None
        self._ids: list[int] = []
        self._connection = open_connection(uri, readonly=True, timeout=timeout)
        try:
            self._listen()
        except BaseException:
            self.close()
            raise

    def _listen(self) -> None:
        with translated(self._on):
            with suppress(libvirt.libvirtError):  # drivers without a daemon never hang up
                self._connection.registerCloseCallback(self._hung_up, None)
            for number, tell in _TELLERS.items():
                with suppress(libvirt.libvirtError):  # one that this driver does not know
                    call = partial(self._called, tell)
                    self._ids.append(
                        self._connection.domainEventRegisterAny(None, number, call, None)
                    )
        if not self._ids:
            raise Unreachable("it tells no events", on=self._on, hint="Is it a QEMU host?")

    def states(self) -> dict[str, Known]:
        """Return the status of every domain by its UUID: one call."""
        flags = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
        with translated(self._on):
            rows = self._connection.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_STATE, flags)
        found = {}
        for domain, row in rows:
            state, reason = row.get("state.state", -1), row.get("state.reason", 0)
            why = word(words.STATE_REASONS.get(state, ()), reason)
            found[domain.UUIDString()] = Known(domain.name(), STATES.get(state, "unknown"), why)
        return found

    def get(self, seconds: float) -> Told | None:
        """Return the next event; None where none comes within some seconds.

        Raises:
            Unreachable: the connection broke, and all that came before is read.
        """
        with self._arrival:
            self._arrival.wait_for(lambda: self._waiting or self._closed is not None, seconds)
            if self._waiting:
                return self._waiting.popleft()
            if self._lost:
                return self._loss()
            if self._closed is not None:
                hint = "Check that libvirtd runs there: 'hostler doctor'."
                raise Unreachable(f"it hung up ({self._closed})", on=self._on, hint=hint)
            return None

    def close(self) -> None:
        """Stop listening and hang up."""
        with suppress(libvirt.libvirtError, HostlerError):
            bounded(self._hang_up, CLOSE_SECONDS, self._on)

    def _hang_up(self) -> None:
        for number in self._ids if self._closed is None else ():
            with suppress(libvirt.libvirtError):
                self._connection.domainEventDeregisterAny(number)
        self._connection.close()

    def _hung_up(self, _connection: Any, reason: int, _opaque: Any) -> None:
        with self._arrival:
            self._closed = word(_CLOSED, reason) or str(reason)
            self._arrival.notify()

    def _called(self, tell: Tell, _connection: Any, domain: Any, *rest: Any) -> None:
        """Take an event from libvirt's loop: never waits, and asks libvirt nothing."""
        kind, data = tell(*rest[:-1])
        again = bool(data.pop("again", False))
        told = Told(kind, domain.name(), domain.UUIDString(), data, time.time(), again)
        with self._arrival:
            if len(self._waiting) >= self._size:
                self._lost += 1
                return
            if self._lost:
                self._waiting.append(self._loss())
            self._waiting.append(told)
            self._arrival.notify()

    def _loss(self) -> Told:
        count, self._lost = self._lost, 0
        return Told(LOST, data={"count": count}, at=time.time())


def _lifecycle(event: int, detail: int) -> tuple[str, dict[str, Any]]:
    status, reasons = words.LIFECYCLE.get(event, ("unknown", ()))
    reason = word(reasons, detail)
    if status is None:
        defined = event == libvirt.VIR_DOMAIN_EVENT_DEFINED
        return ("vm.defined" if defined else "vm.undefined"), {"reason": reason}
    again = event == libvirt.VIR_DOMAIN_EVENT_RESUMED and reason == "unpaused"
    return VM_STATUS, {"new_status": status, "reason": reason, "again": again}


def _device(kind: str) -> Tell:
    return lambda alias: (f"vm.device.{kind}", {"device": alias})


def _io_error(path: str, alias: str, action: int, reason: str) -> tuple[str, dict[str, Any]]:
    what = {"device": alias, "path": path, "action": word(words.IO_ERROR, action)}
    return "vm.io_error", {**what, "reason": reason or None}


def _agent(state: int, reason: int) -> tuple[str, dict[str, Any]]:
    what = {"state": word(words.AGENT, state), "reason": word(words.AGENT_REASONS, reason)}
    return "vm.agent.changed", what


def _block_job(disk: str, job: int, status: int) -> tuple[str, dict[str, Any]]:
    what = {"job": word(words.BLOCK_JOBS, job), "status": word(words.BLOCK_STATUS, status)}
    return "vm.block_job", {"disk": disk, **what}


_TELLERS: dict[int, Tell] = {
    libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE: _lifecycle,
    libvirt.VIR_DOMAIN_EVENT_ID_REBOOT: lambda: ("vm.rebooted", {}),
    libvirt.VIR_DOMAIN_EVENT_ID_WATCHDOG: lambda action: (
        "vm.watchdog",
        {"action": word(words.WATCHDOG, action)},
    ),
    libvirt.VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON: _io_error,
    libvirt.VIR_DOMAIN_EVENT_ID_CONTROL_ERROR: lambda: ("vm.control_error", {}),
    libvirt.VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE: lambda kib: (
        "vm.balloon.changed",
        {"memory_mb": int(kib) // 1024},
    ),
    libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_ADDED: _device("added"),
    libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED: _device("removed"),
    libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED: _device("removal_failed"),
    libvirt.VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE: _agent,
    libvirt.VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION: lambda number: (
        "vm.migration.iteration",
        {"iteration": number},
    ),
    libvirt.VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2: _block_job,
    libvirt.VIR_DOMAIN_EVENT_ID_JOB_COMPLETED: lambda statistics: (
        "vm.job.completed",
        {"statistics": dict(statistics)},
    ),
}
