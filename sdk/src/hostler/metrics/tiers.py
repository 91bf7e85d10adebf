# SPDX-License-Identifier: Apache-2.0
"""How long samples are kept, and in chunks of what length. Pure, but for the reading of rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hostler.metrics.folding import AGGREGATIONS, fold, spans
from hostler.metrics.packing import Table, pack
from hostler.models.metrics import Aggregation
from hostler.models.metrics_config import MetricsConfig

HOUR, DAY = 3600, 86400


@dataclass(frozen=True)
class Tier:
    """A fineness in which history is kept.

    Attributes:
        step: seconds that a point stands for; 0: each sample as it was taken.
        span: seconds in one chunk.
    """

    step: int
    span: int

    def kept(self, config: MetricsConfig) -> int:
        """Return how many seconds it is kept."""
        if self.step == 0:
            return config.keep_raw_hours * HOUR
        return DAY * (config.keep_5m_days if self.step < HOUR else config.keep_1h_days)

    def chunk(self, at: float) -> int:
        """Return where the chunk of a time begins."""
        return int(at // self.span * self.span)


RAW, FINE, COARSE = Tier(0, HOUR), Tier(300, DAY), Tier(HOUR, 30 * DAY)
TIERS = (RAW, FINE, COARSE)


def tier_for(step: int) -> Tier:
    """Return the coarsest tier that has points enough for an interval."""
    return max((tier for tier in TIERS if tier.step <= step), key=lambda tier: tier.step)


@dataclass
class Points:
    """Points of one resource: times in milliseconds, and whole columns.

    Attributes:
        weights: how many samples each point stands for.
        columns: in a chunk of samples a column for each metric; in others four of them, as
            AGGREGATIONS.
    """

    times: list[int] = field(default_factory=list)
    weights: list[int] = field(default_factory=list)
    columns: list[list[int]] = field(default_factory=list)

    def packed(self) -> bytes:
        """Pack them; the weights come first."""
        return pack(self.times, [self.weights, *self.columns])

    def extended(self, other: Points) -> Points:
        """Return these and others, by time."""
        if not self.times:
            return other
        joined = Points(
            self.times + other.times,
            self.weights + other.weights,
            [a + b for a, b in zip(self.columns, other.columns, strict=True)],
        )
        return joined if self.times[-1] <= other.times[0] else joined.sorted()

    def sorted(self) -> Points:
        """Return them by time: a clock that was set back has mixed them."""
        order = sorted(range(len(self.times)), key=self.times.__getitem__)
        return Points(
            [self.times[n] for n in order],
            [self.weights[n] for n in order],
            [[column[n] for n in order] for column in self.columns],
        )


def unpacked(data: bytes, width: int) -> Points:
    """Unpack a chunk of ``width`` columns.

    Raises:
        ValueError: it is damaged.
    """
    table = Table(data)
    columns = [table.column(1 + place).tolist() for place in range(width)]
    return Points(table.index(), table.column(0).tolist(), columns)


def width(metrics: int, tier: Tier) -> int:
    """Return how many columns a tier has for some metrics."""
    return metrics * (len(AGGREGATIONS) if tier.step else 1)


def place(metric: int, tier: Tier, how: Aggregation) -> int:
    """Return the column of a metric's place."""
    return metric * len(AGGREGATIONS) + AGGREGATIONS.index(how) if tier.step else metric


def coarser(samples: Points, tier: Tier) -> Points:
    """Fold samples to the points of a tier."""
    if tier.step == 0:
        return samples
    step = tier.step * 1000
    start = samples.times[0] // step * step
    count = (samples.times[-1] - start) // step + 1
    found = list(spans(samples.times, start, step, count))
    return Points(
        [start + span.number * step for span in found],
        [span.end - span.first for span in found],
        [
            [fold(column[s.first : s.end], samples.weights[s.first : s.end], how) for s in found]
            for column in samples.columns
            for how in AGGREGATIONS
        ],
    )


def by_chunk(points: Points, tier: Tier) -> Iterable[tuple[int, Points]]:
    """Yield points by the beginning of their chunk (seconds)."""
    starts = [tier.chunk(time / 1000) for time in points.times]
    for start in dict.fromkeys(starts):
        chosen: Sequence[int] = [n for n, one in enumerate(starts) if one == start]
        first, end = chosen[0], chosen[-1] + 1
        yield (
            start,
            Points(
                points.times[first:end],
                points.weights[first:end],
                [column[first:end] for column in points.columns],
            ),
        )
