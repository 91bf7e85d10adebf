# SPDX-License-Identifier: Apache-2.0
"""Packs samples: columns of whole numbers, compressed. Pure.

A table has an index (times, or numbers of resources) and columns of as many values; what is not
known is UNKNOWN. The bytes of each column are sorted by their place in the number: those of like
values then stand together, and most places hold nothing but zeros, which zlib makes short. A
column can be taken out without looking at the others.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate
from operator import sub
from struct import Struct, error

UNKNOWN = -1
"""In place of a value, all of which are 0 or more."""

FAST, SMALL = 1, 6
"""Levels of zlib."""

_HEAD = Struct("<BII")
_VERSION = 1
_WIDTH = 8


def pack(index: Sequence[int], columns: Iterable[Iterable[int]], *, level: int = SMALL) -> bytes:
    """Pack a table.

    >>> Table(pack([7, 9], [[1, 2], [3, UNKNOWN]])).column(1).tolist()
    [3, -1]
    """
    steps = list(map(sub, index, [0, *index[:-1]]))
    planes = [_planes(steps), *(_planes(column) for column in columns)]
    head = _HEAD.pack(_VERSION, len(index), len(planes) - 1)
    return head + zlib.compress(b"".join(planes), level)


class Table:
    """A packed table.

    Raises:
        ValueError: these bytes are none.
    """

    def __init__(self, data: bytes) -> None:
        try:
            version, self.rows, self.columns = _HEAD.unpack_from(data)
            self._body = zlib.decompress(data[_HEAD.size :])
        except (error, zlib.error) as problem:
            raise ValueError(f"it is damaged: {problem}") from problem
        if version != _VERSION or len(self._body) != _WIDTH * self.rows * (self.columns + 1):
            raise ValueError("it is damaged, or of a newer version of hostler")

    def index(self) -> list[int]:
        """Return the index."""
        return list(accumulate(self._column(0)))

    def column(self, number: int) -> array[int]:
        """Return a column; one that samples did not have yet when it was packed is UNKNOWN."""
        if number >= self.columns:
            return array("q", [UNKNOWN] * self.rows)
        return self._column(number + 1)

    def _column(self, place: int) -> array[int]:
        size = _WIDTH * self.rows
        part = self._body[place * size : (place + 1) * size]
        mixed = bytearray(size)
        for byte in range(_WIDTH):
            mixed[byte::_WIDTH] = part[byte * self.rows : (byte + 1) * self.rows]
        values: array[int] = array("q")
        values.frombytes(mixed)
        return _little(values)


def _planes(values: Iterable[int]) -> bytes:
    data = _little(array("q", values)).tobytes()
    return b"".join(data[byte::_WIDTH] for byte in range(_WIDTH))


def _little(values: array[int]) -> array[int]:
    if sys.byteorder == "big":
        values.byteswap()
    return values
