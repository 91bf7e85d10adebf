# SPDX-License-Identifier: Apache-2.0
"""Statistics of domains, among them the sizes of their disks: one call for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import libvirt

from hostler.backends.libvirt.connection import bounded
from hostler.backends.libvirt.domains import DomainState
from hostler.backends.libvirt.faults import translated
from hostler.backends.libvirt.hypervisor import Hypervisor
from hostler.errors import BackendError, Timeout, Unsupported

SECONDS = 3

_BUSY = Timeout("another job keeps the VM busy")


@dataclass
class Statistics:
    """What libvirt told by domain name, and why it told nothing of some (``failed``)."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    failed: dict[str, BackendError] = field(default_factory=dict)


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
    handles = [state.handle for state in states.values()]
    call = partial(hypervisor.read().domainListGetStats, handles, groups, flags)
    found = Statistics()
    try:
        with translated(f"statistics of VMs on {hypervisor.uri}"):
            rows = _patiently(call, handles)
    except Unsupported as error:
        found.failed = dict.fromkeys(states, error) if full else {}
        return found
    except BackendError as error:
        found.failed = dict.fromkeys(states, error)
        return found
    found.rows = {domain.name(): dict(values) for domain, values in rows}
    busy = [n for n in states if groups and "block.count" not in found.rows.get(n, {})]
    found.failed = dict.fromkeys(busy, _BUSY)
    return found


def _patiently(call: Callable[[], list[Any]], domains: Sequence[Any]) -> list[Any]:
    """Ask for statistics; a QEMU that is stuck holds the first call up, and the second skips it.

    The first call keeps that VM's job, and what is inside a job is not waited for.
    """
    seconds = SECONDS + len(domains) / 50
    try:
        return bounded(call, seconds, "statistics")
    except Timeout:
        return bounded(call, seconds, "statistics")
