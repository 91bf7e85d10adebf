# SPDX-License-Identifier: Apache-2.0
"""Which hosts are in maintenance, and where the VMs of each were moved to; kept in the store."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from sqlalchemy import Connection, delete, insert, select, update

from hostler.errors import NoRoom
from hostler.models.host_maintenance import Away, Record
from hostler.store import Store
from hostler.store.lock import serialise
from hostler.store.tables import host_maintenance


class Resting:
    """The hosts in maintenance."""

    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store

    def find(self, host_id: str) -> Record | None:
        """Return what is kept of a host; None where there is nothing."""
        if self._store().empty:
            return None
        with self._store().read() as db:
            return _find(db, host_id)

    def rest(self, host_id: str, onto: Collection[str] = ()) -> None:
        """Take a host into maintenance; where its VMs are is kept.

        Args:
            host_id: the host.
            onto: the hosts that its VMs are to be moved to.

        Raises:
            NoRoom: one of those is in maintenance itself by now.
        """
        with self._store().write() as db:
            serialise(db)
            taken = sorted(resting_ids(db) & set(onto))
            if taken:
                what = f"host {', '.join(taken)} is in maintenance itself by now"
                raise NoRoom(what, on=f"host {host_id!r}", hint="Run it again.")
            old = _find(db, host_id)
            _write(db, host_id, Record(resting=True, away=old.away if old else {}))

    def wake(self, host_id: str, keep: Collection[str] = ()) -> None:
        """Take a host out of maintenance; ``keep`` are UUIDs of VMs that are to come back."""
        with self._store().write() as db:
            serialise(db)
            old = _find(db, host_id)
            away = {uuid: away for uuid, away in old.away.items() if uuid in keep} if old else {}
            _write(db, host_id, Record(away=away))

    def restore(self, host_id: str, record: Record | None) -> None:
        """Keep of a host what was kept before."""
        with self._store().write() as db:
            serialise(db)
            _write(db, host_id, record or Record())

    def note(self, host_id: str, uuid: str, away: Away | None) -> None:
        """Keep where a VM of a host is; None: it is back."""
        with self._store().write() as db:
            serialise(db)
            old = _find(db, host_id) or Record()
            others = {key: value for key, value in old.away.items() if key != uuid}
            away_now = others | ({uuid: away} if away else {})
            _write(db, host_id, Record(resting=old.resting, away=away_now))


def resting_ids(db: Connection) -> set[str]:
    """Return the ids of hosts in maintenance."""
    rows = db.execute(select(host_maintenance.c.host_id, host_maintenance.c.data))
    return {row.host_id for row in rows if row.data["resting"]}


def _find(db: Connection, host_id: str) -> Record | None:
    row = db.execute(
        select(host_maintenance.c.data).where(host_maintenance.c.host_id == host_id)
    ).first()
    return None if row is None else Record.model_validate(row.data)


def _write(db: Connection, host_id: str, record: Record) -> None:
    """Write what is kept of a host; nothing where it is active and has all its VMs."""
    mine = host_maintenance.c.host_id == host_id
    if not record.resting and not record.away:
        db.execute(delete(host_maintenance).where(mine))
        return
    data = record.model_dump(mode="json")
    changed = db.execute(update(host_maintenance).where(mine).values(data=data))
    if not changed.rowcount:
        values = {"host_id": host_id, "since": time.time(), "data": data}
        db.execute(insert(host_maintenance).values(**values))
