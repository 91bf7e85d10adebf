# SPDX-License-Identifier: Apache-2.0
"""hostler gpu: GPU types, pools, hosts, and where a host should go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hostler.cli.gpu_move import move, unlock
from hostler.cli.gpu_pools import pools
from hostler.cli.session import Session, session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

    from hostler.fleet import Fleet
    from hostler.gpu.world import GpuWorld

app = typer.Typer(no_args_is_help=True, help="GPU hosts in OpenStack: types, pools, targets ...")

GpuType = Annotated[str, typer.Argument(help="GPU type, such as L40.", show_default=False)]
Pool = Annotated[str, typer.Argument(help="ondemand, spot, runpod or contract.")]
Host = Annotated[str, typer.Argument(help="The host's name, as Nova has it.")]
OfType = Annotated[str | None, typer.Option("--type", help="Only this GPU type.")]
OfPool = Annotated[
    str | None, typer.Option("--pool", help="Only this: ondemand, spot, runpod, contract.")
]


@app.command()
def types(ctx: typer.Context) -> None:
    """List the GPU types and their aggregates, empty ones too."""
    from hostler.cli import gpu_tables

    here = session(ctx)
    with here.fleet() as fleet:
        world = fleet.gpu.observe()
        found = fleet.gpu.types(world)
        if here.json:
            _emit(here, found)
        else:
            here.show(gpu_tables.types(found))
        _notes(here, fleet, world)


@app.command()
def overview(
    ctx: typer.Context,
    gpu_type: Annotated[str | None, typer.Argument(help="GPU type; all where left out.")] = None,
) -> None:
    """Show the pools of all GPU types, or of one and its hosts."""
    from hostler.cli import gpu_tables

    here = session(ctx)
    with here.fleet() as fleet:
        world = fleet.gpu.observe()
        names = [gpu_type] if gpu_type else [one.name for one in fleet.gpu.types(world)]
        found = [fleet.gpu.overview(name, world) for name in names]
        if here.json:
            here.emit(found[0].model_dump(mode="json")) if gpu_type else _emit(here, found)
        else:
            here.show(gpu_tables.overviews(found))
            if gpu_type:
                here.show("", gpu_tables.hosts(gpu_tables.hosts_of(found[0]), of_type=False))
        _notes(here, fleet, world)


@app.command()
def pool(ctx: typer.Context, gpu_type: GpuType, pool: Pool) -> None:
    """Show one pool of a GPU type."""
    from hostler.cli import gpu_tables
    from hostler.gpu.names import known_pool

    here = session(ctx)
    with here.fleet() as fleet:
        found = fleet.gpu.pool(gpu_type, known_pool(pool))
    if here.json:
        here.emit(found.model_dump(mode="json"))
    else:
        here.show(gpu_tables.aggregates(found.variants), "")
        here.show(gpu_tables.hosts(found.hosts, of_type=False))


@app.command()
def contracts(ctx: typer.Context, gpu_type: GpuType) -> None:
    """Show the contracts of a GPU type."""
    from hostler.cli import gpu_tables

    here = session(ctx)
    with here.fleet() as fleet:
        found = fleet.gpu.contracts(gpu_type)
    if here.json:
        _emit(here, found)
    elif not found:
        here.say(f"{gpu_type} has no contracts.", "dim")
    else:
        here.show(gpu_tables.aggregates(found), "")
        hosts = [host for contract in found for host in contract.hosts]
        here.show(gpu_tables.hosts(hosts, of_type=False))


@app.command()
def hosts(
    ctx: typer.Context,
    gpu_type: OfType = None,
    pool: OfPool = None,
    status: Annotated[
        str | None, typer.Option(help="Only these: active, disabled, down, unknown.")
    ] = None,
) -> None:
    """List GPU hosts, those in no pool too."""
    from hostler.cli import gpu_tables
    from hostler.gpu.names import known_pool, known_status

    here = session(ctx)
    with here.fleet() as fleet:
        found = fleet.gpu.hosts(
            gpu_type=gpu_type,
            pool=known_pool(pool) if pool else None,
            status=known_status(status) if status else None,
        )
    if here.json:
        _emit(here, found)
    elif not found:
        here.say("No GPU hosts.", "dim")
    else:
        here.show(gpu_tables.hosts(found, of_type=True))


@app.command("host-vms")
def host_vms(ctx: typer.Context, host: Host) -> None:
    """List the VMs of a host."""
    from hostler.cli import gpu_tables

    here = session(ctx)
    with here.fleet() as fleet:
        found = fleet.gpu.host_vms(host)
    if here.json:
        here.emit(found.model_dump(mode="json"))
    elif not found.vms:
        here.say(f"{host} has no VMs.", "dim")
    else:
        here.show(gpu_tables.servers(found.vms))


@app.command()
def target(
    ctx: typer.Context,
    host: Host,
    gpu_type: Annotated[
        str | None, typer.Option("--type", help="The GPU type that it should have.")
    ] = None,
    pool: OfPool = None,
    variant: Annotated[str | None, typer.Option(help="Only this, such as NVLink.")] = None,
) -> None:
    """Say which aggregate suits a host best, and why."""
    from hostler.cli import gpu_tables
    from hostler.gpu.names import known_pool

    here = session(ctx)
    with here.fleet() as fleet:
        wanted = known_pool(pool) if pool else None
        found = fleet.gpu.target(host, gpu_type, wanted, variant)
    if here.json:
        here.emit(found.model_dump(mode="json"))
        return
    here.show(gpu_tables.advice(found))
    if found.alternatives:
        here.show("", gpu_tables.alternatives(found))


app.command()(pools)
app.command()(move)
app.command()(unlock)


def _emit(here: Session, found: Sequence[BaseModel]) -> None:
    here.emit([one.model_dump(mode="json") for one in found])


def _notes(here: Session, fleet: Fleet, world: GpuWorld) -> None:
    """Say what overviews don't show."""
    unclassified, lost = fleet.gpu.unclassified(world), fleet.gpu.in_no_pool(world)
    notes = list(world.warnings)
    if unclassified:
        notes.append(
            f"Of these aggregates the names say no pool or type: {', '.join(unclassified)}"
        )
    if lost:
        notes.append(f"These GPU hosts are in no pool: {', '.join(lost)}")
    if not here.quiet:
        for note in notes:
            here.complain(note, "yellow")
