# SPDX-License-Identifier: Apache-2.0
"""Sums hosts up. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from hostler.models.metrics import HOST_METRICS, Metric

Row = dict[str, float | None]
"""A host's values at one time, by the metric's name."""

_SHARES = {
    "memory.usage_percent": ("memory.used_gb", "memory.total_gb"),
    "storage.usage_percent": ("storage.used_gb", "storage.total_gb"),
}
_CPUS = "cpu.count"


def needed(metrics: Sequence[Metric]) -> list[Metric]:
    """Return the metrics that sums of these are made from."""
    names = {metric.name for metric in metrics} | {_CPUS}
    names |= {part for name in names & set(_SHARES) for part in _SHARES[name]}
    return [metric for metric in HOST_METRICS if metric.name in names]


def together(rows: Sequence[Row], metrics: Sequence[Metric]) -> Row:
    """Return what hosts have together: sums; percentages of what they have together."""
    return {metric.name: _together(rows, metric.name) for metric in metrics}


def _together(rows: Sequence[Row], name: str) -> float | None:
    if name in _SHARES:
        used, total = _SHARES[name]
        return _percent(_both(rows, used, total))
    if name.endswith("_percent"):  # of each host's CPUs
        pairs = [(a * b / 100, b) for a, b in _both(rows, name, _CPUS)]
        return _percent(pairs)
    known = [value for row in rows if (value := row[name]) is not None]
    return round(sum(known), 5) if known else None


def _both(rows: Sequence[Row], one: str, other: str) -> list[tuple[float, float]]:
    found = []
    for row in rows:
        a, b = row[one], row[other]
        if a is not None and b is not None:
            found.append((a, b))
    return found


def _percent(pairs: Sequence[tuple[float, float]]) -> float | None:
    total = sum(whole for _, whole in pairs)
    return round(100 * sum(part for part, _ in pairs) / total, 2) if total else None
