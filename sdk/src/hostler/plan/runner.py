# SPDX-License-Identifier: Apache-2.0
"""The runner: applies a plan's steps in order, journals each, undoes on failure, resumes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal

from hostler.errors import BackendError, HostlerError, PlanError, PlanFailed
from hostler.plan.journal import Journal, StepStatus, StoredPlan
from hostler.plan.plan import Plan
from hostler.plan.step import Step, World

Result = Literal["done", "undone", "failed"]


@dataclass(frozen=True)
class Progress:
    """Where a plan is: step ``number`` of ``total`` (from 1), and the part of it that is done."""

    plan: str
    target: str
    number: int
    total: int
    summary: str
    fraction: float = 0.0


@dataclass
class Outcome:
    """What became of a plan.

    Attributes:
        status: ``done``; ``undone`` (all that was done is taken back); ``failed`` (something is
            left half way: ``left`` says what).
        failed: the sentence of the step that failed.
        undo_error: why the undo stopped, where it did.
        left: steps that stay in effect although the plan failed.
        unsure: the failed step's effect could not be found out.
        seconds: how long it took.
    """

    plan: str
    target: str
    status: Result = "done"
    done: list[str] = field(default_factory=list)
    undone: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    failed: str = ""
    undo_error: str = ""
    unsure: bool = False
    seconds: float = 0.0

    def sentence(self, cause: HostlerError) -> str:
        """Tell in words what failed and what state it left behind."""
        text = f"could not {self.failed}: {str(cause).rstrip('.')}" if self.failed else str(cause)
        if self.unsure:
            text += ". Whether it took effect could not be found out"
        if self.status == "undone":
            return text + (f". Undone again: {', '.join(self.undone)}" if self.undone else "")
        if self.undo_error:
            text += f". Undoing stopped: {self.undo_error.rstrip('.')}"
        if self.left:
            text += f". Still in effect: {', '.join(self.left)}"
        return f"{text}. See 'hostler plan show {self.plan}'; finish it with 'plan resume' or 'plan undo'"


OnProgress = Callable[[Progress], None] | None


class Runner:
    """Applies plans against a world and writes down what it does."""

    def __init__(self, world: World, journal: Callable[[], Journal]) -> None:
        self._world = world
        self._journal = journal

    def run(self, plan: Plan, on_progress: OnProgress = None) -> Outcome:
        """Apply a plan; a plan without steps touches nothing, not even the journal.

        Raises:
            PlanFailed: a step failed; what could be undone is undone.
        """
        if not plan.steps:
            return Outcome(plan.id, plan.target)
        self._journal().begin(plan)
        return self._forward(plan, 0, [], on_progress)

    def run_many(
        self,
        plans: Iterable[Plan],
        *,
        parallel: int = 8,
        max_failures: int | None = None,
        on_progress: OnProgress = None,
    ) -> list[Outcome | HostlerError | None]:
        """Apply plans side by side; a result for each, None for those not started any more."""
        failures: list[HostlerError] = []

        def one(plan: Plan) -> Outcome | HostlerError | None:
            if max_failures is not None and len(failures) > max_failures:
                return None
            try:
                return self.run(plan, on_progress)
            except HostlerError as error:
                failures.append(error)
                return error

        with ThreadPoolExecutor(max(1, parallel)) as pool:
            return list(pool.map(one, plans))

    def resume(self, plan_id: str, on_progress: OnProgress = None) -> Outcome:
        """Finish a plan that was left half way; asks the world what is done already.

        Raises:
            PlanError: nothing to resume, still running, or a secret it needs was never stored.
            PlanFailed: a step failed again.
        """
        stored = self._journal().claim(plan_id, {"running", "failed"}, "resume")
        done = [i for i, s in enumerate(stored.statuses) if self._in_effect(stored, i, s)]
        start = next((i for i in range(len(stored.plan.steps)) if i not in done), None)
        if start is None:
            self._journal().finish(plan_id, "done")
            return Outcome(plan_id, stored.plan.target)
        for step in stored.plan.steps[start:]:
            _need_secrets(plan_id, step)
        return self._forward(stored.plan, start, list(range(start)), on_progress)

    def undo(self, plan_id: str) -> Outcome:
        """Take back all steps of a plan that are in effect.

        Raises:
            PlanError: nothing to undo, still running, or a step can't be undone (nothing is
                touched then).
            PlanFailed: a step could not be taken back.
        """
        stored = self._journal().claim(plan_id, {"running", "failed", "done"}, "undo")
        steps = stored.plan.steps
        done = [i for i, s in enumerate(stored.statuses) if self._in_effect(stored, i, s)]
        for i in done:
            if steps[i].irreversible:
                self._journal().finish(plan_id, stored.status)
                raise PlanError(
                    f"step {i + 1}, {steps[i].summary}, can't be undone: {steps[i].irreversible}",
                    on=f"plan {plan_id}",
                )
            _need_secrets(plan_id, steps[i])
        outcome = Outcome(plan_id, stored.plan.target)
        self._backward(stored.plan, done, outcome)
        if outcome.undo_error:
            raise PlanFailed(outcome, PlanError("the plan could not be undone"))
        return outcome

    def _in_effect(self, stored: StoredPlan, index: int, status: StepStatus) -> bool:
        """Whether a stored step is in effect: known, or asked of the world where it is not."""
        if status == "done":
            return True
        asks = status in ("started", "unsure")
        return asks and stored.plan.steps[index].is_done(self._world)

    def _forward(self, plan: Plan, start: int, done: list[int], on_progress: OnProgress) -> Outcome:
        began = time.monotonic()
        outcome = Outcome(plan.id, plan.target)
        journal, total = self._journal(), len(plan.steps)
        if start:
            journal.step(plan.id, start, "started")
        for index in range(start, total):
            step = plan.steps[index]
            progress = Progress(plan.id, plan.target, index + 1, total, step.summary)
            began_step = time.monotonic()
            try:
                self._apply(step, progress, on_progress)
            except HostlerError as error:
                outcome.failed = step.summary
                took = time.monotonic() - began_step
                outcome.unsure = isinstance(error, BackendError) and error.ambiguous
                status: StepStatus = "unsure" if outcome.unsure else "failed"
                journal.step(plan.id, index, status, error=str(error), seconds=took)
                if outcome.unsure:
                    done.append(index)
                self._backward(plan, done, outcome)
                outcome.seconds = time.monotonic() - began
                raise PlanFailed(outcome, error) from error
            done.append(index)
            outcome.done.append(step.summary)
            journal.advance(plan.id, index, total, time.monotonic() - began_step)
        outcome.seconds = time.monotonic() - began
        return outcome

    def _apply(self, step: Step, progress: Progress, on_progress: OnProgress) -> None:
        """Apply a step; a write whose answer was lost is looked up, never repeated blindly."""

        def report(fraction: float) -> None:
            if on_progress:
                on_progress(Progress(**{**progress.__dict__, "fraction": fraction}))

        report(0.0)
        try:
            step.apply(self._world, report)
        except BackendError as error:
            if not error.ambiguous or not _asked(step, self._world):
                raise
        except HostlerError:
            raise
        except Exception as error:  # a defect of ours must still be undone and reported
            raise HostlerError(f"internal error, {type(error).__name__}: {error}") from error
        report(1.0)

    def _backward(self, plan: Plan, done: list[int], outcome: Outcome) -> None:
        """Undo done steps in reverse, as far as that goes; what stays is in ``outcome.left``."""
        journal = self._journal()
        for position in range(len(done) - 1, -1, -1):
            index = done[position]
            step = plan.steps[index]
            try:
                if step.irreversible:
                    raise PlanError(f"{step.summary} can't be undone: {step.irreversible}")
                if outcome.unsure and position == len(done) - 1 and not step.is_done(self._world):
                    outcome.unsure = False
                    continue
                step.undo(self._world)
            except HostlerError as error:
                outcome.undo_error = str(error)
                outcome.left = [plan.steps[i].summary for i in done[: position + 1]]
                outcome.status = "failed"
                journal.finish(plan.id, "failed", error=str(error))
                return
            outcome.unsure = False
            outcome.undone.append(step.summary)
            journal.step(plan.id, index, "undone")
        outcome.status = "undone"
        journal.finish(plan.id, "undone")


def _asked(step: Step, world: World) -> bool:
    """Whether the world says that a step took effect; no where it can't be asked."""
    try:
        return step.is_done(world)
    except HostlerError:
        return False


def _need_secrets(plan_id: str, step: Step) -> None:
    lost = step.lost_secrets()
    if lost:
        raise PlanError(
            f"step '{step.summary}' needs {', '.join(lost)}, and secrets are never stored",
            on=f"plan {plan_id}",
            hint="Run the playbook or command again: it plans from what is there now.",
        )
