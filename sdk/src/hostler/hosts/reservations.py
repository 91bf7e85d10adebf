# SPDX-License-Identifier: Apache-2.0
"""Reservations: what VMs that are being placed will take, so that two do not get the same room.

A VM is reserved for before it is made, and settled once it is there. Who has looked at the host
before that counts the reservation; who looks later sees the VM itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from hostler.models.placement import Claim
from hostler.plan.who import Who, me
from hostler.store import Store
from hostler.store.lock import serialise
from hostler.store.tables import reservations

LASTS = 3600.0
"""Seconds that a reservation lasts for a VM that is being made: its images may be large."""
KEPT = 300.0
"""Seconds that a settled one is kept for those who have looked before; none looks for longer."""
SKEW = 5.0
"""Seconds by which the clock of another control node may be behind ours."""


class Reservations:
    """The claims on hosts."""

    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store

    def read(self, host_ids: Collection[str]) -> list[Claim]:
        """Return the claims on hosts."""
        with self._store().read() as db:
            return _claims(db, host_ids)

    def reserve(self, claim: Claim, check: Callable[[Sequence[Claim]], None]) -> None:
        """Write a claim down; nobody else can meanwhile.

        Args:
            claim: what to reserve; one of its id that is there already is replaced.
            check: takes the other claims on that host, and raises where there is no room.
        """
        now = time.time()
        with self._store().write() as db:
            serialise(db)
            old = or_(
                reservations.c.expires < now,
                reservations.c.settled < now - KEPT,
                reservations.c.id == claim.id,
            )
            db.execute(delete(reservations).where(old))
            check(_claims(db, [claim.host]))
            db.execute(insert(reservations).values(**_row(claim, now)))

    def settle(self, claim_id: str) -> None:
        """Note that a claim's VM is there."""
        with self._store().write() as db:
            mine = reservations.c.id == claim_id
            db.execute(update(reservations).where(mine).values(settled=time.time()))

    def release(self, claim_id: str) -> None:
        """Remove a claim: its VM does not come."""
        with self._store().write() as db:
            db.execute(delete(reservations).where(reservations.c.id == claim_id))

    def find(self, claim_id: str) -> Claim | None:
        """Return a claim; None where there is none of that id."""
        with self._store().read() as db:
            row = db.execute(select(reservations).where(reservations.c.id == claim_id)).first()
        return None if row is None else _claim(row)


def _claims(db: Connection, host_ids: Collection[str]) -> list[Claim]:
    query = (
        select(reservations)
        .where(reservations.c.host_id.in_(list(host_ids)), reservations.c.expires >= time.time())
        .order_by(reservations.c.id)
    )
    return [_claim(row) for row in db.execute(query) if not _abandoned(row)]


def _abandoned(row: Row[Any]) -> bool:
    """Whether nobody is making the VM any more."""
    return row.settled is None and Who(*row.data["who"]).gone


def _claim(row: Row[Any]) -> Claim:
    return Claim(
        id=row.id,
        host=row.host_id,
        vm=row.vm,
        cpus=row.cpus,
        memory=row.memory,
        labels=row.data["labels"],
        pools=row.data["pools"],
        gpus=tuple(row.data["gpus"]),
        settled=_settled(row),
    )


def _settled(row: Row[Any]) -> float | None:
    """Return when a VM was there, by our clock at the latest."""
    if row.settled is None:
        return None
    return float(row.settled) + (0 if Who(*row.data["who"]).here else SKEW)


def _row(claim: Claim, now: float) -> dict[str, Any]:
    data = {
        "labels": claim.labels,
        "pools": claim.pools,
        "gpus": list(claim.gpus),
        "who": list(me()),
    }
    return {
        "id": claim.id,
        "host_id": claim.host,
        "vm": claim.vm,
        "cpus": claim.cpus,
        "memory": claim.memory,
        "data": data,
        "created": now,
        "expires": now + LASTS,
        "settled": None,
    }
