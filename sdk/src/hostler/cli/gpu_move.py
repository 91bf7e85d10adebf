# SPDX-License-Identifier: Apache-2.0
"""hostler gpu move, hostler gpu unlock: GPU hosts between aggregates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from hostler.cli.power import Check, Yes
from hostler.cli.session import Session, session

if TYPE_CHECKING:
    from rich.table import Table

    from hostler.gpu.migrations import Migrations
    from hostler.gpu.world import GpuWorld
    from hostler.models.migration import MigrationResult

    Tasks = Sequence[dict[str, object]]

Hosts = Annotated[list[str], typer.Argument(help="GPU hosts, as Nova spells them.")]
Pool = Annotated[
    str | None, typer.Option(help="In place of it: ondemand, spot, runpod or contract.")
]
Source = Annotated[
    str | None, typer.Option("--from", help="The aggregate that they leave; found if left out.")
]
Drain = Annotated[bool, typer.Option("--drain", help="Migrate their servers away first, live.")]
Force = Annotated[bool, typer.Option("--force", help="Move them although servers run on them.")]


def move(
    ctx: typer.Context,
    hosts: Hosts,
    to: Annotated[str | None, typer.Option(help="The aggregate, or auto.")] = None,
    pool: Pool = None,
    variant: Annotated[str | None, typer.Option(help="With a pool or auto: NVLink.")] = None,
    source: Source = None,
    drain: Drain = False,
    force: Force = False,
    wait: Annotated[int, typer.Option(min=0, help="Seconds to wait for somebody's lock.")] = 0,
    parallel: Annotated[int | None, typer.Option(min=1, help="How many at once.")] = None,
    override_protection: Annotated[
        bool, typer.Option("--override-protection", help="Hosts that the fleet protects, too.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show the difference too.")] = False,
    yes: Yes = False,
    check: Check = False,
) -> None:
    """Move hosts to another aggregate; each ends in the source or in the target."""
    common: dict[str, object] = {
        "target": to,
        "pool": pool,
        "variant": variant,
        "source": source,
        "drain": drain,
        "force": force,
        "wait": wait,
        "override_protection": override_protection,
    }
    tasks = [{**common, "host": host} for host in hosts]
    here = session(ctx)
    with here.fleet() as fleet:
        world = fleet.gpu.observe(flavors=True)  # once: what is shown is what is done
        todo = _planned(here, fleet.gpu.migrations, tasks, world, with_diff=diff, check=check)
        if not here.agreed(f"Move {todo}?", yes=yes, must_ask=True):
            raise typer.Abort
        raise typer.Exit(_run(here, fleet.gpu.migrations, tasks, world, parallel))


def unlock(
    ctx: typer.Context,
    host: Annotated[str, typer.Argument(help="The GPU host.")],
    yes: Yes = False,
) -> None:
    """Break the lock that a move holds on a host, once whoever made it is gone."""
    here = session(ctx)
    with here.fleet() as fleet:
        held = fleet.gpu.migrations.locks(host)
        if not held:
            here.say(f"Nobody holds a lock on {host}.", "dim")
            raise typer.Exit
        for lock in held:
            here.say(f"{host} is being moved by {lock}.")
        if not here.agreed("Break the lock?", yes=yes, must_ask=True):
            raise typer.Abort
        fleet.gpu.migrations.unlock(host)
    here.say(f"The lock on {host} is broken.")


def _planned(
    here: Session,
    migrations: Migrations,
    tasks: Tasks,
    world: GpuWorld,
    *,
    with_diff: bool,
    check: bool,
) -> int:
    """Show what a move would do; return how many hosts move, or end where nothing is to be done."""
    planned = migrations.run(tasks, check=True, world=world)
    todo = [result for result in planned if result.changed]
    failed = any(result.error for result in planned)
    final = check or failed or not todo
    _preview(here, planned, with_diff=with_diff, final=final)
    if final:
        raise typer.Exit(int(failed))
    return len(todo)


def _run(
    here: Session, migrations: Migrations, tasks: Tasks, world: GpuWorld, parallel: int | None
) -> int:
    from hostler.cli.progress import bars

    with bars(here) as tell:
        done = migrations.run(tasks, parallel=parallel, on_progress=tell, world=world)
    return _show(here, done)


def _preview(
    here: Session, planned: Sequence[MigrationResult], *, with_diff: bool, final: bool
) -> None:
    from hostler.cli import render

    if here.json:
        if final:
            here.emit([result.model_dump(mode="json") for result in planned])
        return
    for result in planned:
        if result.changed:
            here.show(*render.preview(result, with_diff=with_diff))
        elif not result.error:
            here.say(f"{result.name}: nothing to do, it is in {result.target_aggregate}.", "dim")
        _warn(here, result)
    if any(result.error for result in planned):
        here.complain("Nothing was touched.")


def _show(here: Session, done: Sequence[MigrationResult]) -> int:
    if here.json:
        here.emit([result.model_dump(mode="json") for result in done])
    else:
        here.show(_table(done))
        for result in done:
            _warn(here, result)
    return int(any(result.error for result in done))


def _table(done: Sequence[MigrationResult]) -> Table:
    from hostler.cli import render

    rows = []
    for result in done:
        seen = result.verification
        where = ", ".join(seen.aggregates) if seen else ""
        rows.append(
            (
                result.name,
                render.word(render.became(result, check=False)),
                result.source_aggregate or "",
                result.target_aggregate or "",
                where,
                render.seconds(result.execution_time),
            )
        )
    columns = ("host", "result", "from", "to", "is in", "took")
    return render.table(*columns, rows=rows, wide="is in")


def _warn(here: Session, result: MigrationResult) -> None:
    planned = result.plan.warnings if result.plan else ()
    for warning in (*planned, *result.warnings):
        here.complain(f"Warning: {result.name}: {warning}", "yellow")
    if result.error:
        here.complain(f"Error: {result.error}")
