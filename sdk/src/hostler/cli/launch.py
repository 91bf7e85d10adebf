# SPDX-License-Identifier: Apache-2.0
"""hostler launch: GPU VMs of Hyperstack on hosts of ours; see them first, or make them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from hostler.cli.power import Yes
from hostler.cli.session import Session, session

if TYPE_CHECKING:
    from hostler.models.launch import LaunchResult

RUNPOD_KEY = "RUNPOD_API_KEY"

app = typer.Typer(no_args_is_help=True, help="GPU VMs of Hyperstack on hosts of ours.")

Hosts = Annotated[list[str], typer.Argument(help="GPU hosts, as Nova spells them.")]
Image = Annotated[str, typer.Option(help="Name or id of the image.")]
Region = Annotated[str | None, typer.Option(help="Hyperstack's region; by the host if left out.")]
Flavor = Annotated[str | None, typer.Option(help="In place of the one for all of its GPUs.")]
UserData = Annotated[
    Path | None, typer.Option(help="File with cloud-init's data.", exists=True, dir_okay=False)
]
Runpod = Annotated[
    str | None,
    typer.Option(
        metavar="INSTALLER_URL",
        help=f"Make it a RunPod host, with this installer and the key in {RUNPOD_KEY}.",
    ),
]
Strict = Annotated[
    bool, typer.Option("--strict-placement", help="Refuse where it could land elsewhere.")
]
Diff = Annotated[bool, typer.Option("--diff", help="Show the difference too.")]


@app.command()
def preview(
    ctx: typer.Context,
    hosts: Hosts,
    image: Image,
    region: Region = None,
    flavor: Flavor = None,
    user_data: UserData = None,
    runpod: Runpod = None,
    strict_placement: Strict = False,
    diff: Diff = False,
) -> None:
    """Show what a launch would do, and what it takes."""
    here = session(ctx)
    tasks = _tasks(hosts, image, region, flavor, user_data, runpod, strict_placement)
    with here.fleet() as fleet:
        planned = fleet.launches.run(tasks, check=True)
    raise typer.Exit(_preview(here, planned, with_diff=diff, final=True))


@app.command()
def run(
    ctx: typer.Context,
    hosts: Hosts,
    image: Image,
    region: Region = None,
    flavor: Flavor = None,
    user_data: UserData = None,
    runpod: Runpod = None,
    strict_placement: Strict = False,
    on_failure: Annotated[
        Literal["delete", "keep"], typer.Option(help="The VM, when a later step fails.")
    ] = "delete",
    on_misplaced: Annotated[
        Literal["delete", "keep"], typer.Option(help="The VM, when it landed elsewhere.")
    ] = "delete",
    parallel: Annotated[int | None, typer.Option(min=1, help="How many at once.")] = None,
    yes: Yes = False,
) -> None:
    """Launch VMs, one on each host."""
    from hostler.cli.progress import bars

    here = session(ctx)
    tasks = _tasks(hosts, image, region, flavor, user_data, runpod, strict_placement)
    tasks = [{**task, "on_failure": on_failure, "on_misplaced": on_misplaced} for task in tasks]
    with here.fleet() as fleet:
        planned = fleet.launches.run(tasks, check=True)
        code = _preview(here, planned, with_diff=False, final=False)
        todo = [result for result in planned if result.changed]
        if code or not todo:
            raise typer.Exit(code)
        if not here.agreed(f"Launch {len(todo)}?", yes=yes, must_ask=True):
            raise typer.Abort
        with bars(here) as tell:
            done = fleet.launches.run(tasks, parallel=parallel, on_progress=tell)
    raise typer.Exit(_show(here, done))


def _tasks(
    hosts: Iterable[str],
    image: str,
    region: str | None,
    flavor: str | None,
    user_data: Path | None,
    runpod: str | None,
    strict_placement: bool,
) -> list[dict[str, Any]]:
    from hostler.errors import InvalidInput

    common: dict[str, Any] = {
        "image": image,
        "region": region,
        "flavor": flavor,
        "strict_placement": strict_placement,
    }
    if user_data is not None:
        common["user_data"] = user_data.read_text()
    if runpod is not None:
        key = os.environ.get(RUNPOD_KEY)
        if not key:
            raise InvalidInput("there is no RunPod key", on="--runpod", hint=f"Set {RUNPOD_KEY}.")
        common["runpod"] = {"api_key": key, "installer_url": runpod}
    return [{**common, "hostname": host} for host in hosts]


def _preview(
    here: Session, planned: Sequence[LaunchResult], *, with_diff: bool, final: bool
) -> int:
    """Show plans and what they take; return 1 where one could not be made."""
    from hostler.cli import render

    failed = any(result.error for result in planned)
    if here.json and (final or failed):
        here.emit([result.model_dump(mode="json") for result in planned])
    if here.json:
        return int(failed)
    for result in planned:
        if result.changed:
            here.show(*render.preview(result, with_diff=with_diff))
            here.say(f"  {_takes(result)}", "dim")
        elif not result.error:
            here.say(f"{result.name}: nothing to do.", "dim")
        _warn(here, result)
    if failed:
        here.complain("Nothing was touched.")
    return int(failed)


def _show(here: Session, done: Sequence[LaunchResult]) -> int:
    from hostler.cli import render

    if here.json:
        here.emit([result.model_dump(mode="json") for result in done])
    else:
        rows = [
            (
                result.name,
                render.word(render.became(result, check=False)),
                result.status or "",
                result.placed_on or "",
                _yes(result.network_setup),
                _yes(result.firewall_configured),
                render.seconds(result.seconds),
            )
            for result in done
        ]
        columns = ("host", "result", "status", "placed on", "network", "firewall", "took")
        here.show(render.table(*columns, rows=rows))
        for result in done:
            _warn(here, result)
    return int(any(result.error for result in done))


def _takes(result: LaunchResult) -> str:
    needs = result.estimated_resources
    if needs is None:
        return ""
    price = "price not known" if needs.price_per_hour is None else f"${needs.price_per_hour:g}/h"
    return f"flavor {needs.flavor}, {needs.gpu_count} GPUs, {price}"


def _yes(value: bool | None) -> str:
    return "" if value is None else ("yes" if value else "no")


def _warn(here: Session, result: LaunchResult) -> None:
    planned = result.plan.warnings if result.plan else ()
    for warning in (*planned, *result.warnings):
        here.complain(f"Warning: {result.name}: {warning}", "yellow")
    if result.error:
        here.complain(f"Error: {result.error}")
