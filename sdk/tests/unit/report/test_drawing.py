# SPDX-License-Identifier: Apache-2.0
"""Lines, scales and words of a report."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostler.report import drawing, wording
from hostler.report.build import thinned

NOW = datetime(2026, 5, 4, 15, 30, tzinfo=UTC)
values = st.lists(st.one_of(st.none(), st.floats(0, 1e6)), max_size=40)


@given(values)
def test_a_line_has_all_values_and_all_gaps(told: list[float | None]) -> None:
    top = drawing.top_of(told, None)
    path = drawing.path(told, top, width=400, height=50)
    runs = re.findall(r"[0-9.]+|None", re.sub(r"(\d|\d\.\d) ", r"\1;", path)) and path.count("M")
    gaps = "".join("x" if value is None else "v" for value in told)
    assert (runs or 0) == len(re.findall("v+", gaps))
    points = [tuple(map(float, p.split())) for p in re.findall(r"[\d.]+ [\d.]+", path)]
    assert len(points) == gaps.count("v")
    assert all(0 <= x <= 400.1 and 0 <= y <= 50 for x, y in points)
    assert drawing.area(told, top).count("Z") == path.count("M")


@given(st.floats(0.001, 1e9))
def test_a_scale_ends_above_the_values_and_not_far(most: float) -> None:
    assert most <= drawing.top_of([most, None, 0], None) * 1.0000001 <= most * 2.5000001


@given(values, st.integers(1, 60))
def test_thinned_values_stay_within(told: list[float | None], most: int) -> None:
    few = thinned(told, most)
    assert len(few) <= most
    known = [value for value in told if value is not None]
    left = [value for value in few if value is not None]
    assert bool(left) == bool(known)
    assert all(min(known) - 0.01 <= value <= max(known) + 0.01 for value in left)


def test_scales() -> None:
    assert [tick.text for tick in drawing.scale(2500)] == ["2,500", "1,250", "0"]
    assert drawing.top_of([3], 100) == 100
    assert drawing.top_of([], None) == 1


@pytest.mark.parametrize(
    ("hours", "texts"),
    [
        (1, ["14:30", "14:45", "15:00", "15:15", "15:30"]),
        (6, ["10:00", "11:00", "12:00", "13:00", "14:00", "15:00"]),
        (24, ["16:00", "20:00", "00:00", "04:00", "08:00", "12:00"]),
        (48, ["16:00", "00:00", "12:00", "00:00", "12:00"][1:]),
        (24 * 7, ["29 Apr", "01 May", "03 May"]),
    ],
)
def test_marks_of_time(hours: int, texts: list[str]) -> None:
    times = [NOW - timedelta(hours=hours), NOW]
    ticks = drawing.clock(times, UTC)
    assert [tick.text for tick in ticks] == texts
    assert all(0 <= tick.place <= 1 for tick in ticks)
    assert drawing.clock(times[:1], UTC) == []


WORDS: list[tuple[Any, str]] = [
    (wording.percent(12.4), "12 %"),
    (wording.percent(0.2), "<1 %"),
    (wording.percent(0), "0 %"),
    (wording.percent(None), wording.NOT_KNOWN),
    (wording.count(60.00001), "60"),
    (wording.count(3000), "3,000"),
    (wording.count(2.55), "2.5"),
    (wording.count(None), wording.NOT_KNOWN),
    (wording.size(0), "0 GiB"),
    (wording.size(0.5), "512 MiB"),
    (wording.size(1536), "1.5 TiB"),
    (wording.size(2 * 1024**2), "2 PiB"),
    (wording.value(None, "MB/s"), f"{wording.NOT_KNOWN} MB/s"),
    (wording.value(55.2, "%"), "55 %"),
    (wording.plural(1, "host"), "1 host"),
    (wording.plural(2000, "host"), "2,000 hosts"),
    (wording.ago(NOW - timedelta(seconds=59), NOW), "59 s"),
    (wording.ago(NOW - timedelta(seconds=61), NOW), "1 min"),
    (wording.ago(NOW - timedelta(minutes=119), NOW), "1 h"),
    (wording.ago(NOW - timedelta(hours=47), NOW), "47 h"),
    (wording.ago(NOW - timedelta(hours=49), NOW), "2 d"),
    (wording.ago(NOW + timedelta(hours=1), NOW), "0 s"),
    (wording.ago(None, NOW), wording.NOT_KNOWN),
    (wording.moment(NOW, UTC), "04 May 2026, 15:30"),
]


@pytest.mark.parametrize(("told", "text"), WORDS)
def test_words(told: str, text: str) -> None:
    assert told == text
