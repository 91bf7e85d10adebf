# SPDX-License-Identifier: Apache-2.0
"""hostler host: the pool of hypervisors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hostler.cli import host_maintenance
from hostler.cli.complete import host_ids
from hostler.cli.session import Session, session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hostler.models.host import HostResult

app = typer.Typer(
    no_args_is_help=True, help="Hypervisors: register, read, drain, look at their VMs."
)

Ids = Annotated[
    list[str] | None, typer.Argument(help="Ids or globs; all.", autocompletion=host_ids)
]
Id = Annotated[str, typer.Argument(help="The host's id.", autocompletion=host_ids)]
Labels = Annotated[
    list[str] | None, typer.Option("--label", help="Only with this label: key or key=value.")
]
Seconds = Annotated[float, typer.Option("--timeout", help="Seconds that each host gets.")]
Check = Annotated[bool, typer.Option("--check", help="Only show what would be done.")]
Diff = Annotated[bool, typer.Option("--diff", help="Show the difference too.")]


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """List the registered hosts; none of them is asked."""
    from hostler.cli import host_tables

    here = session(ctx)
    with here.fleet() as fleet:
        found = fleet.hosts.list()
    if here.json:
        here.emit([host.model_dump(mode="json") for host in found])
    elif not found:
        here.say("No hosts. Register one: hostler host set ID --uri URI", "dim")
    else:
        here.show(host_tables.registered(found))


@app.command()
def info(ctx: typer.Context, ids: Ids = None, label: Labels = None, timeout: Seconds = 30) -> None:
    """Read hosts: how they are used, and what can't be reached."""
    from hostler.cli import host_tables

    here = session(ctx)
    with here.fleet() as fleet:
        found = fleet.hosts.info(ids or (), labels=_wanted(label), timeout=timeout)
    if here.json:
        here.emit([host.model_dump(mode="json") for host in found])
    elif not found:
        here.say("No hosts.", "dim")
    else:
        here.show(host_tables.figures(found))
    _notes(here, [note for host in found for note in (*host.notes, host.reason) if note])


@app.command()
def show(ctx: typer.Context, id: Id, timeout: Seconds = 30) -> None:
    """Show one host in full."""
    from hostler.cli import host_tables

    here = session(ctx)
    with here.fleet() as fleet:
        (found,) = fleet.hosts.info([fleet.hosts.get(id).id], fields=["load"], timeout=timeout)
    if here.json:
        here.emit(found.model_dump(mode="json"))
        return
    for part in host_tables.one(found):
        here.show(*part)
    _notes(here, [note for note in (*found.notes, found.reason) if note])


@app.command()
def vms(
    ctx: typer.Context,
    id: Id,
    stored: Annotated[
        bool, typer.Option("--stored", help="As last seen; the host may be down.")
    ] = False,
    timeout: Seconds = 30,
) -> None:
    """List a host's VMs, as they are or were last seen."""
    from hostler.cli import host_tables

    here = session(ctx)
    with here.fleet() as fleet:
        found = fleet.hosts.vms(id, stored=stored, timeout=timeout)
    if here.json:
        here.emit([vm.model_dump(mode="json") for vm in found])
    elif not found:
        here.say(f"{id} has no VMs.", "dim")
    else:
        here.show(host_tables.vms(found, stored=stored))


@app.command()
def stats(ctx: typer.Context, timeout: Seconds = 30) -> None:
    """Sum up all registered hosts."""
    from hostler.cli import host_tables

    here = session(ctx)
    with here.fleet() as fleet:
        found = fleet.hosts.stats(timeout=timeout)
    if here.json:
        here.emit(found.model_dump(mode="json"))
    else:
        here.show(host_tables.stats(found))
    _notes(here, list(found.unreachable_hosts.values()))


@app.command("set")
def set_(
    ctx: typer.Context,
    id: Id,
    label: Annotated[
        list[str] | None, typer.Option("--label", help="key=value; 'key=' removes it.")
    ] = None,
    cpu_overcommit: Annotated[
        float | None, typer.Option(help="Virtual CPUs for each of the host's.")
    ] = None,
    memory_overcommit: Annotated[
        float | None, typer.Option(help="VMs' memory for each byte of the host's.")
    ] = None,
    cpu_limit: Annotated[int | None, typer.Option(help="Most virtual CPUs in all.")] = None,
    memory_limit: Annotated[str | None, typer.Option(help="Most memory in all: 64GiB.")] = None,
    enable: Annotated[
        bool | None, typer.Option("--enable/--disable", help="Whether VMs are placed on it.")
    ] = None,
    check: Check = False,
    diff: Diff = False,
) -> None:
    """Register a host (--uri URI), or change what is known of it; what is left out stays."""
    here = session(ctx)
    pairs = [text.partition("=") for text in label or ()]
    task = {
        "id": id,
        "uri": here.uri,
        "labels": {key: value or None for key, _, value in pairs} or None,
        "cpu_overcommit": cpu_overcommit,
        "memory_overcommit": memory_overcommit,
        "cpu_limit": cpu_limit,
        "memory_limit": memory_limit,
        "enabled": enable,
    }
    _run(here, task, check=check, diff=diff)


@app.command()
def remove(
    ctx: typer.Context,
    id: Id,
    force: Annotated[
        bool, typer.Option("--force", help="Although it has VMs of ours, or can't be asked.")
    ] = False,
    check: Check = False,
    diff: Diff = False,
) -> None:
    """Take a host out of the pool; its VMs stay as they are."""
    _run(session(ctx), {"id": id, "state": "absent", "force": force}, check=check, diff=diff)


def _run(here: Session, task: Mapping[str, Any], *, check: bool, diff: bool) -> None:
    with here.fleet() as fleet:
        (result,) = fleet.hosts.run([task], check=check)
    if here.json:
        here.emit(result.model_dump(mode="json"))
    else:
        _show(here, result, check=check, diff=diff)
    if result.error:
        raise typer.Exit(2 if result.error_code in ("invalid_input", "invalid_config") else 1)


def _show(here: Session, result: HostResult, *, check: bool, diff: bool) -> None:
    from rich.text import Text

    from hostler.cli import render

    plan = result.plan
    _notes(here, list(plan.warnings) if plan else [])
    if result.error:
        here.complain(f"Error: {result.error}")
    elif not result.changed:
        here.say("Nothing to do.", "dim")
    elif plan and check:
        here.say(plan.summary)
        here.show(*(Text(f"  $ {command}", style="cyan") for command in plan.commands))
    elif plan:
        here.say(f"Done: {plan.summary}", "green")
    if diff and result.changed:
        here.show(render.diff(result.before, result.after, result.name))


def _wanted(labels: list[str] | None) -> dict[str, str]:
    pairs = [label.partition("=") for label in labels or ()]
    return {key: value if sign else "*" for key, sign, value in pairs}


def _notes(here: Session, notes: list[str]) -> None:
    if not here.quiet:
        for note in notes:
            here.complain(f"Warning: {note}", "yellow")


app.command("drain")(host_maintenance.drain)
app.command("activate")(host_maintenance.activate)
