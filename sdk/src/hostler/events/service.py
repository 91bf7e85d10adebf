# SPDX-License-Identifier: Apache-2.0
"""Opens a stream of events: chooses the hosts, and what is passed on of them."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from hostler.errors import InvalidInput
from hostler.events.hypervisor import HypervisorEvents
from hostler.events.stream import EventStream, Source, Wanted
from hostler.models.event import LOST

if TYPE_CHECKING:
    from hostler.fleet import Fleet


def open_stream(  # noqa: PLR0913 - all by name
    fleet: Fleet,
    *,
    hosts: Sequence[str] | None,
    vms: Sequence[str],
    types: Sequence[str],
    openstack: bool,
    sources: Sequence[Source],
    poll: float,
    size: int,
) -> EventStream:
    """Open a stream; see ``Fleet.events``."""
    if poll <= 0 or size < 1:
        raise InvalidInput("poll and size must be more than 0", on="events")
    timeout = float(fleet.config.connect_timeout)
    found: list[Source] = [
        HypervisorEvents(uri, host, timeout=timeout, size=size)
        for host, uri in _hypervisors(fleet, hosts)
    ]
    if openstack:
        from hostler.events.cloud import CloudEvents

        fleet.openstack_cloud()  # says at once that the library is missing
        found.append(CloudEvents(fleet.openstack_cloud, fleet.cloud, every=poll))
    return EventStream([*found, *sources], wanted=_wanted(vms, types), size=size)


def _hypervisors(fleet: Fleet, hosts: Sequence[str] | None) -> Sequence[tuple[str | None, str]]:
    """Return ids and URIs: of the named hosts, of the one that the fleet is for, of all."""
    if hosts is not None:
        return [(host.id, host.uri) for host in fleet.hosts.choose(hosts)] if hosts else []
    if not fleet.places():
        uri = fleet.uri
        known = [host.id for host in fleet.hosts.list() if host.uri == uri]
        return [(known[0] if known else None, uri)]
    return [(host.id, host.uri) for host in fleet.hosts.list()]


def _wanted(vms: Sequence[str], types: Sequence[str]) -> Wanted:
    """Events of no VM (of hosts, and losses) come along where VMs are named; losses always do."""
    return lambda event: (
        event.type == LOST
        or (
            (not types or any(fnmatchcase(event.type, glob) for glob in types))
            and (not vms or event.vm is None or any(fnmatchcase(event.vm, glob) for glob in vms))
        )
    )
