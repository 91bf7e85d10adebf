# SPDX-License-Identifier: Apache-2.0
"""What VMs use, in the words of Hyperstack: counters that grow evenly since the VM was started."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from hostler.testing.hyperstack.store import Row

EVERY, MOST = 300, 1000
"""Seconds between two values; of longer times there are fewer, so many at most."""

GROWTH = {
    "network.in": 125_000,
    "network.out": 62_500,
    "disk.read": 1_000_000,
    "disk.write": 500_000,
}
"""Bytes a second. CPUs are busy for a quarter of their time, a quarter of the memory is in use."""

_HOURS = {"h": 1, "d": 24}


def series(vm: Row, duration: str) -> dict[str, Any]:
    """Return all series of the last so many hours or days (``1h``, ``30d``)."""
    seconds = int(duration[:-1]) * _HOURS[duration[-1]] * 3600
    every = EVERY * -(-seconds // (EVERY * MOST))
    newest = int(time.time()) // every * every
    times = range(newest - seconds + every, newest + 1, every)
    cpus, ram = vm["flavor"]["cpu"] or 1, vm["flavor"]["ram"] or 1
    found = {
        "cpu": _one("ns", {at: at * cpus * 250_000_000 for at in times}),
        "memory.usages": _one("MB", dict.fromkeys(times, ram * 1024 / 4)),
    }
    return found | {name: _one("B", {at: at * n for at in times}) for name, n in GROWTH.items()}


def _one(unit: str, values: dict[int, float]) -> dict[str, Any]:
    return {
        "unit": unit,
        "columns": ["time", "granularity", "value"],
        "data": [[datetime.fromtimestamp(at, UTC).isoformat(), 60, v] for at, v in values.items()],
    }
