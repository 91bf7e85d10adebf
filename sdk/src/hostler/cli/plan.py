# SPDX-License-Identifier: Apache-2.0
"""hostler plan: what was done and what was left half way; resume it or take it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hostler.cli.complete import plan_ids
from hostler.cli.session import Session, session

if TYPE_CHECKING:
    from hostler.plan.journal import StoredPlan
    from hostler.plan.outcome import Outcome

app = typer.Typer(
    no_args_is_help=True, help="Plans in the journal: list, show, resume, undo, forget."
)

Id = Annotated[
    str, typer.Argument(help="The plan's id, or the start of it.", autocompletion=plan_ids)
]
TakeOver = Annotated[
    bool, typer.Option("--take-over", help="It ran on another machine, which runs it no more.")
]


@app.command("list")
def list_(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="How many.")] = 20,
    unfinished: Annotated[
        bool, typer.Option("--unfinished", help="Only those left half way.")
    ] = False,
) -> None:
    """List plans, newest first."""
    from hostler.cli import render

    here = session(ctx)
    with here.fleet() as fleet:
        plans = fleet.journal.list(limit=limit, unfinished=unfinished)
    if here.json:
        here.emit([_data(stored) for stored in plans])
    elif not plans:
        here.say("No plans.", "dim")
    else:
        rows = [
            (
                stored.plan.id,
                render.when(stored.created_at)[5:16],
                render.word(_status(stored)),
                stored.plan.summary,
            )
            for stored in plans
        ]
        here.show(render.table("id", "when", "status", "what", rows=rows, wide="what"))


@app.command()
def show(
    ctx: typer.Context,
    plan_id: Id,
    diff: Annotated[bool, typer.Option("--diff", help="Show the difference too.")] = False,
) -> None:
    """Show a plan and what became of its steps."""
    from hostler.cli import render

    here = session(ctx)
    with here.fleet() as fleet:
        stored = fleet.journal.load(plan_id)
    if here.json:
        here.emit(_data(stored))
        return
    here.show(
        render.facts(
            [
                ("Plan", stored.plan.id),
                ("What", stored.plan.summary),
                ("On", stored.plan.target),
                ("Status", render.word(_status(stored))),
                ("When", render.when(stored.created_at)),
                ("By", f"{stored.user} on {stored.host}, process {stored.pid}"),
                ("Error", stored.error),
                ("Next", _next(stored)),
            ]
        ),
        "",
    )
    steps = zip(stored.plan.steps, stored.statuses, stored.seconds, strict=True)
    rows = [(render.word(status), render.seconds(took), s.command) for s, status, took in steps]
    here.show(render.table("status", "took", "command", rows=rows, wide="command"))
    if diff:
        here.show("", render.diff(stored.plan.before, stored.plan.after, stored.plan.target))


@app.command()
def resume(ctx: typer.Context, plan_id: Id, take_over: TakeOver = False) -> None:
    """Finish a plan that was left half way."""
    from hostler.cli.progress import bars

    here = session(ctx)
    with here.fleet() as fleet:
        full = fleet.journal.load(plan_id).plan.id
        with bars(here) as tell:
            outcome = fleet.runner.resume(full, tell, take_over=take_over)
    _tell(here, outcome, f"Plan {full} is done.")


@app.command()
def undo(
    ctx: typer.Context,
    plan_id: Id,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    take_over: TakeOver = False,
) -> None:
    """Take back all of a plan that is in effect."""
    here = session(ctx)
    with here.fleet() as fleet:
        stored = fleet.journal.load(plan_id)
        if not here.agreed(f"Take back '{stored.plan.summary}'?", yes=yes, must_ask=True):
            raise typer.Abort
        outcome = fleet.runner.undo(stored.plan.id, take_over=take_over)
    _tell(here, outcome, f"Plan {stored.plan.id} is undone.")


@app.command()
def forget(
    ctx: typer.Context,
    plan_id: Id,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> None:
    """Drop a plan from the journal; what it did stays done."""
    here = session(ctx)
    with here.fleet() as fleet:
        stored = fleet.journal.load(plan_id)
        if not here.agreed(f"Forget '{stored.plan.summary}'?", yes=yes, must_ask=True):
            raise typer.Abort
        fleet.journal.forget(stored.plan.id)
    if here.json:
        here.emit({"forgotten": stored.plan.id})
    else:
        here.say(f"Plan {stored.plan.id} is forgotten.")


def _tell(here: Session, outcome: Outcome, sentence: str) -> None:
    if here.json:
        here.emit(vars(outcome))
        return
    for summary in outcome.done:
        here.say(f"  done: {summary}")
    for summary in outcome.undone:
        here.say(f"  undone: {summary}")
    here.say(sentence)


def _status(stored: StoredPlan) -> str:
    """Say what became of a plan; one whose process is gone was interrupted."""
    if stored.status == "running" and not stored.alive:
        return "interrupted"
    if stored.status == "undone" and stored.error:
        return "failed"
    return {"failed": "half done"}.get(stored.status, stored.status)


def _next(stored: StoredPlan) -> str:
    """Say how a plan is ended that was left half way."""
    if _status(stored) not in ("interrupted", "half done"):
        return ""
    id = stored.plan.id
    return f"'hostler plan resume {id}' finishes it, 'hostler plan undo {id}' takes it back."


def _data(stored: StoredPlan) -> dict[str, Any]:
    steps = zip(stored.plan.steps, stored.statuses, stored.seconds, stored.errors, strict=True)
    return {
        "id": stored.plan.id,
        "target": stored.plan.target,
        "summary": stored.plan.summary,
        "status": stored.status,
        "alive": stored.alive,
        "error": stored.error,
        "created_at": stored.created_at.isoformat(),
        "user": stored.user,
        "host": stored.host,
        "before": stored.plan.before,
        "after": stored.plan.after,
        "warnings": stored.plan.warnings,
        "steps": [
            {
                "summary": step.summary,
                "command": step.command,
                "status": status,
                "seconds": took,
                "error": error,
            }
            for step, status, took, error in steps
        ],
    }
