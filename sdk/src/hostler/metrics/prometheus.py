# SPDX-License-Identifier: Apache-2.0
"""Answers questions about what was, from a Prometheus that scrapes ``hostler metrics export``."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor

from hostler.backends.prometheus import Prometheus, Series
from hostler.errors import NotFound
from hostler.metrics.matching import is_glob, matching
from hostler.metrics.past import Range, Thing
from hostler.metrics.promql import EXPRESSIONS, LABELS
from hostler.metrics.views import Values
from hostler.models.metrics import Kind, Metric, Source

AT_ONCE = 8

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HINT = "Does it scrape 'hostler metrics export'?"


class PrometheusPast:
    """History of a Prometheus."""

    source: Source = "prometheus"

    def __init__(self, prometheus: Prometheus) -> None:
        self._prometheus = prometheus

    def read(
        self,
        kind: Kind,
        hosts: Collection[str],
        names: Collection[str],
        metrics: Sequence[Metric],
        within: Range,
    ) -> list[tuple[Thing, Values]]:
        """Read values; see ``Past``."""
        which = _selector(kind, hosts, names)
        queries = [self._query(kind, metric, which, within) for metric in metrics]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            told = list(pool.map(lambda query: self._ask(query, within), queries))
        found: dict[Thing, Values] = {}
        for metric, series in zip(metrics, told, strict=True):
            for one in series:
                values = found.setdefault(_thing(kind, one), _nothing(metrics, within))
                values[metric.name] = _row(one, within)
        if not found and kind != "pool":
            raise NotFound("it has no such metrics", on=str(self._prometheus), hint=_HINT)
        chosen = set(matching(list(found), names, kind, f"{self._prometheus} has nothing of it"))
        return [(thing, values) for thing, values in found.items() if thing in chosen]

    def _query(self, kind: Kind, metric: Metric, which: str, within: Range) -> str:
        """Return the query for a metric over each span of time."""
        window = self._prometheus.config.rate_window
        inner = EXPRESSIONS[kind][metric.name].replace("$which", which)
        inner = inner.replace("$window", f"{window}s")
        each = max(1, window // 4, within.step // 60)
        labels = ", ".join(LABELS[kind])
        return f"{within.how}_over_time(max by ({labels}) ({inner})[{within.step}s:{each}s])"

    def _ask(self, query: str, within: Range) -> list[Series]:
        first = within.start + within.step
        return self._prometheus.query_range(query, start=first, end=within.end, step=within.step)


def _selector(kind: Kind, hosts: Collection[str], names: Collection[str]) -> str:
    """Return what goes between the braces; VMs by name where there are neither globs nor UUIDs."""
    told = [f"host=~{_one_of(hosts)}"]
    if kind == "vm" and names and not any(is_glob(n) or _UUID.fullmatch(n) for n in names):
        told.append(f"vm=~{_one_of(names)}")
    return ", ".join(told)


def _one_of(words: Collection[str]) -> str:
    return json.dumps("|".join(map(re.escape, words)), ensure_ascii=False)


def _thing(kind: Kind, one: Series) -> Thing:
    get = one.labels.get
    host = get("host", "")
    if kind == "vm":
        return Thing(host, get("uuid", ""), get("vm", ""))
    return Thing(host, get("pool", ""), get("pool", host))


def _nothing(metrics: Sequence[Metric], within: Range) -> Values:
    return {metric.name: [None] * within.count for metric in metrics}


def _row(one: Series, within: Range) -> list[float | None]:
    """Return values by span: each was asked for at its span's end."""
    row: list[float | None] = [None] * within.count
    for at, value in one.values.items():
        place = round((at - within.start) / within.step) - 1
        if 0 <= place < within.count:
            row[place] = round(value, 5)
    return row
