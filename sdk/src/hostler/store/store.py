# SPDX-License-Identifier: Apache-2.0
"""Store: opens the database, brings it up to date, hands out connections."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from hostler.errors import BackendError, Conflict, InvalidInput, Unreachable
from hostler.store.lock import serialise
from hostler.store.tables import HEAD, metadata

BUSY_SECONDS = 30
URL_HINT = "Write sqlite:////path/to.db or postgresql+psycopg://user@host/database."


def default_url() -> str:
    """Return the URL of the user's own database.

    ``HOSTLER_STORE`` (a URL) comes first, then the XDG state folder (``~/.local/state``).
    """
    if url := os.environ.get("HOSTLER_STORE"):
        return url
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
    return f"sqlite:///{state}/hostler/hostler.db"


class Store:
    """A database, opened when first used.

    Args:
        url: an SQLAlchemy URL; ``default_url()`` where left out.
    """

    def __init__(self, url: str | None = None) -> None:
        self.url = url or default_url()
        self._engine: Engine | None = None
        self._lock = threading.RLock()

    @property
    def empty(self) -> bool:
        """Whether nothing was ever kept: its file is not there."""
        try:
            url = make_url(self.url)
        except ArgumentError:
            return False  # opening it says what is wrong
        at_hand = url.get_backend_name() == "sqlite" and url.database
        return bool(at_hand) and not Path(str(url.database)).exists()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction; writers of one process queue here instead of in the database.

        Raises:
            BackendError: the database failed.
        """
        with self._lock, self._errors(), self._open().begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a connection to read from.

        Raises:
            BackendError: the database failed.
        """
        with self._errors(), self._open().connect() as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None

    def _open(self) -> Engine:
        with self._lock:
            if self._engine is None:
                engine = _engine(self.url)
                _bring_up_to_date(engine)
                self._engine = engine
            return self._engine

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            reason = str(error.orig).strip().partition("\n")[0]
            raise BackendError(
                f"the database failed: {reason}",
                on=_shown(self.url),
                hint="Check its disk space and permissions, or name another with HOSTLER_STORE.",
            ) from error
        except SQLAlchemyError as error:
            raise BackendError(f"the database failed: {error}", on=_shown(self.url)) from error


def _shown(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        engine = create_engine(parsed, **_options(parsed.get_backend_name()))
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise InvalidInput(
            f"no driver for this database: {error}", on=_shown(url), hint=URL_HINT
        ) from error
    except (ArgumentError, ValueError):  # their text may hold the password
        raise InvalidInput("the store is not an SQLAlchemy URL", hint=URL_HINT) from None
    except OSError as error:
        raise Unreachable(
            f"its folder can't be made: {error.strerror}",
            on=_shown(url),
            hint="Name another place with HOSTLER_STORE.",
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _tune_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _options(backend: str) -> dict[str, Any]:
    if backend == "sqlite":
        return {"connect_args": {"timeout": BUSY_SECONDS, "check_same_thread": False}}
    return {"pool_pre_ping": True}


def _tune_sqlite(connection: Any, _record: Any) -> None:
    """WAL outlives kill -9 without a flush of the disk for every step."""
    connection.isolation_level = None  # transactions begin where SQLAlchemy says, see below
    _use_wal(connection)
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")


def _use_wal(connection: Any) -> None:
    """Turn a new file to WAL; SQLite does not wait for another that does the same, so we do."""
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    """Begin a real transaction; Python's driver begins none before a SELECT, PRAGMA or CREATE.

    Source: SQLAlchemy, "Serializable isolation / Savepoints / Transactional DDL" of pysqlite.
    """
    connection.exec_driver_sql("BEGIN")


def _bring_up_to_date(engine: Engine) -> None:
    """Make the tables in a new database; run migrations on an old one.

    Raises:
        Conflict: a newer version of Hostler made the database.
    """
    with engine.connect() as connection:
        fresh = not inspect(connection).has_table("alembic_version")
        version = (
            None if fresh else connection.scalar(text("SELECT version_num FROM alembic_version"))
        )
    if version == HEAD:
        return
    if fresh:
        _create(engine)
        return
    if version is None or version > HEAD:
        raise Conflict(
            f"a newer version of hostler made this database (revision {version})",
            on=engine.url.render_as_string(hide_password=True),
            hint="Use that version, or name another database with HOSTLER_STORE.",
        )
    from hostler.store.migrations import upgrade

    upgrade(engine)


def _create(engine: Engine) -> None:
    """Make all tables at once; loses gracefully against another process that does the same."""
    with engine.begin() as connection:
        serialise(connection)
        if inspect(connection).has_table("alembic_version"):
            return
        metadata.create_all(connection)
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})
