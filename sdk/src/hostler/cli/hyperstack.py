# SPDX-License-Identifier: Apache-2.0
"""hostler hyperstack: what there is to choose from; VMs and firewalls have files of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from hostler.cli import hyperstack_firewall, hyperstack_vm
from hostler.cli.session import Session, session

if TYPE_CHECKING:
    from hostler.models.hyperstack import Seen

app = typer.Typer(
    no_args_is_help=True, help="Hyperstack: VMs, firewalls, images, flavors, stock ..."
)
app.add_typer(hyperstack_vm.app, name="vm")
app.add_typer(hyperstack_firewall.app, name="firewall")

Region = Annotated[str | None, typer.Option(help="Only of this region.")]
Environment = Annotated[str | None, typer.Option(help="Only of this environment.")]


@app.command()
def environments(ctx: typer.Context, region: Region = None) -> None:
    """List the environments."""
    here = session(ctx)
    with here.fleet() as fleet:
        found = fleet.hyperstack.environments.list(region)
    rows = [(one.name, one.region or "", str(one.id)) for one in found]
    _show(here, found, ("environment", "region", "id"), rows)


@app.command()
def keypairs(ctx: typer.Context, environment: Environment = None) -> None:
    """List the SSH keys."""
    here = session(ctx)
    with here.fleet() as fleet:
        found = fleet.hyperstack.keypairs.list(environment)
    rows = [(one.name, one.environment.name or "", one.fingerprint or "") for one in found]
    _show(here, found, ("key", "environment", "fingerprint"), rows)


@app.command()
def images(
    ctx: typer.Context,
    region: Region = None,
    type: Annotated[str | None, typer.Option(help="Only of this type, such as Ubuntu.")] = None,
) -> None:
    """List the images."""
    here = session(ctx)
    with here.fleet() as fleet:
        found = fleet.hyperstack.images(region, type=type)
    rows = [
        (one.name, one.region_name or "", one.type or "", one.display_size or "", str(one.id))
        for one in found
    ]
    _show(here, found, ("image", "region", "type", "size", "id"), rows)


@app.command()
def flavors(
    ctx: typer.Context,
    region: Region = None,
    gpu: Annotated[str | None, typer.Option(help="Only with this GPU.")] = None,
) -> None:
    """List the flavors, with what an hour costs."""
    here = session(ctx)
    with here.fleet() as fleet:
        found = fleet.hyperstack.flavors(region, gpu=gpu)
    rows = [
        (
            one.name or "",
            one.region_name or "",
            f"{one.gpu_count} x {one.gpu}" if one.gpu and one.gpu_count else "",
            _number(one.cpu),
            _number(one.ram),
            {True: "yes", False: "no", None: "?"}[one.stock_available],
            "?" if one.price_per_hour is None else f"{one.price_per_hour:.2f}",
        )
        for one in found
    ]
    columns = ("flavor", "region", "gpus", "cpus", "ram gb", "stock", "$/h")
    _show(here, found, columns, rows)


@app.command()
def stock(ctx: typer.Context, region: Region = None) -> None:
    """List how many GPUs there are."""
    here = session(ctx)
    with here.fleet() as fleet:
        found = fleet.hyperstack.stock(region)
    rows = [
        (
            one.model,
            one.region,
            one.available or "?",
            " ".join(f"{size}:{number}" for size, number in one.configurations.items()),
        )
        for one in found
    ]
    _show(here, found, ("gpu", "region", "available", "as"), rows)


@app.command()
def regions(ctx: typer.Context) -> None:
    """List the regions."""
    here = session(ctx)
    with here.fleet() as fleet:
        found = fleet.hyperstack.regions()
    _show(here, found, ("region", "country"), [(r.name or "", r.country or "") for r in found])


@app.command()
def quota(
    ctx: typer.Context, environment: Annotated[str, typer.Argument(help="Its name.")]
) -> None:
    """Show how many VMs an environment may have."""
    here = session(ctx)
    with here.fleet() as fleet:
        found = fleet.hyperstack.environments.quota(environment)
    if here.json:
        here.emit(found.model_dump(mode="json"))
        return
    numbers = (found.current_vms, found.max_vms, found.available_vms)
    used, most, left = ("?" if number is None else str(number) for number in numbers)
    here.say(f"{environment}: {used} of {most} VMs, {left} more can be made")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _show(
    here: Session,
    found: Iterable[Seen],
    columns: tuple[str, ...],
    rows: Sequence[tuple[str, ...]],
) -> None:
    from hostler.cli.render import table

    if here.json:
        here.emit([one.model_dump(mode="json") for one in found])
    elif rows:
        here.show(table(*columns, rows=rows))
    else:
        here.say("None.", "dim")
