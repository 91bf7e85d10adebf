# SPDX-License-Identifier: Apache-2.0
"""fleet.logs: a VM's logs, from inside the guest and from outside; as they are, or as they grow."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from lxml import etree

from hostler.backends.libvirt import Hypervisor
from hostler.backends.libvirt.logs import GuestAgent, LocalFile, PoolFile
from hostler.errors import BackendError, HostlerError, NotFound, Unsupported
from hostler.logs import parse
from hostler.logs.sources import Journal, LogSource, TextLog
from hostler.models.log import SOURCES, LogEntry, LogQuery, LogSourceName, VmLogs
from hostler.models.problems import checked

if TYPE_CHECKING:
    from hostler.fleet import Fleet

QEMU_LOGS = "/var/log/libvirt/qemu"


class Logs:
    """Logs of VMs on libvirt hypervisors, and on Hyperstack."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def read(
        self,
        name: str,
        query: LogQuery | None = None,
        *,
        uri: str | None = None,
        host: str | None = None,
        **filters: Any,
    ) -> VmLogs:
        """Read a VM's last entries.

        Args:
            name: the VM.
            query: which entries; or its fields as ``filters``.
            uri: the hypervisor; the fleet's own where left out.
            host: the same, as a host of the pool.
            filters: fields of LogQuery.

        Raises:
            InvalidInput: a filter makes no sense.
            NotFound: there is no such VM.
            HostlerError: a source that is named can't be read, or none at all can be.
        """
        query = query or checked(LogQuery, filters, on="logs")
        groups, warnings, _ = self._last(name, query, self._fleet.hypervisor(uri, host))
        return VmLogs(vm=name, logs=parse.in_order(groups), warnings=warnings)

    def follow(
        self,
        name: str,
        query: LogQuery | None = None,
        *,
        uri: str | None = None,
        host: str | None = None,
        every: float = 1,
        warn: Callable[[str], object] | None = None,
        **filters: Any,
    ) -> Iterator[LogEntry]:
        """Yield a VM's last entries, and then those that come.

        A source that fails for a while is asked again.

        Args:
            name: the VM.
            query: which entries; or its fields as ``filters``.
            uri: the hypervisor; the fleet's own where left out.
            host: the same, as a host of the pool.
            every: seconds between two looks.
            warn: is told which sources can't be read, and why.
            filters: fields of LogQuery.

        Raises:
            HostlerError: as ``read``.
        """
        query = query or checked(LogQuery, filters, on="logs")
        groups, warnings, sources = self._last(name, query, self._fleet.hypervisor(uri, host))
        if warn is not None:
            for warning in warnings:
                warn(warning)
        yield from parse.in_order(groups)
        while True:
            time.sleep(every)
            yield from parse.in_order([_more(source) for source in sources])

    def hyperstack(self, name: str, *, environment: str, lines: int = 100) -> VmLogs:
        """Read the last lines of the console of a VM on Hyperstack.

        Raises:
            NotFound: there is none of that name.
            Timeout: its log has not come.
        """
        vms = self._fleet.hyperstack.vms
        vm = vms.get(name, environment=environment, extra=["logs"], log_lines=lines)
        found = parse.printed((vm.logs or "").splitlines(), "hyperstack")
        return VmLogs(vm=name, logs=list(found))

    def _last(
        self, name: str, query: LogQuery, hypervisor: Hypervisor
    ) -> tuple[list[list[LogEntry]], list[str], list[LogSource]]:
        hypervisor.domains.status(name)  # says that there is no such VM
        groups: list[list[LogEntry]] = []
        sources: list[LogSource] = []
        failed: dict[str, HostlerError] = {}
        for kind in query.sources or SOURCES:
            try:
                source = _source(kind, hypervisor, name, query)
                groups.append(source.last(query.lines, query.since))
                sources.append(source)
            except HostlerError as error:
                if query.sources:
                    raise
                failed[kind] = error
        warnings = [f"{kind}: {error.reason}" for kind, error in failed.items()]
        if not sources:
            hint = "See 'hostler vm logs --help' for what is needed."
            on = f"VM {name!r} on {hypervisor.uri}"
            raise BackendError(f"no log can be read ({'; '.join(warnings)})", on=on, hint=hint)
        return groups, warnings, sources


def _more(source: LogSource) -> list[LogEntry]:
    try:
        return source.more()
    except BackendError:
        return []  # it may answer the next time; nothing is lost meanwhile


def _source(kind: LogSourceName, hypervisor: Hypervisor, name: str, query: LogQuery) -> LogSource:
    """Return a source.

    Raises:
        HostlerError: the VM has no such log, or it can't be read from here.
    """
    if kind == "guest":
        return Journal(GuestAgent(hypervisor, name, timeout=query.agent_timeout))
    local = hypervisor.facts.local
    if kind == "console":
        path = _console_log(hypervisor, name)
        reader = LocalFile(path) if local else PoolFile(hypervisor, path)
        return TextLog(reader, parse.console)
    if not local or hypervisor.facts.driver != "QEMU":
        on = f"VM {name!r} on {hypervisor.uri}"
        hint = "Read it on the host itself."
        raise Unsupported("the hypervisor's log is only read on its own host", on=on, hint=hint)
    return TextLog(LocalFile(f"{QEMU_LOGS}/{name}.log"), parse.hypervisor)


def _console_log(hypervisor: Hypervisor, name: str) -> str:
    tree = etree.fromstring(hypervisor.domains.xml(name, active=True).encode())
    log = tree.find("devices/serial/log")
    path = log.get("file") if log is not None else None
    if not path:
        on = f"VM {name!r} on {hypervisor.uri}"
        hint = "Have it keep one: 'console: {log: PATH}', and restart it."
        raise NotFound("its serial console keeps no log", on=on, hint=hint)
    return str(path)
