# SPDX-License-Identifier: Apache-2.0
"""The tables. A change here needs a migration in ``migrations/versions`` and a new ``HEAD``."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

HEAD = "0001"
"""The newest migration; a database that says so needs none."""

metadata = MetaData()

plans = Table(
    "plans",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("created", Float, nullable=False),
    Column("updated", Float, nullable=False),
    Column("status", String(16), nullable=False),
    Column("target", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("data", JSON, nullable=False),
    Column("error", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("pid_started", String(32), nullable=False),
    Index("plans_created", "created"),
)

steps = Table(
    "steps",
    metadata,
    Column("plan_id", String(32), ForeignKey("plans.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("data", JSON, nullable=False),
    Column("summary", Text, nullable=False),
    Column("command", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("started", Float),
    Column("seconds", Float),
    Column("error", Text, nullable=False),
    Index("steps_started", "started"),
)
