# SPDX-License-Identifier: Apache-2.0
"""hostler schema: the JSON Schemas of the files, for editors."""

from __future__ import annotations

import typer

from hostler.cli.session import session

app = typer.Typer(no_args_is_help=True, help="Print the JSON Schema of a file, for editors.")


@app.command()
def vm(ctx: typer.Context) -> None:
    """Print the JSON Schema of VM documents ('hostler vm apply')."""
    from hostler.schema import vm_schema

    session(ctx).emit(vm_schema())


@app.command()
def fleet(ctx: typer.Context) -> None:
    """Print the JSON Schema of fleet.yml."""
    from hostler.schema import fleet_schema

    session(ctx).emit(fleet_schema())
