# SPDX-License-Identifier: Apache-2.0
"""The registry: which hosts there are, by fleet.yml and the store."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from hostler.errors import InvalidInput, NotFound
from hostler.hosts.resting import Resting, resting_ids
from hostler.models.host import Host, HostSettings
from hostler.models.placement import AUTO
from hostler.store import Store
from hostler.store.lock import serialise
from hostler.store.tables import host_maintenance, host_vms, hosts, reservations


class Registry:
    """The hosts of a fleet; ``maintenance`` says which of them rest.

    Args:
        declared: those of fleet.yml; one of the same id in the store is passed over.
        store: opens the store; what fleet.yml says is found without it.
    """

    def __init__(self, declared: Mapping[str, HostSettings], store: Callable[[], Store]) -> None:
        self._declared = declared
        self._store = store
        self.maintenance = Resting(store)

    def all(self) -> list[Host]:
        """Return all hosts, by id."""
        found: dict[str, Host] = {}
        resting: set[str] = set()
        uuids: dict[tuple[str, str], str | None] = {}
        if not self._store().empty:
            with self._store().read() as db:
                resting |= resting_ids(db)
                for row in db.execute(select(hosts)):
                    found[row.id] = _host(row, maintenance=row.id in resting)
                seen = select(host_vms.c.host_id, host_vms.c.uri, host_vms.c.uuid)
                uuids |= {(row.host_id, row.uri): row.uuid for row in db.execute(seen)}
        for name, settings in self._declared.items():
            found[name] = Host(
                id=name,
                settings=settings,
                uuid=uuids.get((name, settings.uri)),
                maintenance=name in resting,
                source="fleet.yml",
            )
        return [found[name] for name in sorted(found)]

    def find(self, host_id: str) -> Host | None:
        """Return a host; None where there is none of that id."""
        return next((host for host in self.all() if host.id == host_id), None)

    def get(self, host_id: str) -> Host:
        """Return a host.

        Raises:
            NotFound: there is none of that id.
        """
        known = self.all()
        for host in known:
            if host.id == host_id:
                return host
        near = get_close_matches(host_id, [host.id for host in known], 1)
        hint = f"Did you mean {near[0]!r}?" if near else "See 'hostler host list'."
        raise NotFound("there is no such host in the pool", on=f"host {host_id!r}", hint=hint)

    def uri(self, host_id: str) -> str:
        """Return a host's URI; one of fleet.yml is found without the store.

        Raises:
            NotFound: there is none of that id.
            InvalidInput: it is ``auto``.
        """
        if host_id == AUTO:
            what = f"host {AUTO!r} is for tasks that make VMs"
            raise InvalidInput(what, hint="Name a host. See 'hostler host list'.")
        declared = self._declared.get(host_id)
        return declared.uri if declared else self.get(host_id).uri

    def save(self, host_id: str, settings: HostSettings, uuid: str | None) -> None:
        """Write a host down.

        Raises:
            Conflict: it is there already, under another id.
        """
        now = time.time()
        data = settings.dump()
        values = {"uri": data.pop("uri"), "uuid": uuid, "data": data, "updated": now}
        with self._store().write() as db:
            serialise(db)
            _refuse_twin(db, host_id, settings.uri, uuid)
            changed = db.execute(update(hosts).where(hosts.c.id == host_id).values(**values))
            if not changed.rowcount:
                db.execute(insert(hosts).values(id=host_id, created=now, **values))

    def forget(self, host_id: str) -> None:
        """Remove a host, and all that was kept of it."""
        with self._store().write() as db:
            db.execute(delete(hosts).where(hosts.c.id == host_id))
            for table in (host_maintenance, host_vms, reservations):
                db.execute(delete(table).where(table.c.host_id == host_id))


def _host(row: Row[Any], *, maintenance: bool) -> Host:
    return Host(
        id=row.id,
        settings=HostSettings(uri=row.uri, **row.data),
        uuid=row.uuid,
        maintenance=maintenance,
        created_at=datetime.fromtimestamp(row.created, UTC),
        updated_at=datetime.fromtimestamp(row.updated, UTC),
    )


def _refuse_twin(db: Connection, host_id: str, uri: str, uuid: str | None) -> None:
    """Refuse a machine that is there under another id: its VMs would count twice."""
    for row in db.execute(select(hosts).where(hosts.c.id != host_id)):
        other = _host(row, maintenance=False)
        if other.is_at(uri, uuid):
            raise other.twin_of(host_id, uuid)
