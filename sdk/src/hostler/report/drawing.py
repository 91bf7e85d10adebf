# SPDX-License-Identifier: Apache-2.0
"""Makes lines and scales for SVG of values. Pure.

The drawing itself is in the template: it has the page's colours in light and dark, which charting
libraries write into the picture.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

WIDTH, HEIGHT = 600.0, 100.0
"""Of a chart's drawing; it is stretched to its place."""
_STEPS = (1, 2, 2.5, 5, 10)
_HOURS = (0.25, 0.5, 1, 2, 3, 4, 6, 12, 24, 48, 168)

Values = Sequence[float | None]


class Tick(NamedTuple):
    """A mark on a scale; ``place`` is its part of the way, 0 to 1."""

    place: float
    text: str


def path(values: Values, top: float, *, width: float = WIDTH, height: float = HEIGHT) -> str:
    """Return the line of values as an SVG path; a gap is a gap.

    >>> path([0, 1, None, 1], 1, width=30, height=10)
    'M0 10L10 0M30 0h.01'
    """
    step = width / max(1, len(values) - 1)
    drawn = []
    for run in _runs(values):
        points = [f"{_n(x * step)} {_n(height - height * min(v, top) / top)}" for x, v in run]
        drawn.append("M" + "L".join(points) + ("h.01" if len(points) == 1 else ""))
    return "".join(drawn)


def area(values: Values, top: float, *, width: float = WIDTH, height: float = HEIGHT) -> str:
    """Return what is below the line."""
    step = width / max(1, len(values) - 1)
    drawn = []
    for run in _runs(values):
        points = [f"{_n(x * step)} {_n(height - height * min(v, top) / top)}" for x, v in run]
        left, right = run[0][0] * step, run[-1][0] * step
        drawn.append(f"M{_n(left)} {_n(height)}L{'L'.join(points)}L{_n(right)} {_n(height)}Z")
    return "".join(drawn)


def _runs(values: Values) -> Iterator[list[tuple[int, float]]]:
    """Yield the values between gaps, with their places."""
    run: list[tuple[int, float]] = []
    for place, value in enumerate(values):
        if value is not None:
            run.append((place, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _n(number: float) -> str:
    return f"{number:.1f}".rstrip("0").rstrip(".")


def top_of(values: Values, top: float | None) -> float:
    """Return where a scale ends: at ``top``, or at a round number above all values."""
    if top is not None:
        return top
    most = max((value for value in values if value is not None), default=0)
    if most < 1e-9:
        return 1
    size = float(10 ** math.floor(math.log10(most)))
    return next(step * size for step in _STEPS if step * size >= most)


def scale(top: float) -> list[Tick]:
    """Return the marks of an upright scale: nothing, half and all."""
    return [Tick(part, f"{top * part:,.4g}") for part in (1, 0.5, 0)]


def clock(times: Sequence[datetime], zone: tzinfo | None, *, marks: int = 6) -> list[Tick]:
    """Return marks at whole hours, or days, between the first time and the last."""
    if len(times) < 2:
        return []
    first, last = times[0].astimezone(zone), times[-1].astimezone(zone)
    hours = (last - first).total_seconds() / 3600
    every = next((step for step in _HOURS if hours / step <= marks), _HOURS[-1])
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    found = []
    for number in range(int((hours + 24) // every) + 1):
        at = midnight + timedelta(hours=every * number)
        if first <= at <= last:
            text = at.strftime("%d %b" if every >= 24 else "%H:%M")
            found.append(Tick((at - first).total_seconds() / 3600 / hours, text))
    return found


def summary(values: Values) -> tuple[float, float, float, float] | None:
    """Return least, mean, most and last of the values that are known."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return min(known), sum(known) / len(known), max(known), known[-1]
