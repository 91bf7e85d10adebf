# SPDX-License-Identifier: Apache-2.0
"""Progress and Outcome: what is told about a plan while it is applied, and afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from hostler.errors import HostlerError

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
        left: steps that stay in effect although the plan failed; without the failed one where its
            effect is not known.
        kept: steps that stay in effect although the plan was undone, and why: they do no harm.
        unsure: the failed step's effect could not be found out.
        seconds: how long it took.
    """

    plan: str
    target: str
    status: Result = "done"
    done: list[str] = field(default_factory=list)
    undone: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    failed: str = ""
    undo_error: str = ""
    unsure: bool = False
    seconds: float = 0.0

    def sentence(self, cause: HostlerError) -> str:
        """Tell in words what failed and what state it left behind."""
        text = f"could not {self.failed}: {cause.reason}" if self.failed else cause.reason
        if self.status == "undone":
            text += f". Undone again: {', '.join(self.undone)}" if self.undone else ""
            return text + (f". Kept: {', '.join(self.kept)}" if self.kept else "")
        if self.unsure:
            text += ". Whether it took effect could not be found out"
        if self.undo_error:
            text += f". Undoing stopped: {self.undo_error}"
        if self.left:
            text += f". Still in effect: {', '.join(self.left)}"
        ends = f"'hostler plan resume {self.plan}' finishes it, 'hostler plan undo {self.plan}'"
        return f"{text}. See 'hostler plan show {self.plan}'; {ends} takes it back"
