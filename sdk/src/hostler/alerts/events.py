# SPDX-License-Identifier: Apache-2.0
"""AlertEvents: alerts as they begin and end, found by looking again and again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hostler.alerts.evaluate import Sample, Series, evaluate
from hostler.errors import HostlerError
from hostler.models.alert import Alert, AlertPage
from hostler.models.alert_config import AlertRule
from hostler.models.event import RESOURCE_ALERT, Event

if TYPE_CHECKING:
    from hostler.alerts.service import Observed

GAPS = 3
"""Looks that may fail before there is a gap."""


class AlertEvents:
    """A source of events: an alert fires, or is resolved. One that can't be told of stays.

    It remembers what it saw, so that rules with a duration work without a history.

    Args:
        observe: reads what the rules look at.
        rules: the rules.
        every: seconds from one look to the next.
    """

    def __init__(
        self, observe: Callable[[], Observed], rules: Sequence[AlertRule], *, every: float
    ) -> None:
        self._observe, self._rules, self._every = observe, rules, every
        self._keep = max((rule.duration for rule in rules), default=0) + GAPS * every
        self._seen: dict[tuple[str, ...], list[Sample]] = {}
        self._firing: dict[str, Alert] = {}
        self._problem: str | None = None

    def watch(self, stop: threading.Event) -> Iterator[Event]:
        """Yield events until ``stop`` is set."""
        while not stop.is_set():
            try:
                observed = self._observe()
            except HostlerError as error:
                yield from self._failed(error.reason)
            else:
                self._problem = None
                series = [self._remembered(one) for one in observed.series]
                yield from self._changes(evaluate(self._rules, series, observed.now))
            stop.wait(self._every)

    def _failed(self, reason: str) -> Iterator[Event]:
        """Tell once that nothing can be said."""
        if reason != self._problem:
            self._problem = reason
            data = {"id": "alerts", "rule": None, "state": "unknown", "message": reason}
            yield _event(data)

    def _remembered(self, series: Series) -> Series:
        """Put samples of earlier looks to a series, and keep the new one."""
        if not series.samples:
            return series
        key = (
            series.resource,
            series.host or "",
            series.name,
            series.metric,
            series.operator or "",
        )
        *_, last = series.samples
        mine = [one for one in self._seen.get(key, ()) if one.at > last.at - self._keep]
        self._seen[key] = [*mine, last]
        gap = max(series.gap, GAPS * self._every)
        return replace(series, samples=sorted({*mine, *series.samples}), gap=gap)

    def _changes(self, page: AlertPage) -> Iterator[Event]:
        now = {alert.id: alert for alert in page.alerts}
        for id, alert in list(self._firing.items()):
            if id not in now and not _is_unknown(alert, page):
                del self._firing[id]
                yield _event({**alert.model_dump(mode="json"), "state": "resolved"}, alert)
        for id, alert in now.items():
            if id not in self._firing:
                yield _event(alert.model_dump(mode="json"), alert)
            self._firing[id] = alert


def _is_unknown(alert: Alert, page: AlertPage) -> bool:
    """Whether it can't be said of an alert if it still fires."""
    return any(
        one.rule == alert.rule
        and one.host in (None, alert.host)
        and (alert.resource in one.resources or "*" in one.resources)
        for one in page.unknown
    )


def _event(data: Mapping[str, object], alert: Alert | None = None) -> Event:
    return Event(
        type=RESOURCE_ALERT,
        timestamp=datetime.now(UTC),
        source="alerts",
        host=alert.host if alert else None,
        vm=alert.resource if alert and alert.resource_type == "vm" else None,
        data=dict(data),
    )
