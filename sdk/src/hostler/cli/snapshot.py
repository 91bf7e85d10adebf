# SPDX-License-Identifier: Apache-2.0
"""hostler vm snapshot: list, create, revert, delete."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hostler.cli.complete import vm_names
from hostler.cli.session import session

app = typer.Typer(no_args_is_help=True, help="Snapshots of a VM.")

Vm = Annotated[str, typer.Argument(help="The VM's name.", autocompletion=vm_names)]
Name = Annotated[str, typer.Argument(help="The snapshot's name.")]
Check = Annotated[bool, typer.Option("--check", help="Only show what would be done.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
Override = Annotated[
    bool, typer.Option("--override-protection", help="A VM that the fleet protects, too.")
]


@app.command("list")
def list_(ctx: typer.Context, vm: Vm) -> None:
    """List a VM's snapshots."""
    from hostler.cli import render

    here = session(ctx)
    with here.fleet() as fleet:
        found = fleet.vms.get(vm, fields={"snapshots"}).snapshots or []
    if here.json:
        here.emit([snapshot.model_dump(mode="json") for snapshot in found])
    elif not found:
        here.say(f"{vm} has no snapshots.", "dim")
    else:
        rows = [
            (
                ("* " if s.current else "  ") + s.name,
                render.when(s.created_at),
                s.state or "",
                s.parent or "",
                s.description or "",
            )
            for s in found
        ]
        columns = ("  name", "made", "state", "parent", "description")
        here.show(render.table(*columns, rows=rows, wide="description"))


@app.command()
def create(
    ctx: typer.Context,
    vm: Vm,
    name: Name,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    memory: Annotated[bool, typer.Option("--memory", help="Keep a running VM's memory.")] = False,
    external: Annotated[
        bool, typer.Option("--external", help="In files of its own, not inside the qcow2.")
    ] = False,
    quiesce: Annotated[
        bool, typer.Option("--quiesce", help="Freeze the guest's file systems (needs the agent).")
    ] = False,
    check: Check = False,
) -> None:
    """Make a snapshot."""
    task = {"description": description, "memory": memory, "external": external, "quiesce": quiesce}
    _run(ctx, {"vm": vm, "name": name, **task}, check=check)


@app.command()
def revert(
    ctx: typer.Context,
    vm: Vm,
    name: Name,
    running: Annotated[
        bool | None,
        typer.Option("--running/--stopped", help="How the VM is left; as saved if not said."),
    ] = None,
    override_protection: Override = False,
    yes: Yes = False,
    check: Check = False,
) -> None:
    """Take a VM back to a snapshot; what it wrote since then is lost."""
    task = {"running": running, "override_protection": override_protection, "state": "reverted"}
    question = f"Take {vm} back to {name}? What it wrote since then is lost."
    _run(ctx, {"vm": vm, "name": name, **task}, check=check, ask="" if yes else question)


@app.command()
def delete(
    ctx: typer.Context,
    vm: Vm,
    name: Name,
    children: Annotated[bool, typer.Option("--children", help="Its children too.")] = False,
    override_protection: Override = False,
    yes: Yes = False,
    check: Check = False,
) -> None:
    """Delete a snapshot; the VM stays as it is."""
    task = {"children": children, "override_protection": override_protection, "state": "absent"}
    question = f"Delete snapshot {name} of {vm}?"
    _run(ctx, {"vm": vm, "name": name, **task}, check=check, ask="" if yes else question)


def _run(ctx: typer.Context, task: dict[str, Any], *, check: bool, ask: str = "") -> None:
    from hostler.cli import outcome

    here = session(ctx)
    with here.fleet() as fleet:
        request = fleet.snapshots.prepare(task)
        if check or ask:
            planned = [request.preview()]
            changes = outcome.show_plan(here, planned, with_diff=False, final=check)
            if check:
                return
            if changes and not here.agreed(ask, yes=not ask, must_ask=True):
                raise typer.Abort
            request.confirm()
        done = [request.apply()]
    raise typer.Exit(outcome.show_results(here, done))
