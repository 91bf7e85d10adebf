# SPDX-License-Identifier: Apache-2.0
"""Reads hosts and their metrics for rules: what is now, and the time before."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hostler.alerts.evaluate import Series
from hostler.alerts.series import Labels, Measured, Row, metric_series, rows, unread, with_past
from hostler.errors import BackendError, NotFound
from hostler.models.alert_config import AlertRule, Operator
from hostler.models.host_view import HostInfo
from hostler.models.metrics import SECONDS, Aggregation, Interval, Kind

if TYPE_CHECKING:
    from hostler.fleet import Fleet

HOURS = 6
"""How far back a history is looked at; further where a rule's duration says so."""
WORST: dict[Operator, Aggregation] = {"above": "min", "below": "max"}
"""Of all samples in a span: if this one is beyond the threshold, all are."""
MANY = 100
"""Names in one question; more are asked for by asking for all."""


class Measure:
    """Reads what rules look at.

    Args:
        fleet: the fleet.
        rules: the rules.
        timeout: seconds that each host gets to answer.
    """

    def __init__(self, fleet: Fleet, rules: Sequence[AlertRule], timeout: float) -> None:
        self._fleet, self._timeout = fleet, timeout
        self._hours = max([HOURS, *(rule.duration // 3600 + 1 for rule in rules)])
        self._now: dict[bool, Measured] = {}
        self._histories: dict[tuple[Kind, Operator], Measured] = {}
        self._registered = True
        self._trouble = ""
        self._rules: dict[tuple[Kind, Operator], list[AlertRule]] = {}
        for rule in rules:
            if rule.resource in ("host", "vm", "pool") and not rule.metric.startswith("state."):
                self._rules.setdefault((rule.resource, rule.operator), []).append(rule)

    def hosts(self) -> Sequence[HostInfo]:
        """Read the hosts of the pool, or the one that the fleet is for, with their VMs."""
        hosts, targets = self._fleet.hosts, self._fleet.metrics.targets()
        known = [host.id for host in hosts.list() if host.id in targets]
        self._registered = bool(known)
        if known:
            return hosts.info(known, fields=["vms"], timeout=self._timeout)
        uri = next(iter(targets.values()), None)
        return hosts.info(uri=uri, fields=["vms"], timeout=self._timeout) if uri else ()

    def states(self, states: Sequence[Series]) -> Iterator[Series]:
        """Put the time before to the states that hold: since when hosts and VMs are not up."""
        for kind in ("host", "vm"):
            mine = [one for one in states if one.resource == kind]
            off = {one.name for one in mine if any(sample.value for sample in one.samples)}
            past = self._past(off, ["state.up"], "max", of_vms=kind == "vm")
            histories = {(row.host, row.name): row.history for row in rows(kind, past)}
            for one in mine:
                yield with_past(one, histories.get((one.host or "", one.name)))

    def metrics(self, hosts: Sequence[HostInfo]) -> Iterator[Series]:
        """Return the metrics of hosts, their pools and VMs that rules look at.

        The time before is read of those only that may fire: what is fine now is so anyway.
        """
        labels = labels_of(hosts)
        for (kind, how), rules in self._rules.items():
            names = list(dict.fromkeys(rule.metric for rule in rules))
            now = self.now(hosts, of_vms=kind == "vm")
            past = self._history(hosts, kind, how)
            for series in metric_series(kind, now, past, names, labels, how):
                yield replace(series, reason=series.reason or self._trouble)
            yield from unread(kind, hosts, names, how)

    def _history(self, hosts: Sequence[HostInfo], kind: Kind, how: Operator) -> Measured:
        """Return the histories of what may fire; pools come with their hosts."""
        kinds: tuple[Kind, ...] = ("vm",) if kind == "vm" else ("host", "pool")
        if (kinds[0], how) not in self._histories:
            now = self.now(hosts, of_vms=kind == "vm")
            doubtful = {
                row.name if one == "vm" else row.host
                for one in kinds
                for row in rows(one, now)
                if any(may_fire(rule, row) for rule in self._rules.get((one, how), ()))
            }
            metrics = [r.metric for r in self._rules.get((kinds[0], how), ())] or ["state.up"]
            past = self._past(doubtful, metrics, WORST[how], of_vms=kind == "vm")
            self._histories[kinds[0], how] = past
        return self._histories[kinds[0], how]

    def now(self, hosts: Sequence[HostInfo], *, of_vms: bool = False) -> Measured:
        """Return all figures of hosts that answer, or of VMs on them; they are read once."""
        if of_vms not in self._now:
            self._now[of_vms] = self._read(hosts, of_vms=of_vms)
        return self._now[of_vms]

    def _read(self, hosts: Sequence[HostInfo], *, of_vms: bool) -> Measured:
        metrics, timeout = self._fleet.metrics, self._timeout
        if of_vms:
            return metrics.vms(timeout=timeout).vms
        up = [host for host in hosts if host.status != "unreachable"]
        if not up:
            return ()
        names = [host.id for host in up if host.id]
        return metrics.hosts(names, uri=None if names else up[0].uri, timeout=timeout)

    def _past(
        self, only: Collection[str], metrics: Sequence[str], how: Aggregation, *, of_vms: bool
    ) -> Measured:
        """Return the histories of VMs, or of hosts with their pools; those that there are."""
        if not only:
            return ()
        globs = [f"[{name[0]}]{name[1:]}" for name in sorted(only)]  # one may have no history
        query: dict[str, Any] = {
            "names": globs if len(globs) <= MANY and (of_vms or self._registered) else (),
            "metrics": metrics,
            "hours": self._hours,
            "interval": self._interval(),
            "aggregation": how,
        }
        try:
            if of_vms:
                return self._fleet.metrics.vms(**query).vms
            return self._fleet.metrics.hosts(**query)
        except NotFound:  # nothing was collected yet
            return ()
        except BackendError as error:  # a Prometheus: what is now is known all the same
            self._trouble = f"history can't be read: {error.reason}"
            return ()

    def _interval(self) -> Interval:
        """Return the finest interval that each has a sample in, and that is kept for so long."""
        config = self._fleet.config.metrics
        kept = self._hours <= config.keep_raw_hours
        fits: list[Interval] = ["5m", "1h"]
        fits = ["1m", *fits] if kept else fits
        return next((one for one in fits if SECONDS[one] >= 2 * config.interval), "1h")


def may_fire(rule: AlertRule, row: Row) -> bool:
    """Whether the time before counts: not where all is well now."""
    value = row.value(rule.metric)
    return value is None or rule.stays(value)


def labels_of(hosts: Sequence[HostInfo]) -> Labels:
    """Return the labels of hosts and their VMs."""
    found = {(host.id or host.uri,) * 2: host.labels for host in hosts}
    vms = {(h.id or h.uri, vm.name): vm.vm.get("labels", {}) for h in hosts for vm in h.vms or ()}
    return {**vms, **found}
