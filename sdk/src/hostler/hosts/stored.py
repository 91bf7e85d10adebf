# SPDX-License-Identifier: Apache-2.0
"""The VMs of each host as they were last seen, kept in the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, cast

from sqlalchemy import delete, insert, select

from hostler.store import Store
from hostler.store.tables import host_vms
from hostler.vms.inventory_row import VmRow


class LastSeen(NamedTuple):
    """A host's VMs; ``at`` is when the reading began (``time.time()``)."""

    uri: str
    uuid: str | None
    at: float
    vms: list[VmRow]


class StoredVms:
    """Keeps what was last seen of each host, by id."""

    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store

    def read(self, host_ids: Iterable[str]) -> dict[str, LastSeen]:
        """Return what is known of hosts; those that were never read are left out."""
        query = select(host_vms).where(host_vms.c.host_id.in_(list(host_ids)))
        with self._store().read() as db:
            return {
                row.host_id: LastSeen(row.uri, row.uuid, row.seen, cast("list[VmRow]", row.data))
                for row in db.execute(query)
            }

    def write(self, seen: Mapping[str, LastSeen]) -> None:
        """Keep what was seen, unless something newer is kept already."""
        if not seen:
            return
        with self._store().write() as db:
            for host_id, view in seen.items():
                older = (host_vms.c.host_id == host_id) & (host_vms.c.seen <= view.at)
                db.execute(delete(host_vms).where(older))
                newer = select(host_vms.c.host_id).where(host_vms.c.host_id == host_id)
                if db.execute(newer).first() is None:
                    db.execute(
                        insert(host_vms).values(
                            host_id=host_id,
                            uri=view.uri,
                            uuid=view.uuid,
                            seen=view.at,
                            data=list(view.vms),
                        )
                    )
