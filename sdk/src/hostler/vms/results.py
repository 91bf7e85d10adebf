# SPDX-License-Identifier: Apache-2.0
"""Puts the results of VMs together."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Literal

from hostler.errors import HostlerError, NotFound
from hostler.models.vm_task import BatchResult, Operation, VmResult
from hostler.plan import results
from hostler.plan.plan import Plan
from hostler.plan.results import Became


def failed(name: str, error: HostlerError) -> VmResult:
    """Return the result of a VM that could not even be planned."""
    return results.failed(VmResult, name, error)


def no_such_vm(name: str, where: str) -> NotFound:
    """Return the error of a VM that was named and is not there."""
    return NotFound("there is no such VM", on=f"VM {name!r} on {where}")


def result_of(name: str, plan: Plan, outcomes: Mapping[str, Became]) -> VmResult:
    """Return a VM's result; ``outcomes`` by plan, empty in check mode."""
    return results.result_of(
        VmResult,
        name,
        plan,
        outcomes,
        restart_required=bool(plan.facts.get("restart_required")),
        changes_pending=list(plan.facts.get("changes_pending", [])),
        placement=plan.facts.get("placement"),
    )


def batch_of(
    operation: Operation, done: list[VmResult], unreachable: Mapping[str, str] | None = None
) -> BatchResult:
    """Count results up; ``unreachable`` says which hosts could not be asked, and why."""
    skipped = sum(r.error_code == "skipped" for r in done)
    bad = sum(r.error is not None for r in done)
    status: Literal["completed", "partial", "failed"] = "completed"
    if bad:
        status = "failed" if bad == len(done) else "partial"
    return BatchResult(
        batch_id=f"batch-{secrets.token_hex(4)}",
        operation=operation,
        total_vms=len(done),
        succeeded=len(done) - bad,
        failed=bad - skipped,
        skipped=skipped,
        changed=any(r.changed for r in done),
        status=status,
        results=done,
        unreachable_hosts=dict(unreachable or {}),
    )
