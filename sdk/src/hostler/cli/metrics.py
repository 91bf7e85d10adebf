# SPDX-License-Identifier: Apache-2.0
"""hostler metrics: figures of VMs and hosts, and how they are collected."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hostler.cli.complete import host_ids
from hostler.cli.session import Session, session

if TYPE_CHECKING:
    from hostler.metrics.collector import Round

app = typer.Typer(no_args_is_help=True, help="Metrics: read them, collect them, export them.")

Names = Annotated[list[str] | None, typer.Argument(help="Names, globs or UUIDs; all.")]
Ids = Annotated[
    list[str] | None, typer.Argument(help="Ids or globs; all.", autocompletion=host_ids)
]
Wanted = Annotated[
    str | None, typer.Option("--metrics", help="Groups or names: cpu,memory.usage_percent.")
]
Interval = Annotated[
    str | None, typer.Option("--interval", help="1m, 5m, 1h or 1d: of the time just passed.")
]
Hours = Annotated[int | None, typer.Option("--hours", help="History of so many hours.")]
How = Annotated[str, typer.Option("--aggregation", help="avg, min, max or last.")]


@app.command()
def vms(
    ctx: typer.Context,
    names: Names = None,
    metrics: Wanted = None,
    interval: Interval = None,
    hours: Hours = None,
    aggregation: How = "avg",
    guest: Annotated[bool, typer.Option("--guest", help="Ask guest agents too.")] = False,
    system: Annotated[str, typer.Option("--system", help="libvirt or hyperstack.")] = "libvirt",
) -> None:
    """Show VMs' figures: what is now, of an interval, or a history."""
    from hostler.cli import metrics_tables

    here = session(ctx)
    options = _options(metrics, interval, hours, aggregation)
    with here.fleet() as fleet:
        found = fleet.metrics.vms(names or (), guest=guest, system=system, **options)
    if here.json:
        here.emit(found.model_dump(mode="json"))
    elif not found.vms:
        here.say("No VMs.", "dim")
    else:
        here.show(metrics_tables.vms(found.vms))
    here.warn(found.unreachable_hosts.values())


@app.command()
def hosts(
    ctx: typer.Context,
    ids: Ids = None,
    metrics: Wanted = None,
    interval: Interval = None,
    hours: Hours = None,
    aggregation: How = "avg",
) -> None:
    """Show hosts' figures: what is now, of an interval, or a history."""
    from hostler.cli import metrics_tables

    here = session(ctx)
    with here.fleet() as fleet:
        found = fleet.metrics.hosts(ids or (), **_options(metrics, interval, hours, aggregation))
    if here.json:
        here.emit([host.model_dump(mode="json") for host in found])
    else:
        here.show(metrics_tables.hosts(found))
    here.warn(host.reason for host in found if host.reason)


@app.command()
def system(
    ctx: typer.Context,
    metrics: Wanted = None,
    interval: Interval = None,
    hours: Hours = None,
    aggregation: How = "avg",
) -> None:
    """Show the figures of all hosts together."""
    from hostler.cli import metrics_tables

    here = session(ctx)
    with here.fleet() as fleet:
        found = fleet.metrics.system(**_options(metrics, interval, hours, aggregation))
    if here.json:
        here.emit(found.model_dump(mode="json"))
    else:
        here.show(metrics_tables.system(found))
    here.warn(found.unreachable_hosts.values())


@app.command()
def collect(
    ctx: typer.Context,
    every: Annotated[
        str | None, typer.Option("--every", help="Go on, with a round every 15s, 1m ...")
    ] = None,
) -> None:
    """Write what all hosts tell into the store: once, or again and again (--every)."""
    from hostler.metrics.collector import Collector

    here = session(ctx)
    with here.fleet() as fleet:
        collector = Collector(fleet, every=_seconds(every) if every else None)
        if every:
            collector.run(_until_stopped(), lambda one: _tell(here, one))
            return
        found = collector.collect()
        collector.tidy()
    _tell(here, found)


@app.command()
def export(
    ctx: typer.Context,
    bind: Annotated[str, typer.Option("--bind", help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port to listen at; 0: any.")] = 9723,
) -> None:
    """Serve Prometheus: each time it asks, all hosts are read."""
    from hostler.metrics.exporter import serve

    here = session(ctx)
    stop = _until_stopped()
    with here.fleet() as fleet, serve(fleet, bind, port) as address:
        here.say(f"Listening at {address}")
        stop.wait()


def _options(
    metrics: str | None, interval: str | None, hours: int | None, aggregation: str
) -> dict[str, Any]:
    given = {"metrics": metrics, "interval": interval, "hours": hours}
    known = {name: value for name, value in given.items() if value is not None}
    return {**known, "aggregation": aggregation}


def _seconds(text: str) -> float:
    from hostler.errors import InvalidInput

    units = {"s": 1, "m": 60, "h": 3600}
    try:
        seconds = float(text.rstrip("smh")) * units[text[-1] if text[-1:] in units else "s"]
    except ValueError:
        seconds = 0
    if not 1 <= seconds <= 3600:
        raise InvalidInput(f"{text!r} is no time from 1s to 1h", on="--every", hint="Write 15s.")
    return seconds


def _until_stopped() -> threading.Event:
    """Return what is set when somebody wants this to end: the round that is under way ends."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _tell(here: Session, one: Round) -> None:
    if one.error is not None:
        here.complain(f"Error: {one.error}")
        return
    if here.json:
        here.emit(
            {
                "at": one.at,
                "seconds": one.seconds,
                "hosts": one.hosts,
                "vms": one.vms,
                "unreachable": one.unreachable,
            }
        )
    else:
        here.say(f"hosts: {one.hosts}, VMs: {one.vms}, seconds: {one.seconds:g}")
    here.warn(one.unreachable.values())
