# SPDX-License-Identifier: Apache-2.0
"""Lines of logs: what they tell, and that nothing else is made up."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostler.errors import InvalidInput
from hostler.logs import parse
from hostler.models.log import LogEntry, LogQuery
from hostler.models.problems import checked

AT = datetime(2026, 1, 30, 14, 59, 45, 500000, tzinfo=UTC)
MICROSECONDS = str(int(AT.timestamp() * 1e6))


def row(**fields: Any) -> str:
    return json.dumps({"__CURSOR": "s=1;i=2", "__REALTIME_TIMESTAMP": MICROSECONDS, **fields})


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (
            row(PRIORITY="4", SYSLOG_IDENTIFIER="sshd", MESSAGE="no more"),
            (AT, "WARNING", "sshd", "no more"),
        ),
        (row(PRIORITY="0", _COMM="x", MESSAGE="a\nb"), (AT, "EMERGENCY", "x", "a\nb")),
        (row(MESSAGE=[104, 105, 27, 91, 49, 109, 255]), (AT, None, None, "hi\ufffd")),
        (row(MESSAGE=None, _SYSTEMD_UNIT="a.service"), (AT, None, "a.service", "")),
        ('{"MESSAGE": "when?", "PRIORITY": "9"}', (None, None, None, "when?")),
    ],
)
def test_journal(line: str, wanted: tuple[Any, ...]) -> None:
    [(entry, _)] = parse.journal(line)
    assert (entry.timestamp, entry.level, entry.unit, entry.message) == wanted
    assert entry.source == "guest"


@pytest.mark.fault
def test_a_journal_that_was_cut_off() -> None:
    found = list(parse.journal(f"{row(MESSAGE='one')}\n{row(MESSAGE='two')[:30]}"))
    assert [(entry.message, cursor) for entry, cursor in found] == [("one", "s=1;i=2")]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("2026-01-30T14:59:45.5+00:00 box sshd[7]: hello: you", (AT, "sshd", "hello: you")),
        ("2026-01-30T15:59:45.5+01:00 box kernel: up", (AT, "kernel", "up")),
        ("2026-99-30T14:59:45Z box a: b", (None, None, "2026-99-30T14:59:45Z box a: b")),
        ("Jan 30 14:59:45 box sshd[7]: hello", (None, None, "Jan 30 14:59:45 box sshd[7]: hello")),
    ],
)
def test_syslog(line: str, wanted: tuple[Any, ...]) -> None:
    [entry] = parse.syslog([line])
    assert (entry.timestamp, entry.unit, entry.message, entry.level) == (*wanted, None)


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (
            "2026-01-30 14:59:45.500+0000: shutting down, reason=crashed",
            (AT, None, "shutting down, reason=crashed"),
        ),
        (
            "2026-01-30T14:59:45.500000Z qemu-system-x86_64: warning: host lacks vmx",
            (AT, "WARNING", "qemu-system-x86_64: warning: host lacks vmx"),
        ),
        ("-accel kvm \\", (None, None, "-accel kvm \\")),
        ("error: no", (None, "ERROR", "error: no")),
    ],
)
def test_hypervisor(line: str, wanted: tuple[Any, ...]) -> None:
    [entry] = parse.hypervisor([line])
    assert (entry.timestamp, entry.level, entry.message) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("\x1b[1;31mred\x1b[0m plain\r\n", "red plain"),
        ("10%\r50%\r100%", "100%"),
        ("\x1b]0;title\x07shell", "shell"),
        ("a\x00b\x9bc", "abc"),
        ("\x1b[6n", ""),
    ],
)
def test_plain(text: str, wanted: str) -> None:
    assert parse.plain(text) == wanted


@given(st.lists(st.text()))
def test_nothing_breaks_a_parser(lines: list[str]) -> None:
    for parser in (parse.console, parse.syslog, parse.hypervisor):
        for entry in parser(lines):
            assert entry.message
            assert "\x1b" not in entry.message


def entries(*ats: int | None) -> list[LogEntry]:
    return [
        LogEntry(
            timestamp=None if at is None else AT + timedelta(seconds=at),
            source="x",
            message=str(at),
        )
        for at in ats
    ]


def test_in_order() -> None:
    found = parse.in_order([entries(1, None, 5), entries(2, 4, None), entries(None)])
    assert [entry.message for entry in found] == ["None", "1", "None", "2", "4", "None", "5"]


@pytest.mark.parametrize(
    ("since", "wanted"),
    [
        ("2026-01-30T14:59:45.5", AT),
        ("2026-01-30T15:59:45.5+01:00", AT),
        (AT, AT),
    ],
)
def test_since(since: object, wanted: datetime) -> None:
    assert LogQuery.model_validate({"since": since}).since == wanted


def test_since_a_while_ago() -> None:
    since = LogQuery.model_validate({"since": "15m"}).since
    assert since
    assert timedelta(minutes=15) <= datetime.now(UTC) - since < timedelta(minutes=16)


@pytest.mark.parametrize(
    "query", [{"since": "yesterday"}, {"lines": 0}, {"sources": ["syslog"]}, {"since": "-1h"}]
)
def test_bad_queries(query: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        checked(LogQuery, query)
