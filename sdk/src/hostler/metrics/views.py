# SPDX-License-Identifier: Apache-2.0
"""Makes what is answered of samples and of values over time. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hostler.metrics.packing import UNKNOWN
from hostler.metrics.rates import Sample
from hostler.models.metrics import METRICS, Figures, History, Kind, Metric, MetricsQuery
from hostler.models.vm_view import VmStatus

if TYPE_CHECKING:
    from hostler.metrics.past import Range

Values = dict[str, list[float | None]]
"""By a metric's name, one for each span of time."""

STATUS: dict[int, VmStatus] = {
    **dict.fromkeys((0, 1, 2), "running"),
    3: "paused",
    4: "stopping",
    5: "stopped",
    6: "crashed",
    7: "suspended",
}
"""By virDomainState."""


def status_of(code: float | None) -> VmStatus:
    """Return a VM's status."""
    return STATUS.get(-1 if code is None else int(code), "unknown")


def moment(at: float) -> datetime:
    """Return a time."""
    return datetime.fromtimestamp(at, UTC)


def nested(values: Mapping[str, float | None]) -> Figures:
    """Return values by group and name."""
    found: Figures = {}
    for full, value in values.items():
        group, _, name = full.partition(".")
        found.setdefault(group, {})[name] = value
    return found


def valued(number: int, metric: Metric) -> float:
    """Return a sample's number as the metric's value."""
    return number if metric.scale == 1 else round(number / metric.scale, 5)


def figures(kind: Kind, sample: Sample, metrics: Sequence[Metric]) -> Figures:
    """Return the chosen metrics of a sample."""
    known = METRICS[kind]
    numbers = {metric: sample[known.index(metric)] for metric in metrics}
    return nested(
        {m.name: None if number == UNKNOWN else valued(number, m) for m, number in numbers.items()}
    )


def over_time(
    values: Values, metrics: Sequence[Metric], within: Range, query: MetricsQuery
) -> dict[str, Any]:
    """Return the fields that tell values over time: of each of them, and of all of it."""
    known = {metric.name: values[metric.name] for metric in metrics}
    told = {"metrics": nested({name: _newest(row) for name, row in known.items()})}
    if query.hours is None:
        return {**told, "interval": query.step, "timestamp": moment(within.end)}
    times = [moment(within.start + within.step * place) for place in range(within.count)]
    history = History(
        interval=query.step, aggregation=query.aggregation, timestamps=times, values=known
    )
    return {**told, "interval": query.step, "timestamp": times[-1], "history": history}


def _newest(row: Sequence[float | None]) -> float | None:
    """Return the value of the last span; of the one before where that has none yet."""
    return next((value for value in row[-1:-3:-1] if value is not None), None)
