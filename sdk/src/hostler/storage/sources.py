# SPDX-License-Identifier: Apache-2.0
"""What new volumes are filled with: image files, here or on web servers, and their checksums."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from hostler.errors import BackendError, InvalidInput, NotFound
from hostler.models.url import DIGITS, is_url, masked
from hostler.vms.images import HEAD, ImageFacts, facts_of, read_image

if TYPE_CHECKING:
    from hostler.backends.web import Web, WebFile
    from hostler.fleet import Fleet

LONGEST_LIST = 1 << 20
"""Bytes of a file with checksums."""


def read_source(fleet: Fleet, image: str, checksum: str | None) -> ImageFacts:
    """Read what an image is; the path of one on a web server is its address as it may be shown.

    Only the start of a file on a web server is read: its checksum is compared when it is uploaded.

    Raises:
        NotFound: there is no such file.
        InvalidInput: it can't be used as an image, or has another checksum.
        BackendError: its server can't be asked.
    """
    if not is_url(image):
        return read_image(image, checksum)
    on = f"image {masked(image)}"
    with fleet.web.open(image) as file:
        head = _start(file, HEAD)
        size = file.size
    if size is None:
        hint = "Download it, and give the path of the file."
        raise InvalidInput("its server does not tell how long it is", on=on, hint=hint)
    if size == 0:
        raise InvalidInput("the file is empty", on=on, hint="Check the address.")
    return facts_of(head, masked(image), size, on)


def find_checksum(fleet: Fleet, image: str, checksum: str | None) -> str | None:
    """Return a checksum; looked up by the image's name where it is the address of a list.

    The lists are those of ``sha256sum`` and of ``sha256sum --tag``, or hold one checksum only.

    Raises:
        NotFound: the list has none for the image.
    """
    algorithm, _, rest = (checksum or "").partition(":")
    if not is_url(rest):
        return checksum
    text = _read_list(fleet.web, rest)
    path = unquote(urlsplit(image).path) if is_url(image) else image
    found = _listed(text, PurePosixPath(path).name, DIGITS[algorithm])
    if found is None:
        what = f"it has no {algorithm} of {PurePosixPath(path).name}"
        raise NotFound(what, on=f"list {masked(rest)}", hint="Check both addresses.")
    return f"{algorithm}:{found.lower()}"


def _listed(text: str, name: str, digits: int) -> str | None:
    words = [line.split() for line in text.splitlines()]
    for line in words:
        tagged = re.fullmatch(r"\S+ \((.+)\) = ([0-9a-fA-F]+)", " ".join(line))
        file, value = (
            (tagged[1], tagged[2]) if tagged else (line[-1], line[0]) if line else ("", "")
        )
        if PurePosixPath(file.removeprefix("*")).name == name and _is_sum(value, digits):
            return value
    alone = [line[0] for line in words if len(line) == 1 and _is_sum(line[0], digits)]
    return alone[0] if len(alone) == 1 else None


def _is_sum(value: str, digits: int) -> bool:
    return re.fullmatch(rf"[0-9a-fA-F]{{{digits}}}", value) is not None


def _read_list(web: Web, url: str) -> str:
    with web.open(url) as file:
        data = _start(file, LONGEST_LIST + 1)
    if len(data) > LONGEST_LIST:
        raise BackendError("it is too long for a list of checksums", on=f"list {masked(url)}")
    return data.decode(errors="replace")


def _start(file: WebFile, count: int) -> bytes:
    data = b""
    while len(data) < count and (part := file.read(count - len(data))):
        data += part
    return data
