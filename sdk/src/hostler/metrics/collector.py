# SPDX-License-Identifier: Apache-2.0
"""Collects: reads all hosts, writes what they told, keeps the store small."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hostler.errors import HostlerError
from hostler.metrics import compact, rounds
from hostler.metrics.raw import Reading

if TYPE_CHECKING:
    from hostler.fleet import Fleet

HOUR = 3600


@dataclass(frozen=True)
class Round:
    """A round.

    Attributes:
        at: when it began (``time.time()``).
        seconds: how long reading and writing took.
        hosts, vms: how many told something.
        unreachable: hosts that did not, and why.
        error: why nothing of it was written.
    """

    at: float
    seconds: float = 0
    hosts: int = 0
    vms: int = 0
    unreachable: dict[str, str] = field(default_factory=dict)
    error: HostlerError | None = None


class Collector:
    """Collects the metrics of hosts into the store.

    Args:
        fleet: whose hosts.
        uri, host: one hypervisor; all of the pool, or the fleet's own, where left out.
        every: seconds between two rounds; those of fleet.yml where left out.
    """

    def __init__(
        self,
        fleet: Fleet,
        *,
        uri: str | None = None,
        host: str | None = None,
        every: float | None = None,
    ) -> None:
        self._fleet = fleet
        self._where = {"uri": uri, "host": host}
        self._config = fleet.config.metrics
        self.every = every or self._config.interval
        self._cleaned = 0.0

    def collect(self) -> Round:
        """Read and write once.

        Raises:
            BackendError: the database failed; nothing was written.
        """
        at, began = time.time(), time.monotonic()
        readings = self._fleet.metrics.readers.read(self._targets(), self._config.timeout)
        gap = 3 * max(self.every, self._config.interval)
        rounds.write(self._fleet.store, readings, now=at, gap=gap)
        good = [one for one in readings.values() if isinstance(one, Reading)]
        return Round(
            at,
            round(time.monotonic() - began, 3),
            len(good),
            sum(len(one.vms) for one in good),
            {n: one.reason for n, one in readings.items() if isinstance(one, HostlerError)},
        )

    def _targets(self) -> dict[str, str]:
        return self._fleet.metrics.targets(**self._where)

    def tidy(self, until: float | None = None) -> None:
        """Pack full hours, and remove what is old; up to a moment of ``time.monotonic()``.

        Raises:
            BackendError: the database failed; what is left is done the next time.
        """
        now = time.time()
        while until is None or time.monotonic() < until:
            if not compact.compact(self._fleet.store, now):
                break
        if abs(now - self._cleaned) >= HOUR:
            compact.expire(self._fleet.store, self._config, now)
            self._cleaned = now

    def run(self, stop: threading.Event, tell: Callable[[Round], None]) -> None:
        """Collect again and again until told to stop; a round that fails is told of, no more.

        Rounds begin at multiples of ``every``; one that comes too late is left out.
        """
        began = time.monotonic()
        while not stop.is_set():
            tell(self._once())
            passed = time.monotonic() - began
            wait = self.every - passed % self.every
            try:
                self.tidy(time.monotonic() + wait / 2)
            except HostlerError as error:
                tell(Round(time.time(), error=error))
            passed = time.monotonic() - began
            stop.wait(self.every - passed % self.every)

    def _once(self) -> Round:
        at = time.time()
        try:
            return self.collect()
        except HostlerError as error:
            return Round(at, error=error)
