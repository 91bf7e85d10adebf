# SPDX-License-Identifier: Apache-2.0
"""Folds samples into equal spans of time. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import compress
from typing import NamedTuple

from hostler.metrics.packing import UNKNOWN
from hostler.models.metrics import Aggregation

AGGREGATIONS: tuple[Aggregation, ...] = ("avg", "min", "max", "last")


class Span(NamedTuple):
    """Some of the samples: those from ``first`` up to ``end``, all within ``number``'s time."""

    number: int
    first: int
    end: int


def spans(times: Sequence[float], start: float, step: float, count: int) -> Iterator[Span]:
    """Yield the spans from ``start`` on that have samples; ``times`` ascend."""
    place = bisect_left(times, start)
    while place < len(times):
        number = int((times[place] - start) // step)
        if number >= count:
            return
        end = bisect_left(times, start + (number + 1) * step, lo=place)
        yield Span(number, place, max(end, place + 1))
        place = max(end, place + 1)


def fold(values: Sequence[int], weights: Sequence[int], how: Aggregation) -> int:
    """Make one value of those that are known; UNKNOWN where none is.

    ``weights`` are the samples that each value stands for.
    """
    if min(values) > UNKNOWN:
        return _FOLDS[how](values, weights)
    known = [value > UNKNOWN for value in values]
    there = list(compress(values, known))
    return _FOLDS[how](there, list(compress(weights, known))) if there else UNKNOWN


def _average(values: Sequence[int], weights: Sequence[int]) -> int:
    weight = sum(weights)
    if weight == len(values):
        return round(sum(values) / weight)
    return round(sum(v * w for v, w in zip(values, weights, strict=True)) / weight)


_FOLDS: dict[Aggregation, Callable[[Sequence[int], Sequence[int]], int]] = {
    "avg": _average,
    "min": lambda values, _: min(values),
    "max": lambda values, _: max(values),
    "last": lambda values, _: values[-1],
}
