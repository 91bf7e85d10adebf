# SPDX-License-Identifier: Apache-2.0
"""What has metrics in the store, each with a number that its samples go by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from hostler.models.metrics import Kind
from hostler.store.tables import metric_resources

Key = tuple[Kind, str]
"""What it is, and its key on its host: a VM's UUID, a pool's name, '' for the host itself."""


class Resource(NamedTuple):
    """Something that has metrics; ``seen``: when it was last there (``time.time()``)."""

    id: int
    kind: Kind
    host: str
    key: str
    name: str
    seen: float


def read(db: Connection, kind: Kind, hosts: Iterable[str] | None = None) -> list[Resource]:
    """Return the resources of a kind, on all hosts or some."""
    table = metric_resources
    query = select(table).where(table.c.kind == kind).order_by(table.c.name, table.c.host)
    if hosts is not None:
        query = query.where(table.c.host.in_(list(hosts)))
    return [Resource(*row) for row in db.execute(query)]


def numbers(db: Connection, host: str, names: Mapping[Key, str], now: float) -> dict[Key, int]:
    """Return the number of each resource of a host, new ones too; notes new names."""
    known = _known(db, host)
    new = [key for key in names if key not in known]
    if new:
        rows = [
            {"kind": kind, "host": host, "key": key, "name": names[kind, key], "seen": now}
            for kind, key in new
        ]
        db.execute(insert(metric_resources), rows)
        known = _known(db, host)
    for key, name in names.items():
        if known[key].name != name:
            _set(db, [known[key].id], name=name)
    return {key: known[key].id for key in names}


def _known(db: Connection, host: str) -> dict[Key, Resource]:
    query = select(metric_resources).where(metric_resources.c.host == host)
    found = [Resource(*row) for row in db.execute(query)]
    return {(one.kind, one.key): one for one in found}


def saw(db: Connection, ids: Sequence[int], now: float) -> None:
    """Note when resources were last there."""
    _set(db, ids, seen=now)


def _set(db: Connection, ids: Sequence[int], **values: object) -> None:
    chosen = metric_resources.c.id.in_(list(ids))
    db.execute(update(metric_resources).where(chosen).values(**values))
