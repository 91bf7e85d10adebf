# SPDX-License-Identifier: Apache-2.0
"""hostler storage: pools of hypervisors; volumes are in storage_volume.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hostler.cli.change import Check, Diff, change
from hostler.cli.complete import pool_names
from hostler.cli.session import Session, session
from hostler.cli.storage_volume import app as volume

if TYPE_CHECKING:
    from hostler.models.storage import StoragePoolResult
    from hostler.plan.runner import OnProgress

app = typer.Typer(no_args_is_help=True, help="Storage pools and volumes of hypervisors.")
pool = typer.Typer(no_args_is_help=True, help="Pools: list, create, change, remove.")
app.add_typer(pool, name="pool")
app.add_typer(volume, name="volume")

Names = Annotated[
    list[str] | None, typer.Argument(help="Names or globs; all.", autocompletion=pool_names)
]
Name = Annotated[str, typer.Argument(help="The pool's name.", autocompletion=pool_names)]
Force = Annotated[bool, typer.Option("--force", help="Although VMs have disks in it.")]


@pool.command("list")
def list_(ctx: typer.Context, names: Names = None) -> None:
    """List pools, with their sizes."""
    from hostler.cli import storage_tables

    here = session(ctx)
    with here.fleet() as fleet:
        found = fleet.storage.pools(names or ())
    if here.json:
        here.emit([one.model_dump(mode="json") for one in found])
    elif not found:
        here.say("No pools. Make one: hostler storage pool set NAME --path FOLDER", "dim")
    else:
        here.show(storage_tables.pools(found))


@pool.command()
def show(ctx: typer.Context, name: Name) -> None:
    """Show one pool in full."""
    from hostler.cli import storage_tables

    here = session(ctx)
    with here.fleet() as fleet:
        (found,) = fleet.storage.pools([name])
    if here.json:
        here.emit(found.model_dump(mode="json"))
    else:
        here.show(storage_tables.pool(found))


@pool.command("set")
def set_(
    ctx: typer.Context,
    name: Name,
    type: Annotated[str | None, typer.Option(help="dir, netfs, logical ...; dir.")] = None,
    path: Annotated[str | None, typer.Option(help="Where the volumes are.")] = None,
    source_host: Annotated[str | None, typer.Option(help="The server.")] = None,
    source_path: Annotated[str | None, typer.Option(help="The server's folder.")] = None,
    source_device: Annotated[
        list[str] | None, typer.Option(help="Block devices, or an iSCSI target.")
    ] = None,
    source_name: Annotated[str | None, typer.Option(help="Volume group, zpool, pool.")] = None,
    source_format: Annotated[str | None, typer.Option(help="Of file system or server.")] = None,
    active: Annotated[bool | None, typer.Option("--active/--stopped", help="Runs.")] = None,
    autostart: Annotated[
        bool | None, typer.Option("--autostart/--no-autostart", help="Starts with the host.")
    ] = None,
    force: Force = False,
    check: Check = False,
    diff: Diff = False,
) -> None:
    """Create a pool, or change it; what is left out stays."""
    task = {
        "name": name,
        "type": type,
        "path": path,
        "source_host": source_host,
        "source_path": source_path,
        "source_devices": source_device or None,
        "source_name": source_name,
        "source_format": source_format,
        "active": active,
        "autostart": autostart,
        "force": force,
    }
    _run(session(ctx), task, check=check, diff=diff)


@pool.command()
def remove(
    ctx: typer.Context,
    name: Name,
    force: Force = False,
    check: Check = False,
    diff: Diff = False,
) -> None:
    """Stop and forget a pool; its volumes stay."""
    task = {"name": name, "state": "absent", "force": force}
    _run(session(ctx), task, check=check, diff=diff)


def _run(here: Session, task: dict[str, Any], *, check: bool, diff: bool) -> None:
    with here.fleet() as fleet:

        def run(checking: bool, _tell: OnProgress) -> StoragePoolResult:
            (result,) = fleet.storage.run_pools([task], check=checking)
            return result

        change(here, run, check=check, diff=diff)
