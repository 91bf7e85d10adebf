# SPDX-License-Identifier: Apache-2.0
"""Shows plans before they are applied, and results afterwards; their exit code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from hostler.cli import render
from hostler.cli.session import Session

if TYPE_CHECKING:
    from hostler.models.result import Result
    from hostler.models.vm_task import VmResult

_BAD_INPUT = ("invalid_input", "invalid_config")


def show_plan(
    here: Session, planned: Sequence[VmResult], *, with_diff: bool, final: bool = True
) -> int:
    """Show what would be done; return how many VMs would change.

    ``final`` says that nothing follows: JSON is printed now, and not after the change.

    Raises:
        Exit: some VMs can't be planned; nothing was touched.
    """
    failed = any(result.error for result in planned)
    if here.json and (final or failed):
        _emit(here, planned)
    changed = [result for result in planned if result.changed]
    for result in planned:
        _warn(here, result)
        if result.changed and not here.json:
            here.show(*render.preview(result, with_diff=with_diff))
    if failed:
        if not here.json:
            here.complain("Nothing was touched.")
        raise typer.Exit(exit_code(planned))
    if not changed and not here.json and final:
        here.say("Nothing to do.", "dim")
    return len(changed)


def show_results(here: Session, done: Sequence[VmResult], *, check: bool = False) -> int:
    """Show what became of VMs; return the exit code."""
    if here.json:
        _emit(here, done)
        return exit_code(done)
    if done:
        here.show(render.results(done, check=check))
    else:
        here.say("No VMs.", "dim")
    for result in done:
        _warn(here, result)
    return exit_code(done)


def exit_code(done: Sequence[Result]) -> int:
    """Return 0 when all is done, 2 when all failures are bad input, else 1."""
    codes = [result.error_code for result in done if result.error]
    if not codes:
        return 0
    return 2 if all(code in _BAD_INPUT for code in codes) else 1


def _emit(here: Session, done: Sequence[VmResult]) -> None:
    here.emit(
        {
            "changed": any(result.changed for result in done),
            "failed": sum(result.error is not None for result in done),
            "results": [result.model_dump(mode="json") for result in done],
        }
    )


def _warn(here: Session, result: VmResult) -> None:
    if here.json:
        return
    known = result.vm.warnings if result.vm else ()
    planned = result.plan.warnings if result.plan else ()
    here.warn(f"{result.name}: {warning}" for warning in [*planned, *known])
    if result.error:
        here.complain(f"Error: {result.error}")
