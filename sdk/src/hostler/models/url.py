# SPDX-License-Identifier: Apache-2.0
"""Addresses of files on web servers. Their login and query may be secrets."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

MASK = "**********"
DIGITS = {"sha256": 64, "sha512": 128}


def is_url(text: str) -> bool:
    """Whether a text is an address and not a path."""
    return text.lower().startswith(("http://", "https://"))


def masked(text: str) -> str:
    """Return an address as it may be shown; a path stays as it is."""
    if not is_url(text):
        return text
    parts = urlsplit(text)
    place = f"{MASK}@{parts.netloc.rpartition('@')[2]}" if "@" in parts.netloc else parts.netloc
    return urlunsplit((parts.scheme, place, parts.path, MASK if parts.query else "", ""))


def secrets_of(text: str) -> list[str]:
    """Return the parts of an address that are not shown."""
    if not is_url(text):
        return []
    parts = urlsplit(text)
    login = parts.netloc.rpartition("@")[0]
    return [secret for secret in (login, *login.split(":", 1)[1:], parts.query) if secret]


def check_source(value: str) -> str:
    """Refuse addresses that are none; anything else is a path.

    Raises:
        ValueError: it has no host, or is of another kind than http and https.
    """
    if is_url(value) and not urlsplit(value).hostname:
        raise ValueError("an address is like https://example.com/image.qcow2")
    kind = re.match(r"([A-Za-z][A-Za-z0-9+.-]+)://", value)
    if kind and not is_url(value):
        raise ValueError(f"{kind[1]}:// can't be read; give http://, https:// or a path")
    return value


def check_checksum(value: str) -> str:
    """Refuse what is neither a checksum nor the address of a file with checksums.

    Raises:
        ValueError: it is neither.
    """
    algorithm, _, rest = value.partition(":")
    digits = DIGITS.get(algorithm)
    if digits is None:
        raise ValueError("a checksum starts with sha256: or sha512:")
    if is_url(rest):
        return f"{algorithm}:{check_source(rest)}"
    if not re.fullmatch(rf"[0-9a-fA-F]{{{digits}}}", rest):
        what = f"{algorithm}: has {digits} hexadecimal digits"
        raise ValueError(f"{what}, or the address of a file with checksums")
    return value.lower()
