# SPDX-License-Identifier: Apache-2.0
"""Looks at samples by rules. Pure.

A rule with a duration fires when all samples of that time are beyond its threshold, and no gap is
among them. A gap is neither fine nor an alert: where it decides, nothing can be said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from hostler.models.alert import SEVERITIES, Alert, AlertPage, ResourceType, Unknown
from hostler.models.alert_config import AlertRule, Operator, format_duration

NOTHING_YET = "there are no samples"


class Sample(NamedTuple):
    """A value at a time (seconds since 1970); None: it could not be found out."""

    at: float
    value: float | None


@dataclass(frozen=True)
class Series:
    """What is known of one figure of a resource.

    Attributes:
        gap: seconds between two samples, or since the last, from which on something is missing.
        reason: why there is nothing, or why it is so, where that is known.
        operator: only for rules of this operator; the samples are the least, or the most, of some
            time.
    """

    resource: ResourceType
    name: str
    metric: str
    samples: Sequence[Sample] = ()
    host: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    gap: float = 0
    reason: str = ""
    operator: Operator | None = None


class Verdict(NamedTuple):
    """What a rule says of a series.

    Attributes:
        since: the first sample of those that hold without a gap; None where that is the only one,
            and nobody knows when it began.
        reason: of ``unknown``.
    """

    state: Literal["ok", "pending", "firing", "unknown"]
    value: float | None = None
    since: float | None = None
    reason: str = ""


class _Run:
    """A rule along a series: since when it holds, and whether it fires."""

    def __init__(self, rule: AlertRule, gap: float) -> None:
        self.rule, self.gap = rule, gap
        self.last: Sample | None = None
        self.since: float | None = None
        self.whole = False
        self.firing = False

    def take(self, sample: Sample) -> None:
        value = sample.value
        if value is None:
            return
        if self.last is None or sample.at - self.last.at > self.gap:
            self.since, self.whole, self.firing = None, False, False
        self.last = sample
        if self.rule.holds(value):
            if self.since is None:
                self.since = sample.at
            self.firing = self.firing or sample.at - self.since >= self.rule.duration
        elif not (self.firing and self.rule.stays(value)):
            self.since, self.whole, self.firing = None, True, False


def judge(rule: AlertRule, series: Series, now: float) -> Verdict:
    """Look at a series, whose samples come in the order of their times."""
    run = _Run(rule, series.gap)
    for sample in series.samples:
        run.take(sample)
    last = run.last
    if last is None or last.value is None:
        return Verdict("unknown", reason=series.reason or NOTHING_YET)
    age = now - last.at
    if age > series.gap:
        reason = series.reason or f"there is no sample since {_clock(last.at)}"
        return Verdict("unknown", last.value, reason=reason)
    since = run.since if run.whole or run.since != last.at else None
    if run.firing:
        return Verdict("firing", last.value, since)
    if run.since is None:
        return Verdict("ok", last.value)
    if run.whole:
        return Verdict("pending", last.value, since)
    now_only = f"it is {rule.operator} {rule.threshold:g}, and nobody knows since when"
    return Verdict("unknown", last.value, reason=series.reason or now_only)


def evaluate(rules: Iterable[AlertRule], known: Iterable[Series], now: float) -> AlertPage:
    """Look at all series by all rules; the worst comes first."""
    page = AlertPage(timestamp=datetime.fromtimestamp(now, UTC))
    by_figure: dict[tuple[str, str], list[Series]] = {}
    for series in known:
        by_figure.setdefault((series.resource, series.metric), []).append(series)
    gaps: dict[tuple[str, str | None, str], Unknown] = {}
    for rule in rules:
        for series in by_figure.get((rule.resource, rule.metric), ()):
            fits = series.operator in (None, rule.operator)
            if not fits or not rule.is_about(series.name, series.host, series.labels):
                continue
            verdict = judge(rule, series, now)
            if verdict.state == "unknown":
                _note(gaps, rule, series, verdict.reason)
            elif verdict.state != "ok":
                found = page.alerts if verdict.state == "firing" else page.pending
                found.append(_alert(rule, series, verdict))
    page.unknown = list(gaps.values())
    for alerts in (page.alerts, page.pending):
        alerts.sort(key=lambda one: (SEVERITIES.index(one.severity), one.rule, one.id))
    return page


def _note(
    gaps: dict[tuple[str, str | None, str], Unknown], rule: AlertRule, series: Series, reason: str
) -> None:
    """Join resources of which the same is unknown for the same reason."""
    host = series.host if series.resource != "host" else None
    unknown = gaps.setdefault(
        (rule.name, host, reason),
        Unknown(
            rule=rule.name,
            severity=rule.severity,
            resource_type=rule.resource,
            host=host,
            reason=reason,
        ),
    )
    unknown.resources.append(series.name)


def _alert(rule: AlertRule, series: Series, verdict: Verdict) -> Alert:
    value = verdict.value or 0.0
    on = f"{series.host}/" if series.host and series.host != series.name else ""
    return Alert(
        id=f"{rule.name}:{on}{series.name}",
        rule=rule.name,
        severity=rule.severity,
        state="firing" if verdict.state == "firing" else "pending",
        resource=series.name,
        resource_type=rule.resource,
        host=series.host,
        value=round(value, 2),
        threshold=rule.threshold,
        unit=rule.unit,
        since=None if verdict.since is None else datetime.fromtimestamp(verdict.since, UTC),
        message=_message(rule, series, value),
        labels=dict(series.labels),
    )


def _message(rule: AlertRule, series: Series, value: float) -> str:
    """Say what is wrong, for people: ``kvm1: CPUs are busy: 97.3 %, above 90 % for 10m``."""
    on = f" on {series.host}" if series.host and series.host != series.name else ""
    what = f"{series.name}{on}: {rule.summary or rule.metric}"
    if rule.metric.startswith("state."):
        return what + (f": {series.reason}" if series.reason else "")
    limit = f"{rule.operator} {_amount(rule.threshold, rule.unit)}"
    if not rule.holds(value):
        back = _amount(rule.threshold if rule.clear is None else rule.clear, rule.unit)
        return f"{what}: {_amount(value, rule.unit)}; it was {limit}, and is not back at {back}"
    lasting = f" for {format_duration(rule.duration)}" if rule.duration else ""
    return f"{what}: {_amount(value, rule.unit)}, {limit}{lasting}"


def _amount(value: float, unit: str) -> str:
    return f"{round(value, 1):g} {unit}".rstrip()


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
