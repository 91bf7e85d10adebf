# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rounds of the collector, each after a bare getAllDomainStats: collect.py URI STORE ROUNDS.

Prints the medians as JSON: seconds, and seconds of CPU in this process.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from statistics import median

import libvirt

from hostler import Fleet
from hostler.config import FleetConfig
from hostler.metrics.collector import Collector
from hostler.metrics.read import GROUPS, NOWAIT


def cost(call: Callable[[], object]) -> tuple[float, float]:
    """Return what a call takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    """Take turns."""
    uri, store, rounds = sys.argv[1:]
    connection = libvirt.openReadOnly(uri)
    with Fleet(FleetConfig(store=store), uri=uri) as fleet:
        collector = Collector(fleet)
        calls: dict[str, Callable[[], object]] = {
            "raw": lambda: connection.getAllDomainStats(GROUPS, NOWAIT),
            "collect": collector.collect,
        }
        for call in calls.values():
            call()  # connections and the store are opened
        costs = [
            {name: cost(call) for name, call in calls.items()} for _round in range(int(rounds))
        ]
        collector.tidy()
    print(json.dumps({n: [median(c[n][k] for c in costs) for k in (0, 1)] for n in calls}))


if __name__ == "__main__":
    main()
