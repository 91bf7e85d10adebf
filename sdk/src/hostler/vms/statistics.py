# SPDX-License-Identifier: Apache-2.0
"""Statistics of domains, among them the sizes of their disks: one call for all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import libvirt

from hostler.backends.libvirt.domains import DomainState
from hostler.backends.libvirt.hypervisor import Hypervisor
from hostler.errors import HostlerError, Timeout, Unsupported

SECONDS = 3

_BUSY = Timeout("another job keeps the VM busy")


@dataclass
class Statistics:
    """What libvirt told by domain name, and why it told nothing of some (``failed``)."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    failed: dict[str, HostlerError] = field(default_factory=dict)


def read_statistics(
    hypervisor: Hypervisor, states: Mapping[str, DomainState], *, full: bool
) -> Statistics:
    """Read statistics of domains; ``full`` are all groups that are cheap, else the disks only.

    Of these domains only: the call takes some 2 ms for each that runs. VMs inside a job are not
    waited for.
    """
    groups = libvirt.VIR_DOMAIN_STATS_BLOCK
    if full:
        groups |= (
            libvirt.VIR_DOMAIN_STATS_STATE
            | libvirt.VIR_DOMAIN_STATS_CPU_TOTAL
            | libvirt.VIR_DOMAIN_STATS_BALLOON
            | libvirt.VIR_DOMAIN_STATS_VCPU
            | libvirt.VIR_DOMAIN_STATS_INTERFACE
        )
    if hypervisor.facts.driver != "QEMU":
        groups = 0
    flags = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT if groups else 0
    connection = hypervisor.read()

    def ask(names: Sequence[str]) -> list[Any]:
        handles = [states[name].handle for name in names]
        return list(connection.domainListGetStats(handles, groups, flags))

    found = Statistics()
    for names, rows in _answers(hypervisor, ask, list(states)):
        if isinstance(rows, HostlerError):
            if full or not isinstance(rows, Unsupported):
                found.failed |= dict.fromkeys(names, rows)
            continue
        found.rows |= {domain.name(): dict(values) for domain, values in rows}
        running = [n for n in names if groups and states[n].active_xml]
        busy = [n for n in running if _skipped(found.rows.get(n, {}))]
        found.failed |= dict.fromkeys(busy, _BUSY)
    return found


def _answers(
    hypervisor: Hypervisor, ask: Callable[[Sequence[str]], list[Any]], names: list[str]
) -> Iterator[tuple[Sequence[str], Any]]:
    """Ask for all at once; a QEMU that is stuck holds that up, and then each is asked alone."""
    seconds = SECONDS + len(names) / 50
    (together,) = hypervisor.ask([partial(ask, names)], seconds)
    if not isinstance(together, Timeout):
        yield names, together
        return
    alone = hypervisor.ask([partial(ask, [name]) for name in names], SECONDS)
    yield from (([name], answer) for name, answer in zip(names, alone, strict=True))


def _skipped(row: Mapping[str, Any]) -> bool:
    """Whether libvirt left QEMU alone for a domain: its disks are named then, and no more."""
    disks = range(int(row.get("block.count", 0)))
    silent = any(f"block.{n}.path" in row and f"block.{n}.rd.reqs" not in row for n in disks)
    return silent or "block.count" not in row
