# SPDX-License-Identifier: Apache-2.0
"""A change of one thing in the shell: shown, asked about, carried out with a bar."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from hostler.cli.session import Session

if TYPE_CHECKING:
    from hostler.models.result import Result
    from hostler.plan.runner import OnProgress

Check = Annotated[bool, typer.Option("--check", help="Only show what would be done.")]
Diff = Annotated[bool, typer.Option("--diff", help="Show the difference too.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]


def change(
    here: Session,
    run: Callable[[bool, OnProgress], Result],
    *,
    check: bool,
    diff: bool = False,
    ask: str = "",
) -> None:
    """Change one thing, and exit with its code.

    Args:
        here: the session.
        run: makes the change; takes whether this is check mode, and what progress is told to.
        check: only show what would be done.
        diff: show the difference too.
        ask: a question to ask first.
    """
    from hostler.cli import outcome
    from hostler.cli.progress import bars

    if check or ask:
        planned = run(True, None)
        if check or planned.error or not planned.changed:
            _show(here, planned, check=check, diff=diff)
            raise typer.Exit(outcome.exit_code([planned]))
        if not here.agreed(ask, yes=False, must_ask=True):
            raise typer.Abort
    with bars(here) as tell:
        done = run(False, tell)
    _show(here, done, check=False, diff=diff)
    raise typer.Exit(outcome.exit_code([done]))


def _show(here: Session, result: Result, *, check: bool, diff: bool) -> None:
    from hostler.cli import render

    if here.json:
        here.emit(result.model_dump(mode="json"))
        return
    if not here.quiet:
        here.warn(result.plan.warnings if result.plan else ())
    if result.error:
        here.complain(f"Error: {result.error}")
    elif not result.changed:
        here.say("Nothing to do.", "dim")
    elif result.plan and check:
        here.show(*render.preview(result, with_diff=False))
    elif result.plan:
        here.say(f"Done: {result.plan.summary}", "green")
    if diff and result.changed:
        here.show(render.diff(result.before, result.after, result.name))
