# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads hosts, all together and each by itself, by turns: pool.py ROUNDS URI...

Prints the medians, for all and for each: seconds on the clock, and of CPU.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from hostler import Fleet
from hostler.config import FleetConfig
from hostler.vms.inventory import collect


def cost(call: Callable[[], Any]) -> tuple[float, float]:
    """Return how long a call takes, and how much CPU."""
    began, busy = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - began, time.process_time() - busy


def info(uris: Sequence[str]) -> None:
    """Read what hosts have."""
    hosts = {f"h{number}": {"uri": uri} for number, uri in enumerate(uris)}
    with Fleet(FleetConfig.model_validate({"hosts": hosts})) as fleet:
        found = fleet.hosts.info()
    assert {host.status for host in found} == {"active"}


def inventory(uris: Sequence[str]) -> None:
    """Read the VMs of hosts."""
    assert all(row["error"] is None for row in collect(uris))


rounds, uris = int(sys.argv[1]), sys.argv[2:]
wanted = [uris, *([uri] for uri in uris)]
kept: dict[str, list[list[tuple[float, float]]]] = {
    name: [[] for _uris in wanted] for name in ("info", "inventory")
}
for _round in range(rounds + 1):  # the first loads what is loaded when first used
    for name, call in (("info", info), ("inventory", inventory)):
        for number, some in enumerate(wanted):
            kept[name][number].append(cost(lambda: call(some)))  # noqa: B023 - called at once
told = {
    name: [[median(part) for part in zip(*made[1:], strict=True)] for made in each]
    for name, each in kept.items()
}
print(json.dumps(told))
