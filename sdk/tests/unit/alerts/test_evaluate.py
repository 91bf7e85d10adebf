# SPDX-License-Identifier: Apache-2.0
"""Rules over samples: tables, and properties of any samples."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostler.alerts.evaluate import Sample, Series, Verdict, evaluate, judge
from hostler.models.alert_config import AlertRule

GAP = 90.0
NOW = 6000.0


def rule(**fields: Any) -> AlertRule:
    whole = {"name": "busy", "resource": "host", "metric": "cpu.usage_percent", "threshold": 90}
    return AlertRule.model_validate({**whole, **fields})


def series(values: Sequence[float | None], **fields: Any) -> Series:
    """One sample a minute, the last one now."""
    start = NOW - 60 * (len(values) - 1)
    samples = [Sample(start + 60 * n, value) for n, value in enumerate(values)]
    given = {"host": "kvm1", "samples": samples, "gap": GAP, **fields}
    return Series("host", "kvm1", "cpu.usage_percent", **given)


def ago(minutes: int) -> float:
    return NOW - 60 * minutes


X = None
TABLE: list[tuple[str, dict[str, Any], list[float | None], str, float | None]] = [
    ("below", {}, [10, 20], "ok", None),
    ("at the threshold", {}, [90, 90], "ok", None),
    ("above", {}, [10, 91], "firing", ago(0)),
    ("above for a while", {}, [10, 91, 99], "firing", ago(1)),
    ("above, nobody looked before", {}, [91], "firing", None),
    ("above since the first look", {}, [91, 92], "firing", ago(1)),
    ("not long enough", {"duration": "5m"}, [10, 95, 95], "pending", ago(1)),
    ("long enough", {"duration": "2m"}, [10, 95, 95, 95], "firing", ago(2)),
    ("one sample is fine", {"duration": "2m"}, [95, 95, 95, 10, 95], "pending", ago(0)),
    ("fine again", {"duration": "2m"}, [95, 95, 95, 10], "ok", None),
    ("a gap in the time", {"duration": "3m"}, [10, 95, X, X, 95], "unknown", None),
    ("a gap before the time", {"duration": "2m"}, [10, X, X, 95, 95, 95], "firing", ago(2)),
    ("too few samples", {"duration": "5m"}, [95, 95], "unknown", None),
    ("fine after a gap", {"duration": "5m"}, [95, X, X, X, 10], "ok", None),
    ("nothing of late", {}, [95, X, X, X], "unknown", None),
    ("one is missing of late", {"duration": "1m"}, [10, 95, 95, X], "firing", ago(2)),
    ("nothing at all", {}, [X, X], "unknown", None),
    ("below is bad", {"operator": "below", "threshold": 5}, [9, 4], "firing", ago(0)),
    ("below is good", {"operator": "below", "threshold": 5}, [4, 5], "ok", None),
    ("not cleared yet", {"clear": 80}, [10, 95, 85], "firing", ago(1)),
    ("cleared", {"clear": 80}, [10, 95, 80], "ok", None),
    ("between, never fired", {"clear": 80}, [10, 85], "ok", None),
    ("a gap forgets it", {"clear": 80}, [10, 95, X, X, 85], "ok", None),
    ("went on", {"clear": 80, "duration": "1m"}, [10, 95, 95, 85, 81], "firing", ago(3)),
    ("cleared low", {"operator": "below", "threshold": 5, "clear": 8}, [9, 4, 7], "firing", ago(1)),
    ("cleared well", {"operator": "below", "threshold": 5, "clear": 8}, [9, 4, 8], "ok", None),
]


@pytest.mark.parametrize(
    ("of", "values", "state", "since"), [r[1:] for r in TABLE], ids=[r[0] for r in TABLE]
)
def test_table(
    of: dict[str, Any], values: list[float | None], state: str, since: float | None
) -> None:
    verdict = judge(rule(**of), series(values), NOW)
    assert (verdict.state, verdict.since) == (state, since)
    assert bool(verdict.reason) == (state == "unknown")


def test_an_old_sample_says_nothing() -> None:
    known = series([95, 95])
    assert judge(rule(), known, NOW + GAP).state == "firing"
    late = judge(rule(), known, NOW + GAP + 1)
    assert (late.state, late.reason) == (
        "unknown",
        "there is no sample since 1970-01-01 01:40:00 UTC",
    )


def test_the_reason_of_what_is_missing_is_told() -> None:
    known = series([], reason="no answer in 4 s")
    assert judge(rule(), known, NOW) == Verdict("unknown", None, None, "no answer in 4 s")


values = st.lists(
    st.one_of(st.none(), st.sampled_from([0.0, 80.0, 85.0, 90.0, 91.0, 99.0])), max_size=12
)
durations = st.sampled_from([0, 60, 120, 300])


def naive(of: AlertRule, samples: Sequence[Sample]) -> str:
    """The definition, word for word; without hysteresis."""
    known = [one for one in samples if one.value is not None]
    if not known or NOW - known[-1].at > GAP:
        return "unknown"
    if not of.holds(known[-1].value or 0):
        return "ok"
    run = [known[-1]]
    for before, after in reversed(list(pairwise(known))):
        if after.at - before.at > GAP:
            break
        if not of.holds(before.value or 0):
            return "firing" if length(run) >= of.duration else "pending"
        run.append(before)
    return "firing" if length(run) >= of.duration else "unknown"


def length(run: Sequence[Sample]) -> float:
    return run[0].at - run[-1].at


@given(values, durations)
def test_it_is_the_definition(told: list[float | None], duration: int) -> None:
    of, known = rule(duration=duration), series(told)
    assert judge(of, known, NOW).state == naive(of, known.samples)


@given(values, durations)
def test_a_gap_where_all_else_holds_is_neither(told: list[float | None], duration: int) -> None:
    bad = [value if value is None else 99.0 for value in told]
    state = judge(rule(duration=duration), series(bad), NOW).state
    assert state in ("firing", "unknown")
    assert state == "firing" or None in bad or len(bad) <= duration / 60


@given(values, durations)
def test_clearing_late_only_adds_alerts(told: list[float | None], duration: int) -> None:
    strict = judge(rule(duration=duration), series(told), NOW)
    late = judge(rule(duration=duration, clear=80), series(told), NOW)
    assert strict.state != "firing" or late.state == "firing"
    assert late.state in (strict.state, "firing")


@given(values, durations)
def test_what_fires_for_long_fires_for_short(told: list[float | None], duration: int) -> None:
    if judge(rule(duration=duration), series(told), NOW).state == "firing":
        assert judge(rule(duration=duration // 2), series(told), NOW).state == "firing"


def test_a_page() -> None:
    rules = [
        rule(name="busy", duration="1m", summary="CPUs are busy"),
        rule(name="hot", threshold=95, severity="critical", names=["kvm*"], labels={"rack": "*"}),
        rule(name="idle", operator="below", threshold=1),
    ]
    known = [
        series([10, 96, 96.04]),
        series([10, 97], labels={"rack": "r1"}, operator="above"),
        series([50], operator="below"),
        series([], reason="it is off"),
        series([], reason="it is off"),
    ]
    page = evaluate(rules, known, NOW)
    assert page.timestamp == datetime.fromtimestamp(NOW, UTC)
    assert [(a.rule, a.value, a.message) for a in page.alerts] == [
        ("hot", 97.0, "kvm1: cpu.usage_percent: 97 %, above 95 %"),
        ("busy", 96.04, "kvm1: CPUs are busy: 96 %, above 90 % for 1m"),
    ]
    assert [(a.rule, a.state) for a in page.pending] == [("busy", "pending")]
    assert page.counts == {"critical": 1, "warning": 1, "info": 0}
    unknown = [(one.rule, one.resources, one.reason) for one in page.unknown]
    assert unknown == [(name, ["kvm1", "kvm1"], "it is off") for name in ("busy", "idle")]


def test_what_is_said_of_an_alert_that_is_not_cleared() -> None:
    (alert,) = evaluate([rule(clear=80)], [series([10, 95, 85])], NOW).alerts
    text = "kvm1: cpu.usage_percent: 85 %; it was above 90 %, and is not back at 80 %"
    assert alert.message == text
