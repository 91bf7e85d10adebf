# SPDX-License-Identifier: Apache-2.0
"""hostler gpu pools: gives the pools of a GPU type the numbers of hosts that they should have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hostler.cli.power import Check, Yes
from hostler.cli.session import Session, session

if TYPE_CHECKING:
    from rich.table import Table

    from hostler.models.gpu_pool import GpuPoolResult


def pools(
    ctx: typer.Context,
    gpu_type: Annotated[str, typer.Argument(help="GPU type, such as L40.")],
    numbers: Annotated[
        list[str],
        typer.Option(
            "--set", help="POOL=HOSTS: ondemand, spot, runpod or a contract; a number, or rest."
        ),
    ],
    variant: Annotated[str | None, typer.Option(help="Only this, such as NVLink.")] = None,
    drain: Annotated[
        bool, typer.Option("--drain", help="Migrate servers away first, live, where it must be.")
    ] = False,
    max_moves: Annotated[
        int | None, typer.Option(min=0, help="Refuse where it takes more.")
    ] = None,
    parallel: Annotated[int | None, typer.Option(min=1, help="How many at once.")] = None,
    override_protection: Annotated[
        bool, typer.Option("--override-protection", help="Hosts that the fleet protects, too.")
    ] = False,
    yes: Yes = False,
    check: Check = False,
) -> None:
    """Move hosts until each pool has its number: as few as can be, empty ones first."""
    task = {
        "gpu_type": gpu_type,
        "pools": dict(_number(text) for text in numbers),
        "variant": variant,
        "drain": drain,
        "max_moves": max_moves,
        "override_protection": override_protection,
    }
    raise typer.Exit(_run(session(ctx), task, parallel, yes=yes, check=check))


def _run(
    here: Session, task: dict[str, Any], parallel: int | None, *, yes: bool, check: bool
) -> int:
    """Show the moves, ask, make them; return the exit code."""
    from hostler.cli.progress import bars

    with here.fleet() as fleet:
        world = fleet.gpu.observe(flavors=True)  # read once: what was shown is what is done
        planned = fleet.gpu.pools.run(task, check=True, world=world)
        if check or not planned.changed:
            _show(here, planned, check=True)
            return 0
        if not yes and not here.json:
            _show(here, planned, check=True)
        if not here.agreed(f"Make these moves ({len(planned.moves)})?", yes=yes, must_ask=True):
            raise typer.Abort
        with bars(here) as tell:
            done = fleet.gpu.pools.run(task, parallel=parallel, on_progress=tell, world=world)
    _show(here, done, check=False)
    return 1 if done.error else 0


def _number(text: str) -> tuple[str, str]:
    from hostler.errors import InvalidInput

    pool, found, number = text.partition("=")
    if not (pool and found):
        hint = "Give POOL=HOSTS, such as spot=6 or runpod=rest."
        raise InvalidInput(f"{text!r} is not the number of a pool", on="--set", hint=hint)
    return pool, number


def _show(here: Session, result: GpuPoolResult, *, check: bool) -> None:
    """Show the numbers, and each move: the commands before, what became of it afterwards."""
    from hostler.cli import render

    if here.json:
        here.emit(result.model_dump(mode="json"))
        return
    here.show(_numbers(result, check=check))
    if not result.moves:
        here.say("Nothing to do.", "dim")
    elif check:
        for move in result.moves:
            here.show(*render.preview(move, with_diff=False))
    else:
        here.show("", _moves(result))
    here.warn(result.warnings)
    for move in result.moves:
        here.warn(f"{move.name}: {text}" for text in (move.plan.warnings if move.plan else ()))
    if result.error:
        here.complain(f"Error: {result.error}")


def _numbers(result: GpuPoolResult, *, check: bool) -> Table:
    from hostler.cli.render import table

    rows = [(pool, str(before), str(result.after[pool])) for pool, before in result.before.items()]
    columns = ("pool", "now", "then") if check else ("pool", "before", "now")
    return table(*columns, rows=rows)


def _moves(result: GpuPoolResult) -> Table:
    from hostler.cli.render import became, table, word

    rows = [
        (
            move.name,
            word(became(move, check=False)),
            move.source_aggregate or "",
            move.target_aggregate or "",
        )
        for move in result.moves
    ]
    return table("host", "result", "from", "to", rows=rows)
