# SPDX-License-Identifier: Apache-2.0
"""Writes numbers and times for people. Pure."""

from __future__ import annotations

from datetime import datetime, tzinfo

NOT_KNOWN = "\N{EN DASH}"


def percent(value: float | None) -> str:
    """Write a percentage.

    >>> percent(12.4), percent(0.2)
    ('12 %', '<1 %')
    """
    if value is None:
        return NOT_KNOWN
    return "<1 %" if 0 < value < 0.5 else f"{value:.0f} %"


def count(value: float | None) -> str:
    """Write a number with at most one decimal.

    >>> count(3000), count(2.5)
    ('3,000', '2.5')
    """
    if value is None:
        return NOT_KNOWN
    whole = value >= 100 or round(value, 1) == round(value)
    return f"{value:,.0f}" if whole else f"{value:,.1f}"


def size(gib: float | None) -> str:
    """Write a size of GiB in its unit.

    >>> size(1536), size(0.5), size(64)
    ('1.5 TiB', '512 MiB', '64 GiB')
    """
    if gib is None:
        return NOT_KNOWN
    if gib >= 1024**2:
        return f"{count(gib / 1024**2)} PiB"
    if gib >= 1024:
        return f"{count(gib / 1024)} TiB"
    return f"{count(gib)} GiB" if gib >= 1 or gib == 0 else f"{gib * 1024:.0f} MiB"


def value(number: float | None, unit: str) -> str:
    """Write a value with its unit."""
    if unit == "%":
        return percent(number)
    return f"{count(number)} {unit}".rstrip()


def ago(then: datetime | None, now: datetime) -> str:
    """Write how long ago something was."""
    if then is None:
        return NOT_KNOWN
    seconds = max(0, int((now - then).total_seconds()))
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length or (unit != "d" and seconds >= length):
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def moment(when: datetime, zone: tzinfo | None) -> str:
    """Write a time."""
    return when.astimezone(zone).strftime("%d %b %Y, %H:%M")


def plural(number: int, one: str, many: str = "") -> str:
    """Write a number of things.

    >>> plural(1, "host"), plural(2, "host")
    ('1 host', '2 hosts')
    """
    return f"{count(number)} {one if number == 1 else many or one + 's'}"
