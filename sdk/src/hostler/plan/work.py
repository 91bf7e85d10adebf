# SPDX-License-Identifier: Apache-2.0
"""Work: one plan being carried out, step by step, forward or back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

from hostler.errors import HostlerError, InternalError, PlanError, PlanFailed
from hostler.plan.journal import Journal, StepStatus
from hostler.plan.outcome import Outcome, Progress
from hostler.plan.plan import Plan
from hostler.plan.step import Report, Step, World

OnProgress = Callable[[Progress], None] | None


class Work:
    """One plan being carried out.

    The journal is written before and after each step, so that it is never ahead of the world. When
    the journal itself can't be written, work stops where it is: undoing then would make it lie.

    Args:
        plan: the plan; the caller has begun or claimed it in the journal.
        world: opens the backends.
        journal: where it is written down.
        effect: numbers of the steps that are in effect already, a start of the plan.
    """

    def __init__(
        self, plan: Plan, world: World, journal: Journal, effect: Sequence[int] = ()
    ) -> None:
        self._plan = plan
        self._world = world
        self._journal = journal
        self._effect = list(effect)
        self._outcome = Outcome(plan.id, plan.target)
        self._began = time.monotonic()

    def forward(self, on_progress: OnProgress = None) -> Outcome:
        """Apply the steps that are not in effect yet; undo all on failure.

        Raises:
            PlanFailed: a step or the journal failed.
        """
        outcome, total = self._outcome, len(self._plan.steps)
        for index in range(len(self._effect), total):
            step = self._plan.steps[index]
            progress = Progress(self._plan.id, self._plan.target, index + 1, total, step.summary)
            began = time.monotonic()
            try:
                self._apply(step, _reporter(progress, on_progress))
            except HostlerError as error:
                with self._journal_needed():
                    self._failed(index, error, time.monotonic() - began)
                raise self._stopped(error) from error
            self._effect.append(index)
            outcome.done.append(step.summary)
            with self._journal_needed():
                self._journal.advance(self._plan.id, index, total, time.monotonic() - began)
        outcome.seconds = time.monotonic() - self._began
        return outcome

    def undo(self) -> Outcome:
        """Take back all steps that are in effect.

        Raises:
            PlanFailed: a step could not be taken back, or the journal failed.
        """
        with self._journal_needed():
            self._backward("")
        if self._outcome.undo_error:
            raise self._stopped(PlanError("the plan could not be undone"))
        self._outcome.seconds = time.monotonic() - self._began
        return self._outcome

    def _apply(self, step: Step, report: Report) -> None:
        """Apply a step; a write whose answer was lost is looked up, never repeated blindly."""
        report(0.0)
        try:
            with _defects():
                step.apply(self._world, report)
        except InternalError:
            raise
        except HostlerError as error:
            if not error.ambiguous or step.starts_over or not self._took_effect(step):
                raise
        report(1.0)

    def _took_effect(self, step: Step) -> bool:
        """Whether the world says that a step took effect; no where it can't be asked."""
        try:
            return ask(step, self._world)
        except HostlerError:
            return False

    def _failed(self, index: int, error: HostlerError, seconds: float) -> None:
        self._outcome.failed = self._plan.steps[index].summary
        self._outcome.unsure = error.ambiguous
        status: StepStatus = "unsure" if error.ambiguous else "failed"
        self._journal.step(self._plan.id, index, status, error=str(error), seconds=seconds)
        if error.ambiguous:
            self._effect.append(index)
        self._backward(f"could not {self._outcome.failed}: {error}")

    def _backward(self, reason: str) -> None:
        """Undo what is in effect, last step first, as far as that goes; the rest is ``left``."""
        outcome = self._outcome
        while self._effect:
            try:
                self._take_back(self._effect[-1])
            except HostlerError as error:
                outcome.undo_error = error.reason
                outcome.left = self._in_effect()
                outcome.status = "failed"
                text = f"{reason} Undoing stopped: {error}".strip()
                self._journal.finish(self._plan.id, "failed", error=text)
                return
            self._effect.pop()
        outcome.status = "undone"
        self._journal.finish(self._plan.id, "undone", error=reason)

    def _take_back(self, index: int) -> None:
        step = self._plan.steps[index]
        if self._outcome.unsure:
            took_effect = ask(step, self._world)
            self._outcome.unsure = False
            if not took_effect:
                self._journal.step(self._plan.id, index, "failed")
                return
        if step.irreversible:
            raise PlanError(cannot_undo(step))
        if step.kept:
            self._outcome.kept.append(f"{step.summary} ({step.kept})")
            return
        if step.only_looks:
            return
        self._journal.step(self._plan.id, index, "undoing")
        try:
            with _defects():
                step.undo(self._world)
        except HostlerError as error:
            if not error.ambiguous or ask(step, self._world):
                raise
        self._outcome.undone.append(step.summary)
        self._journal.step(self._plan.id, index, "undone")

    def _in_effect(self) -> list[str]:
        """Name the steps that are in effect; one of which that is not known is told apart."""
        known = self._effect[:-1] if self._outcome.unsure else self._effect
        return [self._plan.steps[index].summary for index in known]

    def _stopped(self, cause: HostlerError) -> PlanFailed:
        self._outcome.seconds = time.monotonic() - self._began
        return PlanFailed(self._outcome, cause)

    @contextmanager
    def _journal_needed(self) -> Iterator[None]:
        """Stop the work where it is when the journal can't be written."""
        try:
            yield
        except HostlerError as error:
            self._outcome.status = "failed"
            self._outcome.failed = self._outcome.failed or "write the journal"
            self._outcome.left = self._in_effect()
            with suppress(HostlerError):
                self._journal.finish(self._plan.id, "failed", error=str(error))
            raise self._stopped(error) from error


def ask(step: Step, world: World) -> bool:
    """Ask the world whether a step is in effect.

    Raises:
        HostlerError: it could not be found out.
    """
    if step.only_looks:
        return False
    with _defects():
        return step.is_done(world)


def cannot_undo(step: Step) -> str:
    """Say why a step can't be undone."""
    return f"'{step.summary}' can't be undone: {step.irreversible}"


@contextmanager
def _defects() -> Iterator[None]:
    """Turn an exception that nobody expected into an error that is undone and reported."""
    try:
        yield
    except HostlerError:
        raise
    except Exception as error:
        raise InternalError(f"internal error, {type(error).__name__}: {error}") from error


def _reporter(progress: Progress, on_progress: OnProgress) -> Report:
    def report(fraction: float) -> None:
        if on_progress:
            with suppress(Exception):  # a broken display must not undo a change
                on_progress(replace(progress, fraction=fraction))

    return report
