# SPDX-License-Identifier: Apache-2.0
"""One transaction at a time, across processes."""

from __future__ import annotations

from sqlalchemy import Connection, text

_STATEMENTS = {
    "sqlite": "PRAGMA user_version = 1",  # a write, so it waits for the write lock
    "postgresql": "SELECT pg_advisory_xact_lock(hashtext('hostler'))",
}


def serialise(db: Connection) -> None:
    """Wait for others that have called this; hold them up until the transaction ends.

    It comes first in a transaction: what SQLite has read before it waits is stale afterwards.
    """
    db.execute(text(_STATEMENTS.get(db.dialect.name, "SELECT 1")))
