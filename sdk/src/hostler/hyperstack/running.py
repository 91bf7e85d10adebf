# SPDX-License-Identifier: Apache-2.0
"""What the services have in common: tasks are checked, planned each for itself, and applied."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from hostler.errors import HostlerError
from hostler.models.hyperstack import Seen
from hostler.models.hyperstack_task import HyperstackResult, Task
from hostler.models.problems import checked
from hostler.plan.plan import Plan
from hostler.plan.results import Became, apply_all, failed, result_of
from hostler.plan.runner import OnProgress

if TYPE_CHECKING:
    from hostler.fleet import Fleet

T = TypeVar("T", bound=Task)
Planned = Sequence[tuple[str, Plan | HostlerError]]


def parse(model: type[T], asked: T | Mapping[str, Any], kind: str) -> T:
    """Check a task; keys that are None count as left out.

    Raises:
        InvalidInput: it makes no sense.
    """
    if isinstance(asked, model):
        return asked
    fields = {k: v for k, v in dict(asked).items() if v is not None}
    name = str(fields.get("name") or fields.get("firewall") or "")[:60]
    return checked(model, fields, on=f"{kind} {name!r}" if name else kind)


def tried(plan: Callable[[], Plan]) -> Plan | HostlerError:
    """Return a plan, or the error that keeps from it."""
    try:
        return plan()
    except HostlerError as error:
        return error


def bound(fleet: Fleet, planned: Iterable[Plan | HostlerError]) -> list[Plan]:
    """Return plans tied to the fleet.

    Raises:
        HostlerError: the first error among them.
    """
    plans = []
    for plan in planned:
        if isinstance(plan, HostlerError):
            raise plan
        plans.append(plan.bind(fleet.runner))
    return plans


def carry_out(
    fleet: Fleet,
    planned: Planned,
    *,
    check: bool,
    parallel: int | None = None,
    max_failures: int | None = None,
    on_progress: OnProgress = None,
) -> list[HyperstackResult]:
    """Apply plans side by side, or in check mode none; a result for each, errors inside."""
    outcomes: dict[str, Became] = {}
    if not check:
        outcomes = apply_all(
            fleet.runner,
            [plan for _, plan in planned if isinstance(plan, Plan)],
            parallel=parallel or fleet.config.parallel,
            max_failures=max_failures,
            on_progress=on_progress,
        )
    return [
        result_of(HyperstackResult, name, plan, outcomes)
        if isinstance(plan, Plan)
        else failed(HyperstackResult, name, plan)
        for name, plan in planned
    ]


def read_back(result: HyperstackResult, look: Callable[[], Seen | None]) -> HyperstackResult:
    """Read a thing as it is now into its result; where that fails, what was done stays told."""
    if result.error is None:
        try:
            result.seen = look()
        except HostlerError as error:
            result.error, result.error_code = str(error), error.code
    return result
