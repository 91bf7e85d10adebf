# SPDX-License-Identifier: Apache-2.0
"""Puts results together: what plans promised, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from hostler.errors import HostlerError, PlanFailed
from hostler.models.result import PlanView, Result
from hostler.plan.outcome import Outcome
from hostler.plan.plan import Plan
from hostler.plan.runner import OnProgress, Runner

R = TypeVar("R", bound=Result)

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


def failed(kind: type[R], name: str, error: HostlerError) -> R:
    """Return the result of a thing that could not even be planned."""
    return kind(name=name, error=str(error), error_code=error.code)


def apply_all(
    runner: Runner,
    plans: Sequence[Plan],
    *,
    parallel: int,
    max_failures: int | None = None,
    on_progress: OnProgress = None,
) -> dict[str, Became]:
    """Apply the plans that have something to do, side by side; what became of each by its id."""
    todo = [plan for plan in plans if plan.steps]
    if not todo:
        return {}
    done = runner.run_many(
        todo, parallel=parallel, max_failures=max_failures, on_progress=on_progress
    )
    return {plan.id: outcome for plan, outcome in zip(todo, done, strict=True)}


def result_of(
    kind: type[R], name: str, plan: Plan, outcomes: Mapping[str, Became], **more: Any
) -> R:
    """Return a result; ``outcomes`` by plan, empty in check mode; ``more`` of its fields."""
    result = kind(
        name=name,
        changed=plan.changed,
        plan=view(plan),
        before=plan.before,
        after=plan.after,
        **more,
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
    else:
        result.seconds = outcome.seconds
    return result
