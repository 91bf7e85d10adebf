# SPDX-License-Identifier: Apache-2.0
"""Sizes: ``4GiB``, ``512 MiB``, ``20G`` to bytes and back."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_PATTERN = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([kmgtp]?)(i?)(b?)\s*$", re.IGNORECASE | re.ASCII)

KIB = 1024
MIB = 1024**2
GIB = 1024**3

SIZE_PATTERN = r"^\s*\d+(\.\d+)?\s*([KkMmGgTtPp]i?[Bb]?|[Bb])\s*$"


def parse_size(value: Any) -> int:
    """Turn a size with a unit into bytes.

    ``KiB``, ``MiB``, ``GiB`` and the bare letters ``K``, ``M``, ``G`` count by 1024, as qemu-img
    does; ``KB``, ``MB``, ``GB`` count by 1000. A number without a unit is refused: libvirt's own
    numbers are KiB, others' are MiB or bytes, and a guess would be wrong by 1024.

    Raises:
        ValueError: no size, no unit, not whole bytes, or not above zero.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{value!r} is not a size; write it like 4GiB")
    match = _PATTERN.match(str(value))
    if not match:
        raise ValueError(f"{str(value)[:40]!r} is not a size; write it like 4GiB or 512MiB")
    number, letter, binary, byte = match.groups()
    if not letter and not byte:
        raise ValueError(f"{value!r} has no unit; write {number}GiB or {number}MiB")
    base = 1000 if letter and byte and not binary else 1024
    size = Fraction(number) * base ** _POWERS[letter.lower()]
    if size <= 0 or size.denominator != 1:
        raise ValueError(f"{value!r} is not a size above zero in whole bytes")
    return int(size)


def format_size(size: int | None) -> str | None:
    """Write bytes in the largest binary unit that keeps the number short and exact.

    >>> format_size(4 * 1024**3)
    '4GiB'
    """
    if size is None:
        return None
    for letter, power in (("TiB", 4), ("GiB", 3), ("MiB", 2), ("KiB", 1)):
        if size >= 1024**power and size % 1024**power == 0:
            return f"{size // 1024**power}{letter}"
    return f"{size}B"


Size = Annotated[
    int,
    BeforeValidator(parse_size),
    Field(gt=0),
    WithJsonSchema({"type": "string", "pattern": SIZE_PATTERN}),
]
"""Bytes; read from text such as ``4GiB``."""
