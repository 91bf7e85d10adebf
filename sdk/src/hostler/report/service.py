# SPDX-License-Identifier: Apache-2.0
"""fleet.report: the fleet at a glance, in one HTML file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, cast

from hostler import __version__
from hostler.alerts.evaluate import evaluate
from hostler.errors import HostlerError, InvalidInput, MissingLibrary, NotFound
from hostler.models.report import ReportCloud, ReportCommand, ReportData
from hostler.report.build import (
    CHARTS,
    report_charts,
    report_hosts,
    report_pools,
    report_vms,
)

if TYPE_CHECKING:
    from hostler.alerts.service import Observed
    from hostler.fleet import Fleet
    from hostler.models.metrics import HostMetrics, SystemMetrics

TITLE, HOURS, COMMANDS, TIMEOUT = "Fleet report", 24, 20, 30.0
LONGEST_HOURS = 24 * 30


class Report:
    """The fleet at a glance."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def data(
        self,
        *,
        title: str = TITLE,
        hours: int = HOURS,
        commands: int = COMMANDS,
        timeout: float = TIMEOUT,
    ) -> ReportData:
        """Read all that a report shows; what can't be read says so in it.

        Args:
            title: its heading.
            hours: how far back its charts go.
            commands: how many of the last commands it has.
            timeout: seconds that each host gets to answer.

        Raises:
            InvalidInput: ``hours`` or ``commands`` make no sense.
        """
        if not 1 <= hours <= LONGEST_HOURS or commands < 0:
            what = f"hours must be 1 to {LONGEST_HOURS}, and commands 0 or more"
            raise InvalidInput(what, on="report")
        notes: list[str] = []
        rules = self._fleet.alerts.rules()
        seen = self._fleet.alerts.observe(rules, timeout=timeout, everything=True)
        page = evaluate(rules, seen.series, seen.now)
        past = self._past(hours, notes)
        return ReportData(
            title=title,
            generated_at=datetime.fromtimestamp(seen.now, UTC),
            version=__version__,
            hours=hours,
            rules=len(rules),
            alerts=page,
            hosts=report_hosts(seen.hosts, cast("list[HostMetrics]", seen.live), past, page.alerts),
            vms=report_vms(seen.hosts, page.alerts),
            cloud=_cloud(seen),
            charts=report_charts(past),
            commands=self._commands(commands) if commands else [],
            notes=[*(note for host in seen.hosts for note in host.notes), *notes],
        )

    def html(
        self,
        *,
        title: str = TITLE,
        hours: int = HOURS,
        commands: int = COMMANDS,
        timeout: float = TIMEOUT,
    ) -> str:
        """Return the report as HTML that needs nothing else; see ``data``.

        Raises:
            MissingLibrary: Jinja2 is not installed.
        """
        data = self.data(title=title, hours=hours, commands=commands, timeout=timeout)
        return rendered(data)

    def _past(self, hours: int, notes: list[str]) -> SystemMetrics | None:
        try:
            return self._fleet.metrics.system(hours=hours, metrics=list(CHARTS))
        except NotFound:  # nothing was collected yet
            return None
        except HostlerError as error:
            notes.append(f"History: {error.reason}.")
            return None

    def _commands(self, number: int) -> list[ReportCommand]:
        return [
            ReportCommand(
                timestamp=one.timestamp,
                status=one.status,
                command=one.command,
                user=one.user,
                target=one.target,
                seconds=one.execution_time,
                error=one.error,
            )
            for one in self._fleet.journal.log(limit=number)
        ]


def rendered(data: ReportData) -> str:
    """Return a report as HTML.

    Raises:
        MissingLibrary: Jinja2 is not installed.
    """
    try:
        from hostler.report.render import render
    except ImportError as error:
        hint = "Run: pip install 'hostler[report]'"
        raise MissingLibrary(str(error), on="the report", hint=hint) from error
    return render(data)


def write(html: str, path: Path) -> None:
    """Write a report as a whole, or not at all: who reads it meanwhile sees the one before.

    Raises:
        InvalidInput: the file can't be written.
    """
    try:
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        with NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            file.write(html)
        Path(file.name).chmod(mode)
        Path(file.name).replace(path)
    except OSError as error:
        raise InvalidInput(f"it can't be written: {error.strerror}", on=str(path)) from error


def _cloud(seen: Observed) -> ReportCloud | None:
    if seen.cloud is None:
        return None
    pools = report_pools(seen.world) if seen.world else []
    return ReportCloud(name=seen.cloud, reason=seen.cloud_error, pools=pools)
