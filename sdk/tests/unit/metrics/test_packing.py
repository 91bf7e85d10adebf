# SPDX-License-Identifier: Apache-2.0
"""What is packed comes out again, and damage is noticed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostler.metrics.packing import FAST, SMALL, UNKNOWN, Table, pack

NUMBERS = st.integers(UNKNOWN, 2**62)
TABLES = st.integers(0, 30).flatmap(
    lambda rows: st.tuples(
        st.lists(st.integers(0, 2**50), min_size=rows, max_size=rows),
        st.lists(st.lists(NUMBERS, min_size=rows, max_size=rows), max_size=5),
    )
)


@given(TABLES, st.sampled_from([FAST, SMALL]))
def test_round_trip(table: tuple[list[int], list[list[int]]], level: int) -> None:
    index, columns = table
    found = Table(pack(index, columns, level=level))
    assert found.index() == index
    assert [found.column(n).tolist() for n in range(len(columns))] == columns


def test_a_metric_that_is_newer_than_the_samples_is_unknown() -> None:
    assert Table(pack([1, 2], [[5, 6]])).column(1).tolist() == [UNKNOWN, UNKNOWN]


@pytest.mark.fault
@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda data: data[:5],
        lambda data: data[:-4],
        lambda data: data[:9] + b"\0\0\0" + data[12:],
        lambda data: b"\2" + data[1:],
        lambda data: data[:1] + b"\4" + data[2:],
    ],
    ids=["nothing", "head", "end", "middle", "version", "rows"],
)
def test_damage(damage: object) -> None:
    data = pack([1, 2, 3], [[1, 2, 3]])
    assert callable(damage)
    with pytest.raises(ValueError, match="damaged"):
        Table(damage(data))


def test_a_quiet_vm_takes_few_bytes() -> None:
    """240 samples, an hour: 26 metrics of which most stay as they are."""
    times = [1_800_000_000_000 + n * 15_000 + n % 3 for n in range(240)]
    still = [[n * 1000] * 240 for n in range(20)]
    noisy = [[(n * 7919) % 97 + 100 for n in range(240)] for _ in range(6)]
    assert len(pack(times, [*still, *noisy])) / 240 < 10
