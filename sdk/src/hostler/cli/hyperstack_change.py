# SPDX-License-Identifier: Apache-2.0
"""Changes on Hyperstack in the shell: shown, asked about, carried out with a bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from hostler.cli.session import Session

if TYPE_CHECKING:
    from hostler.models.hyperstack_task import HyperstackResult
    from hostler.plan.runner import OnProgress

    Run = Callable[[bool, OnProgress], Sequence[HyperstackResult]]

Check = Annotated[bool, typer.Option("--check", help="Only show what would be done.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
Override = Annotated[
    bool, typer.Option("--override-protection", help="VMs that the fleet protects, too.")
]
Env = Annotated[str, typer.Option("--environment", "-e", help="The environment's name.")]

_BAD_INPUT = ("invalid_input", "invalid_config")


def change(here: Session, run: Run, question: str, *, check: bool, yes: bool) -> None:
    """Show what would be done, ask where ``question`` is one, do it, exit with its code."""
    from hostler.cli.progress import bars

    planned = run(True, None)
    bad = [result for result in planned if result.error]
    todo = [result for result in planned if result.changed]
    if check or bad or not todo:
        _preview(here, planned)
        raise typer.Exit(_code(planned))
    if question and not here.json:
        _preview(here, planned)
    if not here.agreed(question, yes=yes or not question, must_ask=True):
        raise typer.Abort
    with bars(here) as tell:
        done = run(False, tell)
    _results(here, done)
    raise typer.Exit(_code(done))


def _preview(here: Session, planned: Sequence[HyperstackResult]) -> None:
    from hostler.cli import render

    if here.json:
        _emit(here, planned)
        return
    for result in planned:
        if result.changed:
            here.show(*render.preview(result, with_diff=False))
    _complain(here, planned)
    if not any(result.changed or result.error for result in planned):
        here.say("Nothing to do.", "dim")


def _results(here: Session, done: Sequence[HyperstackResult]) -> None:
    from hostler.cli.render import became, table, word

    if here.json:
        _emit(here, done)
        return
    rows = []
    for result in done:
        view = result.view or {}
        address = str(view.get("floating_ip") or view.get("fixed_ip") or "")
        row = (
            result.name,
            word(became(result, check=False)),
            word(str(view.get("status") or "")),
            address,
        )
        rows.append(row)
    here.show(table("name", "result", "status", "address", rows=rows))
    _complain(here, done)


def _complain(here: Session, done: Sequence[HyperstackResult]) -> None:
    for result in done:
        for warning in result.plan.warnings if result.plan else ():
            here.complain(f"Warning: {result.name}: {warning}", "yellow")
        if result.error:
            here.complain(f"Error: {result.error}")


def _emit(here: Session, done: Sequence[HyperstackResult]) -> None:
    here.emit(
        {
            "changed": any(result.changed for result in done),
            "failed": sum(result.error is not None for result in done),
            "results": [
                {**result.model_dump(mode="json", exclude={"seen"}), "seen": result.view}
                for result in done
            ],
        }
    )


def _code(done: Sequence[HyperstackResult]) -> int:
    """Return 0 when all is well, 2 when all failures are bad input, else 1."""
    codes = [result.error_code for result in done if result.error]
    if not codes:
        return 0
    return 2 if all(code in _BAD_INPUT for code in codes) else 1
