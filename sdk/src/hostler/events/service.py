# SPDX-License-Identifier: Apache-2.0
"""fleet.events: opens streams of events; chooses the hosts, and what is passed on of them."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from hostler.errors import InvalidInput
from hostler.events.hypervisor import HypervisorEvents
from hostler.events.stream import EventStream, Source, Wanted
from hostler.models.event import LOST

if TYPE_CHECKING:
    from hostler.fleet import Fleet


class Events:
    """Events of hypervisors, of an OpenStack, of alerts, and of sources of your own."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._streams: weakref.WeakSet[EventStream] = weakref.WeakSet()

    def __call__(  # noqa: PLR0913 - all by name
        self,
        *,
        hosts: Sequence[str] | None = None,
        vms: Sequence[str] = (),
        types: Sequence[str] = (),
        openstack: bool = False,
        alerts: bool = False,
        sources: Sequence[Source] = (),
        poll: float = 15,
        size: int = 1000,
    ) -> EventStream:
        """Listen to what happens, from now on; for ``for``, ``async for`` and ``with``.

        The first event of each host says whether it is reached. A host that goes away is connected
        to again; what changed meanwhile then comes with ``missed``.

        Args:
            hosts: ids of hosts, or globs; where left out, the one that the fleet was opened for,
                else all; none at all where it is empty.
            vms: names or globs; only of these VMs, and what is of none.
            types: types of events or globs, such as ``vm.*``.
            openstack: look at the servers and computes of the OpenStack too.
            alerts: tell when alerts fire, and when they are resolved.
            sources: sources of your own.
            poll: seconds between looks at the OpenStack, and for alerts.
            size: how many events wait for a slow reader, of each host; then ``events.lost`` tells
                how many were dropped.

        Raises:
            NotFound: there is no such host.
            InvalidInput: ``poll`` or ``size`` is not more than 0.
        """
        if poll <= 0 or size < 1:
            raise InvalidInput("poll and size must be more than 0", on="events")
        found = [
            *self._hypervisors(hosts, size),
            *(self._cloud(poll) if openstack else ()),
            *([self._fleet.alerts.events(every=poll)] if alerts else ()),
            *sources,
        ]
        stream = EventStream(found, wanted=_wanted(vms, types), size=size)
        self._streams.add(stream)
        return stream

    def close(self) -> None:
        """Close all streams."""
        for stream in list(self._streams):
            stream.close()

    def _hypervisors(self, hosts: Sequence[str] | None, size: int) -> Iterator[Source]:
        timeout = float(self._fleet.config.connect_timeout)
        for host, uri in self._uris(hosts):
            yield HypervisorEvents(uri, host, timeout=timeout, size=size)

    def _uris(self, hosts: Sequence[str] | None) -> Sequence[tuple[str | None, str]]:
        """Return ids and URIs: of the named hosts, of the one that the fleet is for, of all."""
        pool = self._fleet.hosts
        if hosts is not None:
            return [(host.id, host.uri) for host in pool.choose(hosts)] if hosts else []
        if not self._fleet.places():
            uri = self._fleet.uri
            known = [host.id for host in pool.list() if host.uri == uri]
            return [(known[0] if known else None, uri)]
        return [(host.id, host.uri) for host in pool.list()]

    def _cloud(self, poll: float) -> Iterator[Source]:
        from hostler.events.cloud import CloudEvents

        self._fleet.openstack_cloud()  # says at once that the library is missing
        yield CloudEvents(self._fleet.openstack_cloud, self._fleet.cloud, every=poll)


def _wanted(vms: Sequence[str], types: Sequence[str]) -> Wanted:
    """Events of no VM (of hosts, and losses) come along where VMs are named; losses always do."""
    return lambda event: (
        event.type == LOST
        or (
            (not types or any(fnmatchcase(event.type, glob) for glob in types))
            and (not vms or event.vm is None or any(fnmatchcase(event.vm, glob) for glob in vms))
        )
    )
