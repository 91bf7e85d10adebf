# SPDX-License-Identifier: Apache-2.0
"""Result: what became of one thing of a request, whatever kind it is."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class PlanView(BaseModel):
    """A plan for results: what would be, or was, done."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    summary: str
    commands: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class Result(BaseModel):
    """What became of one thing of a request.

    Attributes:
        name: the thing's name.
        changed: something was (in check mode: would be) changed.
        error: the sentence of what went wrong; None when all is well.
        error_code: one of the codes in ``hostler.errors``.
        plan: what would be, or was, done; None where it could not even be planned.
        before, after: the thing as it was and as it is (will be); what a diff shows.
        seconds: how long the change took; None where none was made.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    changed: bool = False
    error: str | None = None
    error_code: str | None = None
    plan: PlanView | None = None
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    seconds: float | None = None
