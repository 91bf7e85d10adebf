# SPDX-License-Identifier: Apache-2.0
"""Reads history out of the store."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from hostler.metrics.folding import fold, spans
from hostler.metrics.packing import UNKNOWN, Table
from hostler.metrics.past import Range
from hostler.metrics.resources import Resource
from hostler.metrics.tiers import Tier, place
from hostler.metrics.views import Values, valued
from hostler.models.metrics import METRICS, Kind, Metric
from hostler.store.tables import metric_chunks, metric_rounds

MANY = 500
"""Resources in one query: SQLite takes 999 values at most in old versions."""


@dataclass
class _Found:
    """Samples of one resource: times (seconds), weights, a column for each metric."""

    times: list[float] = field(default_factory=list)
    weights: list[int] = field(default_factory=list)
    columns: list[list[int]] = field(default_factory=list)


def read(
    db: Connection,
    found: Sequence[Resource],
    metrics: Sequence[Metric],
    within: Range,
    tier: Tier,
) -> dict[int, Values]:
    """Return the values of resources of one kind, by number; a span without samples is None."""
    if not found:
        return {}
    kind = found[0].kind
    places = [METRICS[kind].index(metric) for metric in metrics]
    samples = {one.id: _Found(columns=[[] for _ in places]) for one in found}
    for first in range(0, len(found), MANY):
        ids = [one.id for one in found[first : first + MANY]]
        _read_chunks(db, ids, tier, [place(n, tier, within.how) for n in places], within, samples)
    _read_rounds(db, kind, {one.host for one in found}, places, within, samples)
    return {one: _values(known, metrics, within) for one, known in samples.items()}


def _read_chunks(
    db: Connection,
    ids: Sequence[int],
    tier: Tier,
    columns: Sequence[int],
    within: Range,
    samples: dict[int, _Found],
) -> None:
    table = metric_chunks
    mine = table.c.resource.in_(ids) & (table.c.step == tier.step)
    mine &= (table.c.start > within.start - tier.span) & (table.c.start < within.end)
    query = select(table.c.resource, table.c.data).where(mine).order_by(table.c.start)
    for row in db.execute(query):
        with suppress(ValueError):  # damaged: a gap
            chunk = Table(bytes(row.data))
            known = samples[row.resource]
            known.times += [time / 1000 for time in chunk.index()]
            known.weights += chunk.column(0)
            for values, number in zip(known.columns, columns, strict=True):
                values.extend(chunk.column(1 + number))


def _read_rounds(
    db: Connection,
    kind: Kind,
    hosts: Iterable[str],
    columns: Sequence[int],
    within: Range,
    samples: dict[int, _Found],
) -> None:
    table = metric_rounds
    mine = (table.c.kind == kind) & table.c.host.in_(list(hosts))
    mine &= (table.c.at >= within.start) & (table.c.at < within.end)
    query = select(table.c.at, table.c.data).where(mine).order_by(table.c.at, table.c.id)
    for row in db.execute(query):
        with suppress(ValueError):
            chunk = Table(bytes(row.data))
            told = [chunk.column(number) for number in columns]
            _add_round(row.at, chunk.index(), told, samples)


def _add_round(
    at: float, index: Sequence[int], told: Sequence[array[int]], samples: dict[int, _Found]
) -> None:
    for number, resource in enumerate(index):
        known = samples.get(resource)
        if known is not None:
            known.times.append(at)
            known.weights.append(1)
            for values, column in zip(known.columns, told, strict=True):
                values.append(column[number])


def _values(found: _Found, metrics: Sequence[Metric], within: Range) -> Values:
    times, weights, columns = found.times, found.weights, found.columns
    order = sorted(range(len(times)), key=times.__getitem__)
    if order != list(range(len(times))):  # a clock was set back
        times = [times[n] for n in order]
        weights = [weights[n] for n in order]
        columns = [[column[n] for n in order] for column in columns]
    known = list(spans(times, within.start, within.step, within.count))
    values: Values = {}
    for metric, column in zip(metrics, columns, strict=True):
        row: list[float | None] = [None] * within.count
        for span in known:
            part = slice(span.first, span.end)
            told = fold(column[part], weights[part], within.how)
            row[span.number] = None if told == UNKNOWN else valued(told, metric)
        values[metric.name] = row
    return values
