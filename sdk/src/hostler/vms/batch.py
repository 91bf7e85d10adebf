# SPDX-License-Identifier: Apache-2.0
"""Which VMs a batch is for, and batches of snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hostler.errors import HostlerError
from hostler.models.vm_task import BatchResult, VmQuery, VmResult
from hostler.models.vm_view import Vm
from hostler.plan.plan import Plan
from hostler.plan.results import Became, apply_all
from hostler.vms.across import Found, find_vms, hidden
from hostler.vms.request import OnProgress, side_by_side
from hostler.vms.results import batch_of, failed, no_such_vm, result_of

if TYPE_CHECKING:
    from hostler.fleet import Fleet


def choose(
    fleet: Fleet, query: VmQuery, uri: str | None, host: str | None, *, gone_is_well: bool
) -> tuple[Found, dict[str, HostlerError]]:
    """Return the VMs that a batch is for, and what is wrong with those that are named.

    Args:
        fleet: opens the hypervisors.
        query: which VMs; paging counts for nothing.
        uri: the hypervisor.
        host: the same, as a host of the pool.
        gone_is_well: a VM that is not there is as it is wanted.

    Raises:
        HostlerError: the hypervisor, or every host of the pool, can't be read.
    """
    found = find_vms(fleet, query, uri, host)
    missing, twice = found.missing(query), found.twice(query)
    bad: dict[str, HostlerError] = {**twice, **hidden(fleet, found, missing)}
    if not gone_is_well:
        lost = [name for name in missing if name not in bad]
        bad |= {name: no_such_vm(name, found.where) for name in lost}
    return replace(found, vms=[vm for vm in found.vms if vm.name not in twice]), bad


def snapshot_batch(  # noqa: PLR0913 - all by name
    fleet: Fleet,
    query: VmQuery,
    name: str,
    *,
    uri: str | None,
    host: str | None,
    check: bool,
    parallel: int | None,
    max_failures: int | None,
    on_progress: OnProgress,
) -> BatchResult:
    """Take a snapshot of every VM that the query finds; arguments as those of ``Vms.batch``."""
    found, bad = choose(fleet, query, uri, host, gone_is_well=False)

    def plan(vm: Vm) -> Plan | HostlerError:
        return fleet.snapshots.prepare(_snapshot(vm, name), uri=vm.uri).plan

    plans = side_by_side(plan, found.vms)
    outcomes: dict[str, Became] = {}
    if not check:
        outcomes = apply_all(
            fleet.runner,
            [one for one in plans if isinstance(one, Plan)],
            parallel=parallel or fleet.config.parallel,
            max_failures=max_failures,
            on_progress=on_progress,
        )
    pairs = zip(found.vms, plans, strict=True)
    done = [_result(vm, one, outcomes) for vm, one in pairs]
    done += [failed(vm, error) for vm, error in bad.items()]
    return batch_of("snapshot", done, found.reasons)


def _result(vm: Vm, plan: Plan | HostlerError, outcomes: Mapping[str, Became]) -> VmResult:
    if isinstance(plan, HostlerError):
        return failed(vm.name, plan).model_copy(update={"host_id": vm.host_id})
    return result_of(vm.name, plan, outcomes).model_copy(update={"host_id": vm.host_id})


def _snapshot(vm: Vm, name: str) -> dict[str, Any]:
    """Want a snapshot; an internal one of a running VM holds its memory too."""
    return {"vm": vm.name, "name": name, "memory": vm.status in ("running", "paused")}
