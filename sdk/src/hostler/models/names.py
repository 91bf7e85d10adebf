# SPDX-License-Identifier: Apache-2.0
"""What a name may look like. Names are data: nothing here quotes, it only refuses."""

from __future__ import annotations

import re
from collections.abc import Sequence

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
MAX_NAME = 200


def check_name(name: str) -> str:
    """Refuse names that libvirt or the file system can't keep.

    libvirt forbids ``/`` in names of domains and volumes; names become file names, so a leading
    dot and lengths above 200 bytes (255 with room for suffixes) are refused too.

    Raises:
        ValueError: says which rule the name breaks.
    """
    shown = name if len(name) <= 40 else name[:40] + "..."
    if not name or name != name.strip():
        raise ValueError(f"name {shown!r} is empty or has spaces at its ends")
    if "/" in name or name.startswith("."):
        raise ValueError(f"name {shown!r} has a '/' or a leading '.': it would leave its folder")
    if _CONTROL.search(name) or "\n" in name or "\r" in name or "\t" in name:
        raise ValueError(f"name {shown!r} has control characters")
    if len(name.encode()) > MAX_NAME:
        raise ValueError(f"name {shown!r} is {len(name.encode())} bytes long; {MAX_NAME} at most")
    return name


def check_text(text: str) -> str:
    """Refuse characters that XML can't hold.

    Raises:
        ValueError: there is a control character in the text.
    """
    if _CONTROL.search(text):
        raise ValueError("text has control characters, which XML can't hold")
    return text


def some(names: Sequence[str]) -> str:
    """Name three of them, and say how many more there are."""
    rest = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + rest
