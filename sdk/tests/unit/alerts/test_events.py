# SPDX-License-Identifier: Apache-2.0
"""Alerts as events: fired, resolved, and what can't be said meanwhile."""

from __future__ import annotations

import threading
from typing import Any
from unittest.mock import patch

import pytest

from hostler.alerts.evaluate import Sample, Series
from hostler.alerts.events import AlertEvents
from hostler.alerts.service import Observed
from hostler.errors import HostlerError, Unreachable
from hostler.models.alert_config import AlertRule
from hostler.models.event import RESOURCE_ALERT, TYPES

BUSY = AlertRule.model_validate(
    {"name": "busy", "resource": "host", "metric": "cpu.usage_percent", "threshold": 90}
)
LOST = "lost"
EVERY = 10.0
Looks = list[float | str | None]


def events(looks: Looks, rule: AlertRule = BUSY) -> list[tuple[int, dict[str, Any]]]:
    """Look again and again; returns the data of events with the number of the look."""
    stop = threading.Event()
    number = -1

    def observe() -> Observed:
        nonlocal number
        number += 1
        look = looks[number]
        if number == len(looks) - 1:
            stop.set()
        if isinstance(look, str):
            raise Unreachable("the database failed", on=look)
        now = 1000 + EVERY * number
        samples = [] if look is None else [Sample(now, look)]
        known = Series("host", "kvm1", "cpu.usage_percent", samples, host="kvm1", gap=5)
        return Observed(now, series=[known])

    source = AlertEvents(observe, [rule], every=EVERY)
    found = []
    with patch.object(stop, "wait", lambda _seconds: stop.is_set()):
        for event in source.watch(stop):
            assert (event.type, event.source) == (RESOURCE_ALERT, "alerts")
            found.append((number, event.data))
    return found


TABLE: list[tuple[str, int, Looks, list[tuple[int, str]]]] = [
    ("all is well", 0, [1, 2, 3], []),
    ("fires at once, once", 0, [95, 96, 97], [(0, "firing")]),
    ("fires and ends", 0, [95, 1, 1, 95], [(0, "firing"), (1, "resolved"), (3, "firing")]),
    ("nothing is known: it stays", 0, [95, None, None, 95], [(0, "firing")]),
    ("nothing is known, then it is over", 0, [95, None, 1], [(0, "firing"), (2, "resolved")]),
    ("for 20 s, without a history", 20, [1, 95, 95, 95, 1], [(3, "firing"), (4, "resolved")]),
    ("for 20 s, one is missing", 20, [1, 95, None, 95, 95], [(3, "firing")]),
    ("a look fails, told once", 0, [1, LOST, LOST, 1], [(1, "unknown")]),
    ("fails and fires", 0, [LOST, 95], [(0, "unknown"), (1, "firing")]),
]


@pytest.mark.parametrize(
    ("duration", "looks", "told"), [r[1:] for r in TABLE], ids=[r[0] for r in TABLE]
)
def test_table(duration: int, looks: Looks, told: list[tuple[int, str]]) -> None:
    rule = BUSY.model_copy(update={"duration": duration})
    assert [(number, data["state"]) for number, data in events(looks, rule)] == told


def test_the_data() -> None:
    (_, fired), (_, over) = events([1, 95, 1])
    assert set(TYPES[RESOURCE_ALERT].split(", ")) <= set(fired)
    assert (fired["id"], fired["value"], fired["unit"]) == ("busy:kvm1", 95, "%")
    assert {k: v for k, v in fired.items() if over[k] != v} == {"state": "firing"}


def test_what_fails_says_so() -> None:
    ((_, data),) = events([LOST, 1])
    assert data["message"] == "lost: the database failed"
    assert issubclass(Unreachable, HostlerError)
