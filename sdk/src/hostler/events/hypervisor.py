# SPDX-License-Identifier: Apache-2.0
"""HypervisorEvents: one libvirt's events; it reconnects, and finds out what was missed."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from hostler.backends.libvirt.events import EventFeed, Known, Told
from hostler.errors import HostlerError
from hostler.events.compare import Change, compare
from hostler.models.event import HOST_STATUS, LOST, VM_STATUS, Event

FIRST_SECONDS = 0.5
MOST_SECONDS = 30.0
"""Between two tries to connect: the pause doubles up to this."""
LOOK_SECONDS = 0.5
"""How long a stream that is closed may go on waiting."""
_OFF = (None, "stopped", "crashed")


class HypervisorEvents:
    """A source of events.

    Args:
        uri: the hypervisor.
        host: its id in the pool, where it has one.
        timeout: seconds to wait for a connection.
        size: how many events wait while nobody reads.
    """

    def __init__(self, uri: str, host: str | None, *, timeout: float, size: int) -> None:
        self.uri, self.host = uri, host
        self._timeout, self._size = timeout, size
        self._known: dict[str, Known] | None = None
        self._status: str | None = None

    def watch(self, stop: threading.Event) -> Iterator[Event]:
        """Yield events until ``stop`` is set."""
        pause = FIRST_SECONDS
        while not stop.is_set():
            try:
                with closing(EventFeed(self.uri, timeout=self._timeout, size=self._size)) as feed:
                    yield from self._look(feed)
                    yield from self._became("active", None)
                    pause = FIRST_SECONDS
                    yield from self._follow(feed, stop)
            except HostlerError as error:
                yield from self._became("unreachable", error.what)
            stop.wait(pause * random.uniform(0.5, 1))  # noqa: S311 - spreads what comes back at once
            pause = min(2 * pause, MOST_SECONDS)

    def _follow(self, feed: EventFeed, stop: threading.Event) -> Iterator[Event]:
        while not stop.is_set():
            told = feed.get(LOOK_SECONDS)
            if told is None:
                continue
            yield from self._told(told)
            if told.type == LOST:
                yield from self._look(feed)

    def _became(self, status: str, reason: str | None) -> Iterator[Event]:
        if status != self._status:
            old, self._status = self._status, status
            data = {"host_id": self.host, "old_status": old, "new_status": status, "reason": reason}
            yield self._event(HOST_STATUS, data)

    def _look(self, feed: EventFeed) -> Iterator[Event]:
        """Read all states, and tell what became of VMs while nobody listened."""
        before, self._known = self._known, feed.states()
        for change in compare(before, self._known) if before is not None else ():
            yield self._missed(change)

    def _missed(self, change: Change) -> Event:
        return self._event(change.type, change.data, vm=change.name, missed=True)

    def _told(self, told: Told) -> Iterator[Event]:
        known = self._known if self._known is not None else {}
        was = known.get(told.uuid)
        data: dict[str, Any] = {"vm_id": told.uuid} if told.uuid else {}
        if told.type == VM_STATUS:
            old, new = was.status if was else None, str(told.data["new_status"])
            if old == new or (told.again and old in _OFF):
                return
            known[told.uuid] = Known(told.name, new, told.data["reason"])
            data["old_status"] = old
        elif told.type == "vm.defined":
            known[told.uuid] = Known(told.name, was.status if was else "stopped")
        elif told.type == "vm.undefined":
            known.pop(told.uuid, None)
        yield self._event(told.type, {**data, **told.data}, vm=told.name or None, at=told.at)

    def _event(
        self, kind: str, data: dict[str, Any], at: float | None = None, **more: Any
    ) -> Event:
        return Event(
            type=kind,
            timestamp=datetime.fromtimestamp(at or time.time(), UTC),
            source="libvirt",
            host=self.host,
            uri=self.uri,
            data=data,
            **more,
        )
