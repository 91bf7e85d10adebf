# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A day of 100 VMs at 15 seconds: what it takes on disk, and to ask for: history.py STORE ROUNDS.

Half of the VMs are idle, half are busy, each in its own way. Prints, as JSON, medians in seconds
(and of CPU), bytes for each sample of a VM, and the seconds that packing took.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from sqlalchemy import func, select

from hostler import Fleet
from hostler.config import FleetConfig
from hostler.metrics import rounds
from hostler.metrics.compact import compact
from hostler.metrics.raw import VM_COUNTERS, RawVm, Reading
from hostler.store import Store
from hostler.store.tables import metric_chunks, metric_resources

VMS, HOURS, EVERY = 100, 24, 15
HOST = "qemu:///benchmark"
GROWS: tuple[int, ...] = (
    *(3 * 10**9, 2 * 10**9, 10**9, 0, 10**8),
    *(90, 300, 10**6, 4 * 10**6),
    *(10**7, 10**6),
)
GROWS += (9000, 900, 0, 0)
"""What a busy VM's counters grow by in a round, in the order of VM_COUNTERS."""


class Machine:
    """A host whose VMs' counters grow."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._counters = [[0] * len(VM_COUNTERS) for _vm in range(VMS)]
        self._usable = [2 * 1024**2] * VMS

    def at(self, when: float) -> Reading:
        """Return it some seconds later."""
        return Reading(when, when, "boot", 64, vms=[self._vm(number) for number in range(VMS)])

    def _vm(self, number: int) -> RawVm:
        counters = self._counters[number]
        for place, grows in enumerate(GROWS):
            share = self._dice.gauss(1, 0.3) if number % 2 else self._dice.random() * 0.001
            counters[place] += max(0, int(grows * share))
        if number % 2:
            self._usable[number] += self._dice.randrange(-9000, 9000)
        return RawVm(
            *(f"00000000-0000-4000-8000-{number:012d}", f"vm{number}", 1, 1, 4, tuple(counters)),
            *(4 * 1024**2, 4 * 1024**2, max(0, self._usable[number]), 512 * 1024, 3 * 1024**2),
            *(40 * 1024**3, 9 * 1024**3),
        )


def fill(store: Store, now: float) -> float:
    """Write the day that ends now, packed as a collector would; returns the seconds of packing."""
    machine, packing = Machine(random.Random(1)), 0.0  # noqa: S311 - the same each time
    at = now - HOURS * 3600
    while at <= now:
        rounds.write(store, {HOST: machine.at(at)}, now=at, gap=45)
        if at % 3600 < EVERY:
            began = time.perf_counter()
            while compact(store, at):
                pass
            packing += time.perf_counter() - began
        at += EVERY
    return packing


def bytes_each(store: Store) -> float:
    """Return what a sample of a VM takes, with the coarser figures and the database's own part."""
    with store.read() as db:
        vms = metric_resources.c.kind == "vm"
        mine = metric_chunks.c.resource.in_(select(metric_resources.c.id).where(vms))
        size = func.sum(func.length(metric_chunks.c.data))
        chunks = db.scalar(select(size).where(mine))
        every = db.scalar(select(size))
    file = Path(store.url.removeprefix("sqlite:///")).stat().st_size
    return file * float(chunks / every) / (VMS * HOURS * 3600 / EVERY)


def main() -> None:
    """Fill, ask."""
    url, count = sys.argv[1:]
    now = time.time() // 3600 * 3600
    config = FleetConfig.model_validate({"store": url, "metrics": {"keep_raw_hours": 25}})
    with Fleet(config, uri=HOST) as fleet:
        packing = fill(fleet.store, now)
        queries: dict[str, Callable[[], object]] = {
            "one metric, by 1m": lambda: fleet.metrics.vms(
                hours=24, interval="1m", metrics="cpu.usage_percent"
            ),
            "one metric, by 5m": lambda: fleet.metrics.vms(hours=24, metrics="cpu.usage_percent"),
            "all metrics, by 1m": lambda: fleet.metrics.vms(hours=24, interval="1m"),
            "all metrics, by 5m": lambda: fleet.metrics.vms(hours=24),
        }
        costs = {name: _median(query, int(count)) for name, query in queries.items()}
        told = {"queries": costs, "bytes": bytes_each(fleet.store), "packing": packing}
    print(json.dumps(told))


def _median(query: Callable[[], object], count: int) -> tuple[float, float]:
    costs = []
    for _round in range(count):
        wall, cpu = time.perf_counter(), time.process_time()
        query()
        costs.append((time.perf_counter() - wall, time.process_time() - cpu))
    return median(cost[0] for cost in costs), median(cost[1] for cost in costs)


if __name__ == "__main__":
    main()
