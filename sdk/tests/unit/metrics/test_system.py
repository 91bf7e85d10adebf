# SPDX-License-Identifier: Apache-2.0
"""Hosts together: sums, and percentages of what they have together."""

from __future__ import annotations

from hostler.metrics.system import Row, needed, together
from hostler.models.metrics import chosen

SMALL: Row = {
    "cpu.usage_percent": 100, "cpu.count": 4, "memory.used_gb": 8, "memory.total_gb": 8,
    "memory.usage_percent": 100, "disk.read_iops": 10,
}  # fmt: skip
LARGE: Row = {
    "cpu.usage_percent": 0, "cpu.count": 12, "memory.used_gb": 2, "memory.total_gb": 32,
    "memory.usage_percent": 6.25, "disk.read_iops": 5,
}  # fmt: skip
DOWN: Row = dict.fromkeys(SMALL)


def test_together() -> None:
    metrics = chosen("host", list(SMALL))
    assert together([SMALL, LARGE, DOWN], metrics) == {
        "cpu.usage_percent": 25, "cpu.count": 16, "memory.used_gb": 10, "memory.total_gb": 40,
        "memory.usage_percent": 25, "disk.read_iops": 15,
    }  # fmt: skip


def test_of_nothing_nothing_is_known() -> None:
    assert set(together([DOWN], chosen("host", list(SMALL))).values()) == {None}
    assert set(together([], chosen("host", list(SMALL))).values()) == {None}


def test_what_sums_are_made_of_is_read_too() -> None:
    names = {metric.name for metric in needed(chosen("host", ["memory.usage_percent"]))}
    assert names == {"memory.usage_percent", "memory.used_gb", "memory.total_gb", "cpu.count"}
