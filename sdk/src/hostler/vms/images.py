# SPDX-License-Identifier: Apache-2.0
"""Image files on this machine: what they are, read from their first bytes."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path

from hostler.errors import InvalidInput, NotFound

_QCOW2 = b"QFI\xfb"
_HEADER = ">4sIQIIQIIQQII"


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
        checksum: ``sha256:...`` that the file must have.

    Raises:
        NotFound: there is no such file.
        InvalidInput: it is empty, truncated, has a backing file, or another checksum.
    """
    file, on = Path(path).expanduser(), f"image {path}"
    try:
        size = file.stat().st_size
        with file.open("rb") as stream:
            head = stream.read(struct.calcsize(_HEADER))
    except FileNotFoundError:
        raise NotFound("there is no such file", on=on, hint="It is read on this machine.") from None
    except OSError as error:
        raise InvalidInput(f"it can't be read: {error.strerror}", on=on) from None
    if size == 0:
        raise InvalidInput("the file is empty", on=on, hint="Download it again.")
    if checksum is not None and checksum != f"sha256:{_sha256(file)}":
        raise InvalidInput("its checksum is another", on=on, hint="Download it again.")
    if head[:4] == _QCOW2:
        return ImageFacts(str(file), "qcow2", _qcow2_capacity(head, size, on), size)
    return ImageFacts(str(file), "raw", size, size)


def _qcow2_capacity(head: bytes, size: int, on: str) -> int:
    if len(head) < struct.calcsize(_HEADER):
        raise InvalidInput("it is a truncated qcow2 image", on=on, hint="Download it again.")
    fields = struct.unpack(_HEADER, head)
    backing, capacity, l1_size, l1_table = fields[2], fields[5], fields[7], fields[8]
    if backing:
        raise InvalidInput(
            "it needs a backing file", on=on, hint="Flatten it first with 'qemu-img convert'."
        )
    if l1_table + l1_size * 8 > size or fields[9] > size:
        raise InvalidInput("it is a truncated qcow2 image", on=on, hint="Download it again.")
    return int(capacity)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
