# SPDX-License-Identifier: Apache-2.0
"""What is now: each host is looked at once where the store has a fresh sample, else twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hostler.errors import HostlerError
from hostler.metrics import rates, rounds
from hostler.metrics.rates import Before
from hostler.metrics.raw import Reading
from hostler.metrics.read import Readers
from hostler.metrics.rounds import Taken
from hostler.models.metrics import MetricsQuery
from hostler.store import Store


@dataclass(frozen=True)
class Live:
    """A host as it is; ``seconds``: what rates were measured over."""

    reading: Reading
    seconds: float | None
    samples: Taken


def look(
    readers: Readers,
    store: Callable[[], Store],
    targets: Mapping[str, str],
    query: MetricsQuery,
    gap: float,
) -> dict[str, Live | HostlerError]:
    """Read hosts (URIs by id); one that fails is its error."""
    readings = readers.read(targets, query.timeout)
    firsts = _fresh(store(), readings, query.window, gap)
    again = {
        host: uri
        for host, uri in targets.items()
        if isinstance(readings[host], Reading) and host not in firsts
    }
    if again:
        for host in again:
            reading = readings[host]
            if isinstance(reading, Reading):
                firsts[host] = rates.before(reading)
        time.sleep(query.window)
        readings |= readers.read(again, query.timeout)
    longest = max(gap, query.window + query.timeout)
    return {host: _live(one, firsts.get(host), longest) for host, one in readings.items()}


def _fresh(
    store: Store, readings: Mapping[str, Reading | HostlerError], least: float, gap: float
) -> dict[str, Before]:
    """Return the counters in the store that rates can be made from."""
    if store.empty:
        return {}
    with store.read() as db:
        known = {host: rounds.last(db, host) for host in readings}
    found = {}
    for host, first in known.items():
        reading = readings[host]
        if first and isinstance(reading, Reading):
            seconds = rates.seconds_between(first, reading, gap)
            if seconds is not None and seconds >= least:
                found[host] = first
    return found


def _live(reading: Reading | HostlerError, first: Before | None, gap: float) -> Live | HostlerError:
    if isinstance(reading, HostlerError):
        return reading
    seconds = rates.seconds_between(first, reading, gap)
    return Live(reading, seconds, rounds.taken(reading, first, gap))
