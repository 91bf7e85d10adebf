# SPDX-License-Identifier: Apache-2.0
"""Image files on this machine: what they are, read from their first bytes."""

from __future__ import annotations

import hashlib
import struct
import sys
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from hostler.errors import InvalidInput, NotFound

_QCOW2 = b"QFI\xfb"
_HEADER = ">4sIQIIQIIQQII"
HEAD = struct.calcsize(_HEADER)
"""Bytes at the start of an image that tell what it is."""
_OFFSET = 0x00FFFFFFFFFFFE00
_COMPRESSED = 1 << 62


@dataclass(frozen=True)
class ImageFacts:
    """A disk image: ``capacity`` is what a guest sees, ``size`` what the file takes, in bytes."""

    path: str
    format: str
    capacity: int
    size: int


def read_image(path: str, checksum: str | None = None) -> ImageFacts:
    """Read what an image is, and check that it is whole.

    The qcow2 header is laid out in https://www.qemu.org/docs/master/interop/qcow2.html.

    Args:
        path: a local file, raw or qcow2.
        checksum: ``sha256:...`` or ``sha512:...`` that the file must have.

    Raises:
        NotFound: there is no such file.
        InvalidInput: it is empty, truncated, has a backing file, or another checksum.
    """
    file, on = Path(path).expanduser().absolute(), f"image {path}"
    try:
        size = file.stat().st_size
        with file.open("rb") as stream:
            head = stream.read(HEAD)
            whole = head[:4] != _QCOW2 or _is_whole(stream, head, size)
    except FileNotFoundError:
        raise NotFound("there is no such file", on=on, hint="It is read on this machine.") from None
    except OSError as error:
        raise InvalidInput(f"it can't be read: {error.strerror}", on=on) from None
    if size == 0:
        raise InvalidInput("the file is empty", on=on, hint="Download it again.")
    if checksum is not None and checksum != _digest(file, checksum.partition(":")[0]):
        raise InvalidInput("its checksum is another", on=on, hint="Download it again.")
    if not whole:
        raise InvalidInput("it is a truncated qcow2 image", on=on, hint="Download it again.")
    return facts_of(head, str(file), size, on)


def facts_of(head: bytes, path: str, size: int, on: str) -> ImageFacts:
    """Return what an image is by its first ``HEAD`` bytes; ``on`` names it in errors.

    Raises:
        InvalidInput: it has a backing file, or is shorter than its header.
    """
    if head[:4] != _QCOW2:
        return ImageFacts(path, "raw", size, size)
    if len(head) < HEAD:
        raise InvalidInput("it is a truncated qcow2 image", on=on, hint="Download it again.")
    return ImageFacts(path, "qcow2", _qcow2_capacity(head, on), size)


def _is_whole(stream: IO[bytes], head: bytes, size: int) -> bool:
    """Whether every cluster that a qcow2 image's tables name starts inside of the file."""
    if len(head) < HEAD:
        return False
    fields = struct.unpack(_HEADER, head)
    cluster_bits, l1_size, l1_table = fields[4], fields[7], fields[8]
    if l1_table + l1_size * 8 > size or fields[9] >= size or not 9 <= cluster_bits <= 21:
        return False
    for l2_table in _entries(stream, l1_table, l1_size):
        offset = l2_table & _OFFSET
        if offset + (1 << cluster_bits) > size:
            return False
        clusters = _entries(stream, offset, 1 << cluster_bits - 3) if offset else ()
        plain = (entry & _OFFSET for entry in clusters if not entry & _COMPRESSED)
        if max(plain, default=0) >= size:
            return False
    return True


def _entries(stream: IO[bytes], offset: int, count: int) -> array[int]:
    stream.seek(offset)
    table = array("Q", stream.read(count * 8))
    if sys.byteorder == "little":
        table.byteswap()
    return table


def _qcow2_capacity(head: bytes, on: str) -> int:
    backing, capacity = struct.unpack(_HEADER, head)[2], struct.unpack(_HEADER, head)[5]
    if backing:
        raise InvalidInput(
            "it needs a backing file", on=on, hint="Flatten it first with 'qemu-img convert'."
        )
    return int(capacity)


def _digest(file: Path, algorithm: str) -> str:
    with file.open("rb") as stream:
        return f"{algorithm}:{hashlib.file_digest(stream, algorithm).hexdigest()}"
