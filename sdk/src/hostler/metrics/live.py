# SPDX-License-Identifier: Apache-2.0
"""What is now: each host is looked at once where there is an earlier look, else twice."""

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

Readings = dict[str, Reading | HostlerError]


@dataclass(frozen=True)
class Live:
    """A host as it is; ``seconds``: what rates were measured over."""

    reading: Reading
    seconds: float | None
    samples: Taken


class Looker:
    """Looks at hosts.

    Rates are measured from the look before, or from the counters in the store, if they are as old
    as the query's ``window`` and there is no gap; else by a second look, a window later. What was
    seen within the last window is not looked at again.

    Args:
        readers: read hosts.
        store: opens the store.
        gap: seconds from which on there is a gap between two looks.
    """

    def __init__(self, readers: Readers, store: Callable[[], Store], gap: float) -> None:
        self._readers = readers
        self._store = store
        self._gap = gap
        self._seen: dict[str, Live] = {}

    def look(
        self, targets: Mapping[str, str], query: MetricsQuery
    ) -> dict[str, Live | HostlerError]:
        """Look at hosts (URIs by id); one that fails is its error."""
        now = time.clock_gettime(time.CLOCK_BOOTTIME)
        known = {
            host: seen
            for host, seen in self._seen.items()
            if host in targets and now - seen.reading.clock < query.window
        }
        stale = {host: uri for host, uri in targets.items() if host not in known}
        return {**known, **self._look(stale, query)}

    def _look(
        self, targets: Mapping[str, str], query: MetricsQuery
    ) -> dict[str, Live | HostlerError]:
        readings: Readings = self._readers.read(targets, query.timeout)
        firsts = self._firsts(readings, query.window)
        again = {
            host: rates.before(one)
            for host, one in readings.items()
            if isinstance(one, Reading) and host not in firsts
        }
        if again:
            time.sleep(query.window)
            readings |= self._readers.read({h: targets[h] for h in again}, query.timeout)
            firsts |= again
        longest = max(self._gap, query.window + query.timeout)
        found = {host: _live(one, firsts.get(host), longest) for host, one in readings.items()}
        self._seen |= {host: one for host, one in found.items() if isinstance(one, Live)}
        return found

    def _firsts(self, readings: Readings, least: float) -> dict[str, Before]:
        """Return the counters that rates can be made from, by host."""
        good = {host: one for host, one in readings.items() if isinstance(one, Reading)}
        mine = {h: rates.before(self._seen[h].reading) for h in good if h in self._seen}
        found = {h: first for h, first in mine.items() if self._fits(first, good[h], least)}
        left = [host for host in good if host not in found]
        store = self._store()
        if not left or store.empty:
            return found
        with store.read() as db:
            kept = {host: rounds.last(db, host) for host in left}
        return found | {
            h: first for h, first in kept.items() if first and self._fits(first, good[h], least)
        }

    def _fits(self, first: Before, reading: Reading, least: float) -> bool:
        seconds = rates.seconds_between(first, reading, self._gap)
        return seconds is not None and seconds >= least


def _live(reading: Reading | HostlerError, first: Before | None, gap: float) -> Live | HostlerError:
    if isinstance(reading, HostlerError):
        return reading
    seconds = rates.seconds_between(first, reading, gap)
    return Live(reading, seconds, rounds.taken(reading, first, gap))
