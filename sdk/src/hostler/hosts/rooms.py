# SPDX-License-Identifier: Apache-2.0
"""fleet.hosts.rooms: finds room for VMs, and keeps it for those on the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from hostler.errors import HostlerError, NoRoom
from hostler.hosts.info import host_info
from hostler.hosts.observe import Seen
from hostler.hosts.placement import Candidate, Resident, carries, claim_of, obstacle, place_all
from hostler.hosts.reservations import Reservations
from hostler.hosts.steps import ReserveRoom, SettleRoom
from hostler.models.host import Host
from hostler.models.placement import Claim, Placement, PlacementRequest
from hostler.plan.plan import Plan
from hostler.store import Store

if TYPE_CHECKING:
    from hostler.hosts.service import Hosts

FRESH = 60.0
"""Seconds for which what was read of a host will do, to check whether there still is room."""


class Considered(NamedTuple):
    """A host, what was read of it, and how placement sees it."""

    host: Host
    seen: Seen | HostlerError
    candidate: Candidate


class Rooms:
    """Room on the hosts of the pool."""

    def __init__(self, hosts: Hosts, store: Callable[[], Store]) -> None:
        self._hosts = hosts
        self.reservations = Reservations(store)
        self._known: dict[str, Considered] = {}

    def candidates(self, rows: Iterable[tuple[Host, Seen | HostlerError]]) -> list[Considered]:
        """Return hosts that were read as placement sees them."""
        listed = list(rows)
        claims = self.reservations.read([host.id for host, _ in listed])
        found = [
            Considered(h, seen, _candidate(h, seen, [c for c in claims if c.host == h.id]))
            for h, seen in listed
        ]
        self._known.update({one.host.id: one for one in found if isinstance(one.seen, Seen)})
        return found

    def place(self, requests: Iterable[PlacementRequest]) -> list[Placement | HostlerError]:
        """Choose a host for each VM, one after the other; nothing is reserved yet.

        What does not find a host is an error that says why not there, host by host.
        """
        rows = self._hosts.read(self._hosts.list())
        return list(place_all(requests, [one.candidate for one in self.candidates(rows)]))

    def keep(
        self, plan: Plan, request: PlacementRequest, placement: Placement, claim_id: str
    ) -> Plan:
        """Return a plan that reserves the room first, and ends the reservation last."""
        host = placement.host
        gpus = tuple(placement.gpus)
        first = ReserveRoom(claim_id=claim_id, host=host, request=request, gpus=gpus)
        last = SettleRoom(claim_id=claim_id, host=host, vm=request.vm)
        return plan.model_copy(
            update={
                "summary": f"{plan.summary} (host {host}: {placement.reason})",
                "facts": {**plan.facts, "placement": placement.model_dump(mode="json")},
                "steps": [first, *plan.steps, last],
            }
        )

    def reserve(
        self, claim_id: str, host_id: str, request: PlacementRequest, gpus: Sequence[str]
    ) -> None:
        """Reserve room on a host.

        Raises:
            NoRoom: somebody else was faster: there is not enough room any more.
            NotFound: the host is not registered.
            BackendError: it does not answer.
        """
        host, seen = self._fresh(host_id)
        first = carries(request.labels, request.rules.affinity)

        def check(others: Sequence[Claim]) -> None:
            candidate = _candidate(host, seen, others)
            free = [gpu.address for gpu in candidate.free_gpus(request.rules.gpu)]
            why = obstacle(request, candidate, first_of_group=first)
            if why is None and set(gpus) - set(free):
                why = f"has given away GPU {', '.join(sorted(set(gpus) - set(free)))}"
            if why is not None:
                hint = "Run it again: it looks for another host."
                raise NoRoom(f"host {host_id} now {why}", on=f"VM {request.vm!r}", hint=hint)

        claim = claim_of(request, host_id, gpus, claim_id)
        self.reservations.reserve(claim, check)

    def _fresh(self, host_id: str) -> tuple[Host, Seen]:
        """Return a host as it is registered, and as it was not long ago.

        What others have placed on it since then is found in the reservations.
        """
        host = self._hosts.get(host_id)
        known = self._known.get(host_id)
        seen = known.seen if known and known.host.uri == host.uri else None
        if not isinstance(seen, Seen) or seen.at < time.time() - FRESH:
            ((_, seen),) = self._hosts.read([host])
        if isinstance(seen, HostlerError):
            raise seen
        return host, seen


def _candidate(host: Host, seen: Seen | HostlerError, claims: Sequence[Claim]) -> Candidate:
    info = host_info(host, seen)
    if isinstance(seen, HostlerError):
        return Candidate(info, claims=claims)
    vms = [Resident(vm["name"], vm.get("labels", {})) for vm in seen.vms]
    return Candidate(info, vms, claims, seen.at)
