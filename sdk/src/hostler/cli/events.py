# SPDX-License-Identifier: Apache-2.0
"""hostler events: what happens to VMs and hosts, as it happens."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hostler.cli.complete import vm_names
from hostler.cli.session import session

if TYPE_CHECKING:
    from hostler.cli.session import Session
    from hostler.models.event import Event

Vms = Annotated[
    list[str] | None,
    typer.Option("--vm", help="Only of these VMs: names or globs.", autocompletion=vm_names),
]
Types = Annotated[
    list[str] | None, typer.Option("--type", help="Only these: vm.status.changed, 'vm.*' ...")
]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")]
Openstack = Annotated[
    bool, typer.Option("--openstack", help="Look at the OpenStack's servers and computes too.")
]


def events(
    ctx: typer.Context,
    follow: Follow = False,
    vm: Vms = None,
    type: Types = None,
    openstack: Openstack = False,
    alerts: Annotated[bool, typer.Option("--alerts", help="Tell of alerts too.")] = False,
    seconds: Annotated[float, typer.Option(help="How long, without --follow.")] = 10,
    poll: Annotated[float, typer.Option(help="Seconds between looks at what tells nothing.")] = 15,
) -> None:
    """Tell what happens from now on: on one host (--host, --uri), else on all of the pool."""
    here = session(ctx)
    wanted: dict[str, Any] = {
        "vms": vm or (),
        "types": type or (),
        "openstack": openstack,
        "alerts": alerts,
        "poll": poll,
    }
    with here.fleet() as fleet, fleet.events(**wanted) as stream:
        until = None if follow else time.monotonic() + seconds
        try:
            while until is None or time.monotonic() < until:
                event = stream.get(None if until is None else max(0, until - time.monotonic()))
                if event is not None:
                    _show(here, event)
        except KeyboardInterrupt:
            pass


def _show(here: Session, event: Event) -> None:
    if here.json:
        typer.echo(event.model_dump_json())
        return
    from hostler.cli import render

    when = render.when(event.timestamp)[5:]
    where = event.host or event.uri or event.source
    missed = "  (missed)" if event.missed else ""
    here.say(f"{when}  {where}  {event.vm or '-'}  {event.type}  {_what(event)}{missed}")


def _what(event: Event) -> str:
    data = dict(event.data)
    text = ""
    if "new_status" in data:
        old, new = data.pop("old_status"), data.pop("new_status")
        text = f"{old or '?'} -> {new or '?'}"
    shown = {k: v for k, v in data.items() if v is not None and not k.endswith("_id")}
    return "  ".join(filter(None, [text, *(f"{key}={value}" for key, value in shown.items())]))
