# SPDX-License-Identifier: Apache-2.0
"""Logs of VMs: what is asked for, and the entries."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from hostler.models.vm_view import View

LogSourceName = Literal["guest", "console", "hypervisor"]
SOURCES: tuple[LogSourceName, ...] = ("guest", "console", "hypervisor")

_AGO = re.compile(r"(\d{1,6})\s*([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_since(value: Any) -> Any:
    """Read a time: ``15m`` ago (s, m, h, d), or an ISO timestamp; without a zone it is UTC.

    Raises:
        ValueError: it is neither.
    """
    if not isinstance(value, str):
        return value
    if ago := _AGO.fullmatch(value.strip()):
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(
            f"{value[:40]!r} is no time such as 15m, 2h or 2026-01-31T12:00Z"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Since = Annotated[AwareDatetime, BeforeValidator(parse_since)]


class LogQuery(BaseModel):
    """Which entries.

    Attributes:
        lines: how many of each source, the last ones.
        since: none before this; those of which the time is not known are left out then.
        sources: where from; all that can be read where left out.
        agent_timeout: seconds that the guest agent gets to answer.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    lines: int = Field(100, ge=1, le=10_000)
    since: Since | None = None
    sources: tuple[LogSourceName, ...] = ()
    agent_timeout: int = Field(5, ge=1, le=600)


class LogEntry(View):
    """A line of a log.

    Attributes:
        timestamp: None where the log does not tell it.
        level: EMERGENCY, ALERT, CRITICAL, ERROR, WARNING, NOTICE, INFO or DEBUG; None where it is
            not known. Source: syslog(3).
        source: ``guest``, ``console``, ``hypervisor``, or ``hyperstack``.
        unit: in a guest, who wrote it.
    """

    timestamp: datetime | None = None
    level: str | None = None
    source: str
    unit: str | None = None
    message: str


class VmLogs(View):
    """A VM's logs.

    Attributes:
        logs: in order of their times; where an entry has none, behind the one before it.
        warnings: which sources could not be read, and why.
    """

    vm: str
    logs: list[LogEntry]
    warnings: list[str] = Field(default_factory=list)
