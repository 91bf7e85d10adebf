# SPDX-License-Identifier: Apache-2.0
"""Migrations of the database, run by Alembic; loaded only when a database is not up to date."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

from hostler.store.lock import serialise


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring a database to a revision; of several at once, the others find it done."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with engine.begin() as connection:
        serialise(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
