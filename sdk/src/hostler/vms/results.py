# SPDX-License-Identifier: Apache-2.0
"""Puts results together: what a plan promised, and what became of it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Literal

from hostler.errors import HostlerError, NotFound, PlanFailed
from hostler.models.vm_task import BatchResult, Operation, PlanView, VmResult
from hostler.plan.outcome import Outcome
from hostler.plan.plan import Plan

Became = Outcome | HostlerError | None
"""What became of a plan: None where it was not started any more."""


def view(plan: Plan) -> PlanView:
    """Return the part of a plan that results show."""
    return PlanView(
        id=plan.id,
        summary=plan.summary,
        commands=tuple(plan.commands),
        warnings=tuple(plan.warnings),
    )


def failed(name: str, error: HostlerError) -> VmResult:
    """Return the result of a VM that could not even be planned."""
    return VmResult(name=name, error=str(error), error_code=error.code)


def missing(name: str, uri: str) -> VmResult:
    """Return the result of a VM that was named and is not there."""
    error = NotFound("there is no such VM", on=f"VM {name!r} on {uri}")
    return failed(name, error)


def result_of(name: str, plan: Plan, outcomes: Mapping[str, Became]) -> VmResult:
    """Return a VM's result; ``outcomes`` by plan, empty in check mode."""
    result = VmResult(
        name=name,
        changed=plan.changed,
        plan=view(plan),
        before=plan.before,
        after=plan.after,
        restart_required=bool(plan.facts.get("restart_required")),
        changes_pending=list(plan.facts.get("changes_pending", [])),
    )
    if plan.id not in outcomes:
        return result
    outcome = outcomes[plan.id]
    if outcome is None:
        result.error = f"{plan.target}: not started, since too many others had failed."
        result.error_code, result.changed = "skipped", False
    elif isinstance(outcome, HostlerError):
        result.error, result.error_code = str(outcome), outcome.code
        half_done = isinstance(outcome, PlanFailed) and outcome.outcome.status == "failed"
        result.changed, result.after = half_done, {}
    return result


def batch_of(operation: Operation, results: list[VmResult]) -> BatchResult:
    """Count results up."""
    skipped = sum(r.error_code == "skipped" for r in results)
    bad = sum(r.error is not None for r in results)
    status: Literal["completed", "partial", "failed"] = "completed"
    if bad:
        status = "failed" if bad == len(results) else "partial"
    return BatchResult(
        batch_id=f"batch-{secrets.token_hex(4)}",
        operation=operation,
        total_vms=len(results),
        succeeded=len(results) - bad,
        failed=bad - skipped,
        skipped=skipped,
        changed=any(r.changed for r in results),
        status=status,
        results=results,
    )
