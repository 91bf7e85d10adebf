# SPDX-License-Identifier: Apache-2.0
"""The runner: applies plans, one or many side by side; resumes and undoes those in the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

from hostler.errors import HostlerError, PlanError, PlanFailed
from hostler.plan.journal import Journal, PlanStatus, StoredPlan
from hostler.plan.outcome import Outcome, Progress
from hostler.plan.plan import Plan
from hostler.plan.step import Step, World
from hostler.plan.work import OnProgress, Work, ask, cannot_undo

__all__ = ["OnProgress", "Outcome", "Progress", "Runner"]


_OPEN = ("started", "unsure", "undoing")
"""Statuses of a step whose effect is not known."""


class Runner:
    """Applies plans against a world and writes down what it does."""

    def __init__(self, world: World, journal: Callable[[], Journal]) -> None:
        self._world = world
        self._journal = journal

    def run(self, plan: Plan, on_progress: OnProgress = None) -> Outcome:
        """Apply a plan; a plan without steps touches nothing, not even the journal.

        Raises:
            PlanFailed: a step failed; what could be undone is undone.
            PlanError: this plan was applied before.
        """
        if not plan.steps:
            return Outcome(plan.id, plan.target)
        self._journal().begin(plan)
        with self._released(plan.id, "failed"):
            return Work(plan, self._world, self._journal()).forward(on_progress)

    def run_many(
        self,
        plans: Iterable[Plan],
        *,
        parallel: int = 8,
        max_failures: int | None = None,
        on_progress: OnProgress = None,
    ) -> list[Outcome | HostlerError | None]:
        """Apply plans side by side; a result for each, None for those not started any more.

        Ctrl-C starts no further plan and waits for those at work.
        """
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

    def resume(
        self, plan_id: str, on_progress: OnProgress = None, *, take_over: bool = False
    ) -> Outcome:
        """Finish a plan that was left half way; asks the world what is done already.

        ``take_over`` says that the other machine which the plan ran on runs it no more.

        Raises:
            PlanError: nothing to resume, still running, or a secret it needs was never stored.
            PlanFailed: a step failed again.
        """
        with self._claimed(plan_id, {"running", "failed"}, "resume", take_over) as stored:
            plan, effect = stored.plan, self._in_effect(stored, whole=True)
            for step in plan.steps[len(effect) :]:
                _need_secrets(plan.id, step)
            self._clear(stored, len(effect))
            self._journal().restart(plan.id, len(effect), len(plan.steps))
            return Work(plan, self._world, self._journal(), effect).forward(on_progress)

    def undo(self, plan_id: str, *, take_over: bool = False) -> Outcome:
        """Take back all steps of a plan that are in effect; ``take_over`` as in ``resume``.

        Raises:
            PlanError: nothing to undo, still running, or a step can't be undone (nothing is
                touched then).
            PlanFailed: a step could not be taken back.
        """
        with self._claimed(plan_id, {"running", "failed", "done"}, "undo", take_over) as stored:
            plan, effect = stored.plan, self._in_effect(stored, whole=False)
            for step in (plan.steps[i] for i in effect):
                if step.irreversible:
                    raise PlanError(cannot_undo(step), on=f"plan {plan.id}")
            return Work(plan, self._world, self._journal(), effect).undo()

    @contextmanager
    def _claimed(
        self, plan_id: str, statuses: set[PlanStatus], verb: str, take_over: bool
    ) -> Iterator[StoredPlan]:
        stored = self._journal().claim(plan_id, statuses, verb, take_over=take_over)
        before: PlanStatus = "done" if stored.status == "done" else "failed"
        with self._released(stored.plan.id, before):
            yield stored

    @contextmanager
    def _released(self, plan_id: str, status: PlanStatus) -> Iterator[None]:
        """Let go of a plan that something unforeseen (Ctrl-C too) stopped; it can be resumed."""
        try:
            yield
        except PlanFailed:
            raise
        except BaseException as error:
            with suppress(HostlerError):
                text = str(error) if isinstance(error, HostlerError) else type(error).__name__
                self._journal().finish(plan_id, status, error=text)
            raise

    def _in_effect(self, stored: StoredPlan, *, whole: bool) -> list[int]:
        """Return the steps in effect: known, or asked of the world where that is not known.

        ``whole`` leaves out a step that may be half done.
        """
        effect: list[int] = []
        for index, status in enumerate(stored.statuses):
            step = stored.plan.steps[index]
            if status in _OPEN:
                step.mend(self._world)
            asks = status in _OPEN and not (whole and step.starts_over)
            if status != "done" and not (asks and ask(step, self._world)):
                break
            effect.append(index)
        return effect

    def _clear(self, stored: StoredPlan, number: int) -> None:
        """Take back what there is of a step that starts over."""
        if number == len(stored.plan.steps):
            return
        step = stored.plan.steps[number]
        if step.starts_over and stored.statuses[number] in _OPEN and ask(step, self._world):
            step.undo(self._world)


def _need_secrets(plan_id: str, step: Step) -> None:
    lost = step.lost_secrets()
    if lost:
        raise PlanError(
            f"step '{step.summary}' needs {', '.join(lost)}, and secrets are never stored",
            on=f"plan {plan_id}",
            hint="Run the playbook or command again: it plans from what is there now.",
        )
