# SPDX-License-Identifier: Apache-2.0
"""Reads hosts and their metrics for rules: what is now, and the time before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from hostler.alerts.evaluate import Series
from hostler.alerts.series import Labels, Measured, metric_series, rows, unread, with_past
from hostler.errors import NotFound
from hostler.models.alert_config import AlertRule, Operator
from hostler.models.host_view import HostInfo
from hostler.models.metrics import SECONDS, Aggregation, Interval, Kind

if TYPE_CHECKING:
    from hostler.fleet import Fleet

HOURS = 6
"""How far back a history is looked at; further where a rule's duration says so."""
WORST: dict[Operator, Aggregation] = {"above": "min", "below": "max"}
"""Of all samples in a span: if this one is beyond the threshold, all are."""


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
        self._wanted: dict[tuple[Kind, Operator], list[str]] = {}
        for rule in rules:
            if rule.resource in ("host", "vm", "pool") and not rule.metric.startswith("state."):
                self._wanted.setdefault((rule.resource, rule.operator), []).append(rule.metric)

    def hosts(self) -> Sequence[HostInfo]:
        """Read the hosts of the pool, or the one that the fleet is for, with their VMs."""
        hosts, targets = self._fleet.hosts, self._fleet.metrics.targets()
        known = [host.id for host in hosts.list() if host.id in targets]
        if known:
            return hosts.info(known, fields=["vms"], timeout=self._timeout)
        uri = next(iter(targets.values()), None)
        return hosts.info(uri=uri, fields=["vms"], timeout=self._timeout) if uri else ()

    def states(self, states: Sequence[Series]) -> Iterator[Series]:
        """Put the time before to the states that hold: since when hosts and VMs are not up."""
        for kind in ("host", "vm"):
            mine = [one for one in states if one.resource == kind]
            off = sorted({one.name for one in mine if any(s.value for s in one.samples)})
            past = self._past(kind, ["state.up"], "max", off) if off else ()
            histories = {(row.host, row.name): row.history for row in rows(kind, past)}
            for one in mine:
                yield with_past(one, histories.get((one.host or "", one.name)))

    def metrics(self, hosts: Sequence[HostInfo]) -> Iterator[Series]:
        """Return the metrics of hosts, their pools and VMs that rules look at."""
        labels = labels_of(hosts)
        for (kind, how), names in self._wanted.items():
            now = self.now(hosts, of_vms=kind == "vm")
            past = self._past(kind, names, WORST[how])
            yield from metric_series(kind, now, past, names, labels, how)
            yield from unread(kind, hosts, names, how)

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
        self, kind: Kind, names: Sequence[str], how: Aggregation, only: Sequence[str] = ()
    ) -> Measured:
        """Return histories; those that there are."""
        query: dict[str, Any] = {
            "hours": self._hours,
            "interval": self._interval(),
            "aggregation": how,
        }
        metrics = self._fleet.metrics
        try:
            if kind == "vm":  # as globs, so that one without a history is no error
                globs = [f"[{name[0]}]{name[1:]}" for name in only]
                return metrics.vms(globs, metrics=names, **query).vms
            of_host = names if kind == "host" else ["state.up"]  # its pools come with it
            return metrics.hosts(metrics=of_host, **query)
        except NotFound:  # nothing was collected yet
            return ()

    def _interval(self) -> Interval:
        """Return the finest interval that each has a sample in, and that is kept for so long."""
        config = self._fleet.config.metrics
        kept = self._hours <= config.keep_raw_hours
        fits: list[Interval] = ["5m", "1h"]
        fits = ["1m", *fits] if kept else fits
        return next((one for one in fits if SECONDS[one] >= 2 * config.interval), "1h")


def labels_of(hosts: Sequence[HostInfo]) -> Labels:
    """Return the labels of hosts and their VMs."""
    found = {(host.id or host.uri,) * 2: host.labels for host in hosts}
    vms = {(h.id or h.uri, vm.name): vm.vm.get("labels", {}) for h in hosts for vm in h.vms or ()}
    return {**vms, **found}
