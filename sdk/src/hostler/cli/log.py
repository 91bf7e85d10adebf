# SPDX-License-Identifier: Apache-2.0
"""hostler log: the command log."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from hostler.cli.session import session


def log(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="How many.")] = 50,
    since: Annotated[datetime | None, typer.Option(help="Only since then.")] = None,
    status: Annotated[
        str | None, typer.Option(help="Only these: done, failed, undone, unsure, started.")
    ] = None,
    target: Annotated[str | None, typer.Option(help="Only on this, such as vm/web.")] = None,
    plan: Annotated[str | None, typer.Option(help="Only of this plan.")] = None,
    clear: Annotated[
        bool, typer.Option("--clear", help="Forget finished plans and their commands.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> None:
    """Show the commands that were carried out, newest last."""
    here = session(ctx)
    with here.fleet() as fleet:
        if clear:
            if not here.agreed("Forget all finished plans?", yes=yes, must_ask=True):
                raise typer.Abort
            _cleared(ctx, fleet.journal.clear())
            return
        filters: dict[str, Any] = {"status": status, "target": target, "plan_id": plan}
        local = since.astimezone() if since else None
        entries = fleet.journal.log(limit=limit, since=local, **filters)[::-1]
    if here.json:
        here.emit([asdict(entry) for entry in entries])
        return
    _show(ctx, entries)


def _show(ctx: typer.Context, entries: list[Any]) -> None:
    from hostler.cli import render

    here = session(ctx)
    if not entries:
        here.say("No commands.", "dim")
        return
    rows = [
        (
            render.when(entry.timestamp)[5:],
            render.word(entry.status),
            render.seconds(entry.execution_time),
            entry.command,
        )
        for entry in entries
    ]
    here.show(render.table("when", "status", "took", "command", rows=rows, wide="command"))


def _cleared(ctx: typer.Context, commands: int) -> None:
    here = session(ctx)
    if here.json:
        here.emit({"cleared": commands})
    else:
        here.say(f"Forgot {commands} commands. Plans left half way stay.")
