# SPDX-License-Identifier: Apache-2.0
"""Makes entries of the lines of logs; pure. What a line does not tell is None."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from hostler.models.log import LogEntry

LEVELS = ("EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG")
"""By syslog's numbers. Source: syslog(3)."""

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SYSLOG = re.compile(
    r"(?P<at>\d{4}-\d\d-\d\dT\S+) \S+ (?P<unit>[^\s:\[]+)(?:\[\d+\])?: (?P<rest>.*)"
)
_LIBVIRT = re.compile(
    r"(?P<at>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\.\d+(?:Z|[+-]\d{4})):? (?P<rest>.*)"
)
_WORDS = re.compile(r"(?:^|: )(?P<word>warning|error|info): ")


def plain(text: str) -> str:
    """Return a line without what would move a terminal's cursor, or colour it."""
    return _CONTROL.sub("", _ESCAPES.sub("", text.rstrip("\r\n").rpartition("\r")[2]))


def journal(text: str) -> Iterator[tuple[LogEntry, str]]:
    """Make entries of journald's JSON, each with its cursor.

    Source: https://systemd.io/JOURNAL_EXPORT_FORMATS/#journal-json-format
    """
    for line in text.splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue  # cut off while it was written
        yield _journal(row), str(row.get("__CURSOR", ""))


def _journal(row: dict[str, Any]) -> LogEntry:
    at, priority = str(row.get("__REALTIME_TIMESTAMP", "")), str(row.get("PRIORITY", ""))
    unit = row.get("SYSLOG_IDENTIFIER") or row.get("_SYSTEMD_UNIT") or row.get("_COMM")
    return LogEntry(
        timestamp=datetime.fromtimestamp(int(at) / 1e6, UTC) if at.isdigit() else None,
        level=LEVELS[int(priority)] if priority in set("01234567") else None,
        source="guest",
        unit=str(unit) if unit else None,
        message=_message(row.get("MESSAGE")),
    )


def _message(value: Any) -> str:
    """Return a message; one that is no text comes as its bytes, and a large one as null."""
    if isinstance(value, list):
        value = bytes(part for part in value if isinstance(part, int)).decode(errors="replace")
    return "\n".join(plain(line) for line in str(value or "").split("\n"))


def syslog(lines: Iterable[str]) -> Iterator[LogEntry]:
    """Make entries of a syslog file; the old form of its times has no year, so it tells none."""
    for line in lines:
        found = _SYSLOG.fullmatch(plain(line))
        at = _time(found["at"]) if found else None
        if found and at:
            yield LogEntry(timestamp=at, source="guest", unit=found["unit"], message=found["rest"])
        elif plain(line):
            yield LogEntry(source="guest", message=plain(line))


def hypervisor(lines: Iterable[str]) -> Iterator[LogEntry]:
    """Make entries of libvirt's log of a domain, where QEMU writes too."""
    for line in lines:
        found = _LIBVIRT.fullmatch(plain(line))
        text = found["rest"] if found else plain(line)
        word = _WORDS.search(text)
        if text:
            yield LogEntry(
                timestamp=_time(found["at"]) if found else None,
                level=word["word"].upper() if word else None,
                source="hypervisor",
                message=text,
            )


def console(lines: Iterable[str]) -> Iterator[LogEntry]:
    """Make entries of what a guest printed: it tells no times."""
    return printed(lines, "console")


def printed(lines: Iterable[str], source: str) -> Iterator[LogEntry]:
    """Make entries of lines that tell nothing but themselves."""
    for line in lines:
        if text := plain(line):
            yield LogEntry(source=source, message=text)


def _time(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def in_order(groups: Iterable[Iterable[LogEntry]]) -> list[LogEntry]:
    """Join sources by their times; what has none stays behind the entry before it."""
    keyed: list[tuple[datetime, LogEntry]] = []
    for group in groups:
        last = datetime.min.replace(tzinfo=UTC)
        for entry in group:
            last = entry.timestamp or last
            keyed.append((last, entry))
    return [entry for _, entry in sorted(keyed, key=lambda pair: pair[0])]
