# SPDX-License-Identifier: Apache-2.0
"""Plan: what would change, in order."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SerializeAsAny

from hostler.errors import PlanError
from hostler.plan.step import Step

if TYPE_CHECKING:
    from hostler.plan.runner import Outcome, Progress, Runner


def new_id() -> str:
    """Return an id that sorts by time: seconds in hex and four random bytes."""
    return f"{int(time.time()):08x}-{secrets.token_hex(4)}"


class Plan(BaseModel):
    """A change of one resource: nothing in here has happened yet.

    Attributes:
        target: what it changes, for example ``vm/web``.
        summary: one sentence.
        before: the resource as it is (empty where it is not there).
        after: the resource as it will be (empty where it is removed).
        warnings: what a person should know before it is applied.
        facts: what the planner found out on the way, for results (``restart_required`` ...).
        steps: the changes, in order; none where nothing has to be done.
    """

    model_config = ConfigDict(extra="forbid")

    id: str = Field(default_factory=new_id)
    target: str
    summary: str
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    warnings: list[str] = []
    facts: dict[str, Any] = {}
    steps: list[SerializeAsAny[Step]] = []

    _runner: Runner | None = PrivateAttr(None)

    @property
    def changed(self) -> bool:
        """Whether applying it would change anything."""
        return bool(self.steps)

    @property
    def commands(self) -> list[str]:
        """The shell commands that an operator would have typed, secrets masked."""
        return [step.command for step in self.steps]

    def bind(self, runner: Runner) -> Plan:
        """Tie the plan to the fleet that made it, so that ``apply`` works."""
        self._runner = runner
        return self

    def apply(self, on_progress: Callable[[Progress], None] | None = None) -> Outcome:
        """Make the change: steps in order, journalled, undone on failure.

        Raises:
            PlanFailed: it stopped half way; says what was undone and what was left.
        """
        if self._runner is None:
            raise PlanError("this plan is not tied to a fleet", hint="Make it with Fleet().")
        return self._runner.run(self, on_progress)

    def undo(self) -> Outcome:
        """Take back a plan that was applied.

        Raises:
            PlanFailed: a step could not be taken back.
            PlanError: it was never applied, or is being applied now.
        """
        if self._runner is None:
            raise PlanError("this plan is not tied to a fleet", hint="Make it with Fleet().")
        return self._runner.undo(self.id)
