# SPDX-License-Identifier: Apache-2.0
"""fleet.alerts: what is wrong now, by the rules of fleet.yml."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from hostler.alerts.evaluate import Series, evaluate
from hostler.alerts.measure import Measure
from hostler.alerts.series import Measured, gpu_series, host_series
from hostler.errors import HostlerError, NotFound
from hostler.models.alert import Alert, AlertPage, Severity
from hostler.models.alert_config import AlertRule
from hostler.models.host_view import HostInfo

if TYPE_CHECKING:
    from hostler.alerts.events import AlertEvents
    from hostler.fleet import Fleet
    from hostler.gpu.world import GpuWorld

TIMEOUT = 30.0
"""Seconds that each host gets to answer."""
GPU = ("gpu_pool", "aggregate", "gpu_host", "cloud")


@dataclass
class Observed:
    """What the rules are looked at on.

    Attributes:
        live: figures of the hosts, where everything is read.
        world: the GPU hosts of the OpenStack; None where there is none, or it can't be read.
        cloud: its name; None where there is none.
        cloud_error: why it can't be read.
    """

    now: float
    hosts: Sequence[HostInfo] = ()
    live: Measured = ()
    world: GpuWorld | None = None
    cloud: str | None = None
    cloud_error: str | None = None
    series: list[Series] = field(default_factory=list)


class Alerts:
    """What is wrong now."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def rules(self, names: Sequence[str] = ()) -> list[AlertRule]:
        """Return the rules that are looked at, in full.

        Args:
            names: names or globs; all where left out.

        Raises:
            NotFound: there is no such rule.
        """
        rules = self._fleet.config.alerts.effective()
        for name in names:
            if not any(fnmatchcase(rule.name, name) for rule in rules):
                have = ", ".join(rule.name for rule in rules)
                raise NotFound(f"there is no such rule; there are {have}", on=f"rule {name!r}")
        return [r for r in rules if not names or any(fnmatchcase(r.name, name) for name in names)]

    def read(
        self,
        *,
        severities: Sequence[Severity] = (),
        rules: Sequence[str] = (),
        resources: Sequence[str] = (),
        timeout: float = TIMEOUT,
    ) -> AlertPage:
        """Look at everything by the rules. Hosts and clouds that can't be read are alerts.

        Args:
            severities: only these.
            rules: names or globs; only these.
            resources: names or globs; only what is about these, or on these hosts.
            timeout: seconds that each host gets to answer.

        Raises:
            NotFound: there is no such rule.
        """
        wanted = [r for r in self.rules(rules) if not severities or r.severity in severities]
        observed = self.observe(wanted, timeout=timeout)
        page = evaluate(wanted, observed.series, observed.now)
        return _about(page, resources) if resources else page

    def list(
        self,
        *,
        severities: Sequence[Severity] = (),
        rules: Sequence[str] = (),
        resources: Sequence[str] = (),
        timeout: float = TIMEOUT,
    ) -> Sequence[Alert]:
        """Return the alerts that fire, the worst first; see ``read``."""
        return self.read(
            severities=severities, rules=rules, resources=resources, timeout=timeout
        ).alerts

    def events(self, *, every: float = 15, timeout: float = TIMEOUT) -> AlertEvents:
        """Return a source of events for ``fleet.events``: alerts that fire, and that are over.

        Args:
            every: seconds from one look to the next.
            timeout: seconds that each host gets to answer.
        """
        from hostler.alerts.events import AlertEvents

        rules = self.rules()
        return AlertEvents(lambda: self.observe(rules, timeout=timeout), rules, every=every)

    def observe(
        self, rules: Sequence[AlertRule], *, timeout: float = TIMEOUT, everything: bool = False
    ) -> Observed:
        """Read what rules look at; hosts and clouds that can't be read say why.

        Args:
            rules: the rules.
            timeout: seconds that each host gets to answer.
            everything: read hosts and the cloud although no rule looks at them.
        """
        kinds = {rule.resource for rule in rules}
        found = Observed(time.time())
        if everything or kinds - set(GPU):
            self._observe_hosts(found, Measure(self._fleet, rules, timeout), everything=everything)
        with_cloud = self._fleet.cloud or os.environ.get("OS_AUTH_URL")
        if with_cloud and (everything or kinds & set(GPU)):
            self._observe_cloud(found)
        found.now = time.time()
        return found

    def _observe_hosts(self, found: Observed, measure: Measure, *, everything: bool) -> None:
        found.hosts = measure.hosts()
        if everything:
            found.live = measure.now(found.hosts)
        label = self._fleet.config.alerts.keep_running
        found.series += measure.states(list(host_series(found.hosts, label, time.time())))
        found.series += measure.metrics(found.hosts)

    def _observe_cloud(self, found: Observed) -> None:
        found.cloud = self._fleet.cloud or "OpenStack"
        try:
            found.world = self._fleet.gpu.observe()
        except HostlerError as error:
            found.cloud_error = error.reason
        found.series += gpu_series(found.cloud, found.world, found.cloud_error or "", time.time())


def _about(page: AlertPage, resources: Sequence[str]) -> AlertPage:
    def wanted(*names: str | None) -> bool:
        return any(name and fnmatchcase(name, glob) for name in names for glob in resources)

    return page.model_copy(
        update={
            "alerts": [one for one in page.alerts if wanted(one.resource, one.host)],
            "pending": [one for one in page.pending if wanted(one.resource, one.host)],
            "unknown": [one for one in page.unknown if wanted(one.host, *one.resources)],
        }
    )
