# SPDX-License-Identifier: Apache-2.0
"""hostler storage volume: volumes, and their content from and to files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hostler.cli.change import Check, Diff, Yes, change
from hostler.cli.complete import pool_names, volume_names
from hostler.cli.session import Session, session

if TYPE_CHECKING:
    from hostler.models.storage import StorageVolumeResult
    from hostler.plan.runner import OnProgress

app = typer.Typer(no_args_is_help=True, help="Volumes: list, create, upload, download, remove.")

Pool = Annotated[str, typer.Argument(help="The pool's name.", autocompletion=pool_names)]
Name = Annotated[str, typer.Argument(help="The volume's name.", autocompletion=volume_names)]
Names = Annotated[
    list[str] | None, typer.Argument(help="Names or globs; all.", autocompletion=volume_names)
]
SizeOption = Annotated[str | None, typer.Option(help="What a guest sees: 20GiB.")]


@app.command("list")
def list_(ctx: typer.Context, pool: Pool, names: Names = None) -> None:
    """List the volumes of a pool."""
    from hostler.cli import storage_tables

    here = session(ctx)
    with here.fleet() as fleet:
        found = fleet.storage.volumes.list(pool, names or ())
    if here.json:
        here.emit([one.model_dump(mode="json") for one in found])
    elif not found:
        here.say(f"Pool {pool} has no volumes.", "dim")
    else:
        here.show(storage_tables.volumes(found))


@app.command()
def show(ctx: typer.Context, pool: Pool, name: Name) -> None:
    """Show one volume in full."""
    from hostler.cli import storage_tables

    here = session(ctx)
    with here.fleet() as fleet:
        (found,) = fleet.storage.volumes.list(pool, [name])
    if here.json:
        here.emit(found.model_dump(mode="json"))
    else:
        here.show(storage_tables.volume(found))


@app.command("set")
def set_(
    ctx: typer.Context,
    pool: Pool,
    name: Name,
    size: SizeOption = None,
    format: Annotated[str | None, typer.Option(help="Of a new one: qcow2 or raw.")] = None,
    clone: Annotated[str | None, typer.Option(help="A volume to make a full copy of.")] = None,
    backing: Annotated[str | None, typer.Option(help="One to make a linked clone of.")] = None,
    source_pool: Annotated[str | None, typer.Option(help="The pool of that one.")] = None,
    check: Check = False,
    diff: Diff = False,
) -> None:
    """Create a volume, or grow it; it never shrinks."""
    task = {
        "size": size,
        "format": format,
        "clone_volume": clone,
        "backing_volume": backing,
        "source_pool": source_pool,
    }
    _run(session(ctx), {"pool": pool, "name": name, **task}, check=check, diff=diff)


@app.command()
def upload(
    ctx: typer.Context,
    pool: Pool,
    name: Annotated[str, typer.Argument(help="The new volume's name.")],
    image: Annotated[str, typer.Argument(help="A raw or qcow2 file, or its address.")],
    checksum: Annotated[
        str | None, typer.Option(help="sha256: or sha512: and its digits, or a list's address.")
    ] = None,
    size: SizeOption = None,
    check: Check = False,
    diff: Diff = False,
) -> None:
    """Fill a new volume with an image; one that is there keeps its content."""
    task = {"pool": pool, "name": name, "image": image, "checksum": checksum, "size": size}
    _run(session(ctx), task, check=check, diff=diff)


@app.command()
def download(
    ctx: typer.Context,
    pool: Pool,
    name: Name,
    file: Annotated[str, typer.Argument(help="The file; there once it is whole.")],
    force: Annotated[
        bool, typer.Option("--force", help="Although running VMs may write to the volume.")
    ] = False,
    check: Check = False,
) -> None:
    """Copy a volume's content to a file; one with that content stays as it is."""
    task = {"pool": pool, "name": name, "download_to": file, "force": force}
    _run(session(ctx), task, check=check, diff=False)


@app.command()
def remove(
    ctx: typer.Context,
    pool: Pool,
    name: Name,
    force: Annotated[bool, typer.Option("--force", help="Although VMs have it.")] = False,
    yes: Yes = False,
    check: Check = False,
) -> None:
    """Delete a volume, and its data."""
    task = {"pool": pool, "name": name, "state": "absent", "force": force}
    question = f"Delete volume {name} in pool {pool}, and its data?"
    _run(session(ctx), task, check=check, diff=False, ask="" if yes else question)


def _run(here: Session, task: dict[str, Any], *, check: bool, diff: bool, ask: str = "") -> None:
    with here.fleet() as fleet:

        def run(checking: bool, tell: OnProgress) -> StorageVolumeResult:
            (result,) = fleet.storage.volumes.run([task], check=checking, on_progress=tell)
            return result

        change(here, run, check=check, diff=diff, ask=ask)
