# SPDX-License-Identifier: Apache-2.0
"""Sources of logs: each gives its last entries, and later those that came since."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from hostler.backends.libvirt.logs import GuestAgent, GuestFile
from hostler.errors import BackendError, HostlerError, NotFound
from hostler.logs import parse
from hostler.models.log import LogEntry

SYSLOGS = ("/var/log/syslog", "/var/log/messages")
MOST_LINES = 10_000
Parser = Callable[[Iterable[str]], Iterator[LogEntry]]


class Reader(Protocol):
    """A file."""

    def read(self, offset: int | None) -> tuple[bytes, int]:
        """Return what is there from an offset on (None: the last part), and where it ends."""


class LogSource(Protocol):
    """A source."""

    def last(self, lines: int, since: datetime | None) -> list[LogEntry]:
        """Return the last entries."""

    def more(self) -> list[LogEntry]:
        """Return what came since."""


class TextLog:
    """A log in a file of text."""

    def __init__(self, reader: Reader, parser: Parser) -> None:
        self._reader, self._parser = reader, parser
        self._offset: int | None = None
        self._rest = b""

    def last(self, lines: int, since: datetime | None) -> list[LogEntry]:
        """Return the last entries; the line that is being written too."""
        data, self._offset = self._reader.read(None)
        whole, sign, self._rest = data.rpartition(b"\n")
        entries = [*self._entries(whole + sign), *self._entries(self._rest)]
        self._rest = b""  # it was told; what follows of it is told as a line of its own
        if since is not None:
            entries = [e for e in entries if e.timestamp is not None and e.timestamp >= since]
        return entries[-lines:]

    def more(self) -> list[LogEntry]:
        """Return the whole lines that came since."""
        data, self._offset = self._reader.read(self._offset)
        whole, sign, self._rest = (self._rest + data).rpartition(b"\n")
        return self._entries(whole + sign)

    def _entries(self, data: bytes) -> list[LogEntry]:
        return list(self._parser(data.decode(errors="replace").split("\n")))


class Journal:
    """A guest's journal; where it has none, its syslog.

    Args:
        agent: the guest's agent.
    """

    def __init__(self, agent: GuestAgent) -> None:
        self._agent = agent
        self._cursor = ""
        self._syslog: TextLog | None = None

    def last(self, lines: int, since: datetime | None) -> list[LogEntry]:
        """Return the last entries."""
        words = [f"--lines={lines}"]
        if since is not None:
            words.append(f"--since=@{since.timestamp():.0f}")
        try:
            return self._ask(words)
        except NotFound as missing:
            return self._of_syslog(lines, since, missing)

    def more(self) -> list[LogEntry]:
        """Return what came since."""
        if self._syslog is not None:
            return self._syslog.more()
        after = f"--after-cursor={self._cursor}" if self._cursor else f"--lines={MOST_LINES}"
        return self._ask([after])

    def _ask(self, words: Sequence[str]) -> list[LogEntry]:
        code, out, errors = self._agent.run("journalctl", "--no-pager", "--output=json", *words)
        if code != 0:
            raise BackendError(
                errors.decode(errors="replace")[:300] or f"exit {code}", on="journalctl"
            )
        found = list(parse.journal(out.decode(errors="replace")))
        if found:
            self._cursor = found[-1][1] or self._cursor
        return [entry for entry, _ in found]

    def _of_syslog(
        self, lines: int, since: datetime | None, missing: HostlerError
    ) -> list[LogEntry]:
        for path in SYSLOGS:
            log = TextLog(GuestFile(self._agent, path), parse.syslog)
            try:
                found = log.last(lines, since)
            except NotFound:
                continue
            self._syslog = log
            return found
        what = f"{missing.what}, and no {' or '.join(SYSLOGS)}"
        raise NotFound(what, on=missing.on)
