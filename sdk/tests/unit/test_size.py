# SPDX-License-Identifier: Apache-2.0
"""Sizes: read, written, and read again the same."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostler.models.size import SIZE_PATTERN, format_size, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1B", 1), ("1KiB", 1024), ("1K", 1024), ("1k", 1024), ("1KB", 1000), ("4GiB", 4 * 1024**3),
        ("512 MiB", 512 * 1024**2), ("20G", 20 * 1024**3), ("20GB", 20 * 1000**3),
        ("1.5GiB", 1536 * 1024**2), ("2TiB", 2 * 1024**4), ("1PiB", 1024**5), (" 1 gib ", 1024**3),
        ("9007199254740993B", 9007199254740993),
    ],
)  # fmt: skip
def test_read(text: str, size: int) -> None:
    assert parse_size(text) == size
    assert re.match(SIZE_PATTERN, text) or text != text.strip() or text.lower() == text


@pytest.mark.parametrize(
    "value",
    [
        "", "4", 4, 4.5, 0, -1, True, None, [], "GiB", "-1GiB", "0GiB", "1.5B", "4 Gi B", "4GiBs",
        "four GiB", "1e3MiB", "inf", "nan", "4GiB\n4GiB", "٤GiB", "1_000B",
    ],
)  # fmt: skip
def test_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"size|unit"):
        parse_size(value)


def test_a_number_without_a_unit_says_what_to_write() -> None:
    with pytest.raises(ValueError, match="has no unit; write 4GiB or 4MiB"):
        parse_size("4")


@given(st.integers(1, 2**60))
def test_written_and_read_again(size: int) -> None:
    written = format_size(size)
    assert written is not None
    assert parse_size(written) == size
    assert re.match(SIZE_PATTERN, written)


@given(st.integers(1, 1023), st.sampled_from(["KiB", "MiB", "GiB", "TiB"]))
def test_whole_units_stay_as_they_are(number: int, unit: str) -> None:
    assert format_size(parse_size(f"{number}{unit}")) == f"{number}{unit}"


@given(st.text(max_size=20))
def test_nothing_but_a_value_error_comes_out(text: str) -> None:
    try:
        assert parse_size(text) > 0
    except ValueError as error:
        assert "size" in str(error) or "unit" in str(error)  # noqa: PT017


def test_nothing_is_written_as_nothing() -> None:
    assert format_size(None) is None
