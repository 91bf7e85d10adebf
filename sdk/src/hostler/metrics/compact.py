# SPDX-License-Identifier: Apache-2.0
"""Turns rounds of a full hour into chunks of each resource, and removes what is old."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from hostler.metrics import resources
from hostler.metrics.packing import Table
from hostler.metrics.tiers import HOUR, TIERS, Points, Tier, by_chunk, coarser, unpacked
from hostler.models.metrics import METRICS
from hostler.models.metrics_config import MetricsConfig
from hostler.store import Store
from hostler.store.lock import serialise
from hostler.store.tables import metric_chunks, metric_counters, metric_resources, metric_rounds


def compact(store: Store, now: float) -> bool:
    """Turn the oldest full hour of one host's VMs, or pools, or itself, into chunks.

    Each time is one transaction, so that what is killed in between is done again, whole.

    Returns:
        Whether there was one.

    Raises:
        BackendError: the database failed.
    """
    edge = now // HOUR * HOUR
    table = metric_rounds
    oldest = select(table).where(table.c.at < edge).order_by(table.c.at).limit(1)
    with store.write() as db:
        serialise(db)
        first = db.execute(oldest).first()
        if first is None:
            return False
        begin = first.at // HOUR * HOUR
        mine = (table.c.kind == first.kind) & (table.c.host == first.host)
        mine &= (table.c.at >= begin) & (table.c.at < begin + HOUR)
        rows = db.execute(select(table).where(mine).order_by(table.c.at, table.c.id)).all()
        seen = []
        for resource, samples in _by_resource(rows, len(METRICS[first.kind])):
            seen.append(resource)
            for tier in TIERS:
                _add(db, resource, tier, coarser(samples, tier))
        resources.saw(db, seen, rows[-1].at)
        db.execute(delete(table).where(mine))
    return True


def _by_resource(rows: Sequence[Any], metrics: int) -> Iterator[tuple[int, Points]]:
    """Yield the samples of each resource in these rounds."""
    rounds: list[tuple[int, dict[int, int], list[array[int]]]] = []
    places: dict[int, int] = {}
    for row in rows:
        with suppress(ValueError):  # damaged: a gap
            table = Table(bytes(row.data))
            index = table.index()
            if index != list(places):
                places = {resource: place for place, resource in enumerate(index)}
            columns = [table.column(number) for number in range(metrics)]
            rounds.append((round(row.at * 1000), places, columns))
    for resource in dict.fromkeys(one for _, places, _ in rounds for one in places):
        mine = [(at, known[resource], cols) for at, known, cols in rounds if resource in known]
        yield (
            resource,
            Points(
                [at for at, _, _ in mine],
                [1] * len(mine),
                [[cols[number][place] for _, place, cols in mine] for number in range(metrics)],
            ),
        )


def _add(db: Connection, resource: int, tier: Tier, points: Points) -> None:
    """Add points to the chunks that they belong to."""
    table = metric_chunks
    for start, part in by_chunk(points, tier):
        this = (table.c.resource == resource) & (table.c.step == tier.step)
        this &= table.c.start == start
        there = db.scalar(select(table.c.data).where(this))
        if there is not None:
            with suppress(ValueError):  # damaged: a gap
                part = _known(there, part).extended(part)  # noqa: PLW2901
            db.execute(delete(table).where(this))
        values = {"resource": resource, "step": tier.step, "start": start, "data": part.packed()}
        db.execute(insert(table).values(**values))


def _known(data: bytes, like: Points) -> Points:
    return unpacked(bytes(data), len(like.columns))


def expire(store: Store, config: MetricsConfig, now: float) -> None:
    """Remove what is older than it is to be kept.

    Raises:
        BackendError: the database failed.
    """
    chunks, known = metric_chunks, metric_resources
    with store.write() as db:
        for tier in TIERS:
            old = now - tier.kept(config) - tier.span
            db.execute(delete(chunks).where((chunks.c.step == tier.step) & (chunks.c.start < old)))
        alive = select(chunks.c.resource).where(chunks.c.resource == known.c.id).exists()
        longest = max(tier.kept(config) for tier in TIERS)
        db.execute(delete(known).where((known.c.seen < now - longest) & ~alive))
        db.execute(delete(metric_counters).where(metric_counters.c.at < now - longest))
