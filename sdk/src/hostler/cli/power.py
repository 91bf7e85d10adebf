# SPDX-License-Identifier: Apache-2.0
"""hostler vm start, stop, restart, reset, pause, resume, delete: one operation on many VMs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hostler.cli.complete import vm_names
from hostler.cli.session import session

if TYPE_CHECKING:
    from hostler.models.vm_task import Operation

Names = Annotated[list[str] | None, typer.Argument(help="Names or globs.", autocompletion=vm_names)]
Labels = Annotated[
    list[str] | None, typer.Option("--label", help="VMs with this label: key or key=value.")
]
Check = Annotated[bool, typer.Option("--check", help="Only show what would be done.")]
Force = Annotated[bool, typer.Option("--force", help="Hard, if the guest does not follow.")]
Timeout = Annotated[int, typer.Option(help="Seconds that a guest gets to shut down.")]
Override = Annotated[
    bool, typer.Option("--override-protection", help="VMs that the fleet protects, too.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]


def start(
    ctx: typer.Context, names: Names = None, label: Labels = None, check: Check = False
) -> None:
    """Start VMs."""
    operate(ctx, "start", names, label, check=check)


def stop(
    ctx: typer.Context,
    names: Names = None,
    label: Labels = None,
    force: Force = False,
    timeout: Timeout = 120,
    override_protection: Override = False,
    check: Check = False,
) -> None:
    """Shut VMs down."""
    options = {"force": force, "timeout": timeout, "override_protection": override_protection}
    operate(ctx, "stop", names, label, check=check, options=options)


def restart(
    ctx: typer.Context,
    names: Names = None,
    label: Labels = None,
    force: Force = False,
    timeout: Timeout = 120,
    override_protection: Override = False,
    check: Check = False,
) -> None:
    """Shut VMs down and start them again; changes that wait come into effect."""
    options = {"force": force, "timeout": timeout, "override_protection": override_protection}
    operate(ctx, "restart", names, label, check=check, options=options)


def reset(
    ctx: typer.Context,
    names: Names = None,
    label: Labels = None,
    override_protection: Override = False,
    check: Check = False,
) -> None:
    """Reset VMs, as by the button: the guest is not asked."""
    options = {"override_protection": override_protection}
    operate(ctx, "reset", names, label, check=check, options=options)


def pause(
    ctx: typer.Context,
    names: Names = None,
    label: Labels = None,
    override_protection: Override = False,
    check: Check = False,
) -> None:
    """Pause VMs; their memory stays."""
    options = {"override_protection": override_protection}
    operate(ctx, "pause", names, label, check=check, options=options)


def resume(
    ctx: typer.Context, names: Names = None, label: Labels = None, check: Check = False
) -> None:
    """Let paused VMs go on."""
    operate(ctx, "resume", names, label, check=check)


def delete(
    ctx: typer.Context,
    names: Names = None,
    label: Labels = None,
    delete_disks: Annotated[
        bool, typer.Option("--delete-disks", help="Delete their own writable disks too.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="VMs that run, too.")] = False,
    override_protection: Override = False,
    yes: Yes = False,
    check: Check = False,
) -> None:
    """Delete VMs; their disks stay unless you say so."""
    options = {
        "delete_disks": delete_disks,
        "force": force,
        "override_protection": override_protection,
    }
    operate(ctx, "delete", names, label, check=check, options=options, ask=not yes)


def operate(
    ctx: typer.Context,
    operation: Operation,
    names: list[str] | None,
    labels: list[str] | None,
    *,
    check: bool,
    options: dict[str, Any] | None = None,
    ask: bool = False,
) -> None:
    """Do one operation to VMs, with progress and a table of results."""
    from hostler.cli import outcome
    from hostler.cli.progress import bars
    from hostler.cli.query import some

    here, query = session(ctx), some(names, labels)
    with here.fleet() as fleet:
        request = fleet.vms.prepare_batch(operation, query, options=options)
        if check or ask:
            planned = request.preview(read_back=False)
            changes = outcome.show_plan(here, planned, with_diff=False, final=check)
            if check:
                return
            question = f"{operation.capitalize()} {changes} VMs?"
            if changes and not here.agreed(question, yes=not ask, must_ask=True):
                raise typer.Abort
            request.confirm()
        with bars(here) as tell:
            done = request.apply(read_back=False, on_progress=tell)
    raise typer.Exit(outcome.show_results(here, done))


def add_to(app: typer.Typer) -> None:
    """Add the operations to ``hostler vm``."""
    for command in (start, stop, restart, reset, pause, resume, delete):
        app.command()(command)
