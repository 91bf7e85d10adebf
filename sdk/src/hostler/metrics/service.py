# SPDX-License-Identifier: Apache-2.0
"""fleet.metrics: figures of VMs, hosts and all of them, live and over time."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hostler.errors import HostlerError, InvalidInput, NotFound
from hostler.metrics import past
from hostler.metrics.guest import ask_guests
from hostler.metrics.live import Live, Looker
from hostler.metrics.matching import matching
from hostler.metrics.past import Past
from hostler.metrics.raw import ON, RawVm
from hostler.metrics.read import Readers
from hostler.metrics.stored import StoredPast
from hostler.metrics.system import needed, together
from hostler.metrics.views import figures, moment, nested, status_of
from hostler.models.metrics import (
    METRICS,
    History,
    HostMetrics,
    Kind,
    Metric,
    MetricsQuery,
    PoolMetrics,
    SystemMetrics,
    VmMetrics,
    VmMetricsPage,
    chosen,
)
from hostler.models.problems import checked

if TYPE_CHECKING:
    from hostler.fleet import Fleet


class Metrics:
    """Figures of VMs and hosts.

    Without ``interval`` and ``hours`` hosts are asked; else the history that
    ``metrics_backend`` names.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    @cached_property
    def readers(self) -> Readers:
        """Read hosts, over connections that stay open."""
        return Readers(self._fleet.config.connect_timeout)

    def close(self) -> None:
        """Close the connections."""
        readers = self.__dict__.pop("readers", None)
        if readers is not None:
            readers.close()

    @cached_property
    def _looker(self) -> Looker:
        return Looker(self.readers, lambda: self._fleet.store, self._fleet.config.metrics.gap)

    @cached_property
    def _past(self) -> Past:
        config = self._fleet.config
        if config.metrics_backend == "store":
            return StoredPast(lambda: self._fleet.store, config.metrics)
        from hostler.metrics.prometheus import PrometheusPast

        return PrometheusPast(self._fleet.prometheus)

    def targets(self, *, uri: str | None = None, host: str | None = None) -> dict[str, str]:
        """Return the hosts that are meant, URIs by id: the named one, or all of the pool.

        Where the pool is empty that is the fleet's own URI. A hypervisor that is not in the pool
        has its URI for its id.
        """
        named = self._fleet.uri_of(uri, host) if uri or host else self._fleet.own_uri
        pool = {h.id: h.settings.uri for h in self._fleet.hosts.list()}
        if pool and not named:
            return pool
        one = named or self._fleet.uri
        ids = {known: name for name, known in pool.items()}
        return {ids.get(one, one): one}

    def vms(
        self,
        names: Sequence[str] | str = (),
        *,
        uri: str | None = None,
        host: str | None = None,
        **options: Any,
    ) -> VmMetricsPage:
        """Return VMs' figures.

        Args:
            names: names, globs or UUIDs; all VMs where left out.
            uri: the hypervisor; the fleet's own, or all of the pool, where left out.
            host: the same, as a host of the pool.
            options: fields of MetricsQuery.

        Raises:
            NotFound: a VM that is named is not there, or has no history.
            InvalidInput: an option makes no sense.
            BackendError: a host that may have a VM that is named can't be read.
        """
        query, metrics = _query("vm", names, options)
        if query.system == "hyperstack":
            return VmMetricsPage(vms=self._hyperstack(query, metrics))
        targets = self.targets(uri=uri, host=host)
        if query.hours or query.interval:
            return VmMetricsPage(vms=past.vms(self._past, targets, query, metrics, time.time()))
        seen = self._looker.look(targets, query)
        down = {name: error for name, error in seen.items() if isinstance(error, HostlerError)}
        there = [(host, one) for host, one in seen.items() if isinstance(one, Live)]
        all_vms = [vm for _, one in there for vm in one.reading.vms]
        wanted = {vm.uuid for vm in _matching(all_vms, query, down)}
        rows = [
            _vm(host, one, vm, metrics)
            for host, one in there
            for vm in one.reading.vms
            if vm.uuid in wanted
        ]
        if query.guest:
            self._ask_guests(targets, there, rows, query.agent_timeout)
        rows.sort(key=lambda row: (row.name, row.host))
        return VmMetricsPage(vms=rows, unreachable_hosts={n: e.reason for n, e in down.items()})

    def hosts(
        self,
        names: Sequence[str] | str = (),
        *,
        uri: str | None = None,
        **options: Any,
    ) -> Sequence[HostMetrics]:
        """Return hosts' figures; one that can't be reached says why.

        Args:
            names: ids or globs; the fleet's own, or all of the pool, where left out.
            uri: a hypervisor that need not be in the pool, in place of ``names``.
            options: fields of MetricsQuery.

        Raises:
            NotFound: a host that is named is not in the pool, or has no history.
            InvalidInput: an option makes no sense.
        """
        query, metrics = _query("host", names, options)
        if query.names:
            targets = {h.id: h.settings.uri for h in self._fleet.hosts.choose(query.names)}
        else:
            targets = self.targets(uri=uri)
        if query.hours or query.interval:
            return past.hosts(self._past, targets, query, metrics, time.time())
        seen = self._looker.look(targets, query)
        return [_host(name, seen[name], metrics) for name in sorted(seen)]

    def system(self, **options: Any) -> SystemMetrics:
        """Return the figures of all hosts together.

        Args:
            options: fields of MetricsQuery; ``names`` choose hosts.

        Raises:
            NotFound: there is no history.
            InvalidInput: an option makes no sense.
        """
        query, metrics = _query("host", options.pop("names", ()), options)
        wanted = [metric.name for metric in needed(metrics)]
        rest = query.model_dump(exclude={"names", "metrics"}, exclude_unset=True)
        hosts = self.hosts(query.names, metrics=wanted, **rest)
        down = {h.host_id: h.reason or "" for h in hosts if h.status == "unreachable"}
        found = SystemMetrics(
            timestamp=max((h.timestamp for h in hosts if h.timestamp), default=moment(time.time())),
            interval=hosts[0].interval if hosts else None,
            source=hosts[0].source if hosts else "live",
            total_hosts=len(hosts),
            active_hosts=sum(_is_up(h) for h in hosts),
            unreachable_hosts=down,
            metrics=nested(together([_flat(h, wanted) for h in hosts], metrics)),
            history=_history_of_all(hosts, metrics),
            hosts=[*hosts],
        )
        if not (query.hours or query.interval) and self._fleet.hosts.list():
            found.stats = self._fleet.hosts.stats(timeout=query.timeout).model_dump(mode="json")
        return found

    def _hyperstack(self, query: MetricsQuery, metrics: Sequence[Metric]) -> list[VmMetrics]:
        from hostler.metrics.hyperstack import hyperstack_vms

        return hyperstack_vms(self._fleet.hyperstack_api(), query, metrics, time.time())

    def _ask_guests(
        self,
        targets: Mapping[str, str],
        there: Sequence[tuple[str, Live]],
        rows: Sequence[VmMetrics],
        seconds: int,
    ) -> None:
        for host, one in there:
            on = {vm.uuid for vm in one.reading.vms if vm.state in ON}
            mine = [row for row in rows if row.host == host and row.vm_id in on]
            asked = ask_guests(
                self._fleet.hypervisor(targets[host]), [row.vm_id for row in mine], seconds
            )
            for row, told in zip(mine, asked, strict=True):
                row.guest = told


def _query(
    kind: Kind, names: Sequence[str] | str, options: Mapping[str, Any]
) -> tuple[MetricsQuery, list[Metric]]:
    query = checked(MetricsQuery, {**options, "names": names}, on="metrics")
    try:
        return query, chosen(kind, query.metrics)
    except ValueError as error:
        raise InvalidInput(str(error), on="metrics") from None


def _matching(
    there: Sequence[RawVm], query: MetricsQuery, down: Mapping[str, HostlerError]
) -> list[RawVm]:
    """Return the VMs that are meant; a host that did not answer may have one that is not there."""
    try:
        return matching(there, query.names, "vm", "there is no such VM")
    except NotFound:
        for error in down.values():
            raise error from None
        raise


def _vm(host: str, one: Live, vm: RawVm, metrics: Sequence[Metric]) -> VmMetrics:
    return VmMetrics(
        vm_id=vm.uuid,
        name=vm.name,
        host=host,
        status=status_of(vm.state),
        timestamp=moment(one.reading.at),
        seconds=None if one.seconds is None else round(one.seconds, 3),
        source="live",
        metrics=figures("vm", one.samples["vm", vm.uuid], metrics),
    )


def _host(name: str, one: Live | HostlerError, metrics: Sequence[Metric]) -> HostMetrics:
    if isinstance(one, HostlerError):
        return HostMetrics(host_id=name, status="unreachable", reason=one.reason, source="live")
    pools = [pool.name for pool in one.reading.pools or ()]
    return HostMetrics(
        host_id=name,
        status="reachable",
        timestamp=moment(one.reading.at),
        seconds=None if one.seconds is None else round(one.seconds, 3),
        source="live",
        metrics=figures("host", one.samples["host", ""], metrics),
        pools=[
            PoolMetrics(
                name=pool, metrics=figures("pool", one.samples["pool", pool], METRICS["pool"])
            )
            for pool in sorted(pools)
        ],
    )


def _is_up(host: HostMetrics) -> bool:
    if host.status is not None:
        return host.status == "reachable"
    return any(value is not None for group in host.metrics.values() for value in group.values())


def _flat(host: HostMetrics, names: Sequence[str]) -> dict[str, float | None]:
    split = [(name, *name.split(".", 1)) for name in names]
    return {name: host.metrics.get(group, {}).get(one) for name, group, one in split}


def _history_of_all(hosts: Sequence[HostMetrics], metrics: Sequence[Metric]) -> History | None:
    """Sum histories up, time by time."""
    each = [host.history for host in hosts if host.history]
    if not each:
        return None
    rows = [
        together([{name: row[n] for name, row in one.values.items()} for one in each], metrics)
        for n in range(len(each[0].timestamps))
    ]
    values = {metric.name: [row[metric.name] for row in rows] for metric in metrics}
    return each[0].model_copy(update={"values": values})
