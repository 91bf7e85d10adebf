# SPDX-License-Identifier: Apache-2.0
"""hostler vm logs: what a VM's guest, console and hypervisor wrote."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hostler.cli.complete import vm_names
from hostler.cli.session import session

if TYPE_CHECKING:
    from hostler.cli.session import Session
    from hostler.models.log import LogEntry

_COLOURS = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red", "ALERT": "red"}

Sources = Annotated[
    list[str] | None,
    typer.Option("--source", help="guest, console or hypervisor; all that can be read."),
]


def logs(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The VM's name.", autocompletion=vm_names)],
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of each source.")] = 100,
    since: Annotated[
        str | None, typer.Option(help="None before: 15m, 2h, 1d ago, or an ISO timestamp.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    source: Sources = None,
    environment: Annotated[
        str | None, typer.Option("--environment", "-e", help="Hyperstack: the VM's environment.")
    ] = None,
    agent_timeout: Annotated[int, typer.Option(help="Seconds that the guest agent gets.")] = 5,
) -> None:
    """Show a VM's logs: the guest's journal, its serial console, the hypervisor's log."""
    here = session(ctx)
    query: dict[str, Any] = {
        "lines": lines,
        "since": since,
        "sources": tuple(source or ()),
        "agent_timeout": agent_timeout,
    }
    with here.fleet() as fleet:
        if follow and environment is None:
            with suppress(KeyboardInterrupt):
                for entry in fleet.logs.follow(name, warn=lambda text: here.warn([text]), **query):
                    _line(here, entry)
            return
        if environment is not None:
            found = fleet.logs.hyperstack(name, environment=environment, lines=lines)
        else:
            found = fleet.logs.read(name, **query)
    here.warn(found.warnings)
    if here.json:
        here.emit(found.model_dump(mode="json"))
        return
    for entry in found.logs:
        _line(here, entry)


def _line(here: Session, entry: LogEntry) -> None:
    from hostler.cli import render

    if here.json:
        typer.echo(entry.model_dump_json())
        return
    parts = [render.when(entry.timestamp), entry.level, entry.unit or entry.source]
    head = "  ".join(part for part in parts if part)
    here.say(f"{head}  {entry.message}", _COLOURS.get(entry.level or "", ""))
