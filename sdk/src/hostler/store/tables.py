# SPDX-License-Identifier: Apache-2.0
"""The tables. A change here needs a migration in ``migrations/versions`` and a new ``HEAD``."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

HEAD = "0003"
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

hosts = Table(
    "hosts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("uri", Text, nullable=False),
    Column("uuid", String(64)),
    Column("data", JSON, nullable=False),
    Column("created", Float, nullable=False),
    Column("updated", Float, nullable=False),
)

host_maintenance = Table(
    "host_maintenance",
    metadata,
    Column("host_id", String(64), primary_key=True),
    Column("since", Float, nullable=False),
    Column("data", JSON, nullable=False),
)
"""Hosts of fleet.yml can be in maintenance too, so this is no column of ``hosts``."""

host_vms = Table(
    "host_vms",
    metadata,
    Column("host_id", String(64), primary_key=True),
    Column("uri", Text, nullable=False),
    Column("uuid", String(64)),
    Column("seen", Float, nullable=False),
    Column("data", JSON, nullable=False),
)

reservations = Table(
    "reservations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("host_id", String(64), nullable=False),
    Column("vm", Text, nullable=False),
    Column("cpus", Integer, nullable=False),
    Column("memory", BigInteger, nullable=False),
    Column("data", JSON, nullable=False),
    Column("created", Float, nullable=False),
    Column("expires", Float, nullable=False),
    Column("settled", Float),
    Index("reservations_host", "host_id"),
)

metric_resources = Table(
    "metric_resources",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("host", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("seen", Float, nullable=False),
    UniqueConstraint("kind", "host", "key", name="metric_resources_key"),
)
"""What has metrics. ``key`` is a VM's UUID, a pool's name, '' for the host itself."""

metric_rounds = Table(
    "metric_rounds",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("host", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Index("metric_rounds_at", "at"),
    Index("metric_rounds_of", "kind", "host", "at"),
)
"""The newest samples: all that a host had at one time in one row. See ``metrics.packing``."""

metric_chunks = Table(
    "metric_chunks",
    metadata,
    Column("resource", Integer, primary_key=True),
    Column("step", Integer, primary_key=True),
    Column("start", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)
"""Older samples: those of one resource in a span of time. ``step`` is 0, or the seconds that each
point stands for."""

metric_counters = Table(
    "metric_counters",
    metadata,
    Column("host", Text, primary_key=True),
    Column("at", Float, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
"""The counters of each host as they were last read, which the next rates are made from."""
