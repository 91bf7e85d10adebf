# SPDX-License-Identifier: Apache-2.0
"""hostler hyperstack firewall: list, show, attach, detach."""

from __future__ import annotations

from typing import Annotated

import typer

from hostler.cli.hyperstack_change import Check, Env, Yes, change
from hostler.cli.session import session

app = typer.Typer(no_args_is_help=True, help="Firewalls: list, show, attach, detach.")

Firewall = Annotated[str, typer.Argument(help="The firewall's name or id.")]
Vms = Annotated[list[str], typer.Argument(help="Names or ids of VMs.")]


@app.command("list")
def list_(
    ctx: typer.Context,
    environment: Annotated[
        str | None, typer.Option("--environment", "-e", help="Only of this environment.")
    ] = None,
) -> None:
    """List firewalls."""
    from hostler.cli.render import table

    here = session(ctx)
    with here.fleet() as fleet:
        found = fleet.hyperstack.firewalls.list(environment)
    if here.json:
        here.emit([one.model_dump(mode="json") for one in found])
        return
    rows = [
        (
            one.name,
            one.environment.name or "",
            str(len(one.rules)),
            str(len(one.attachments)),
            str(one.id),
        )
        for one in found
    ]
    if rows:
        here.show(table("firewall", "environment", "rules", "vms", "id", rows=rows))
    else:
        here.say("No firewalls.", "dim")


@app.command()
def show(ctx: typer.Context, firewall: Firewall, environment: Env) -> None:
    """Show a firewall's rules, and what it is attached to."""
    from hostler.cli import render

    here = session(ctx)
    with here.fleet() as fleet:
        one = fleet.hyperstack.firewalls.get(firewall, environment=environment)
    if here.json:
        here.emit(one.model_dump(mode="json"))
        return
    vms = [f"{a.vm.name} ({a.status})" for a in one.attachments]
    facts = [
        ("Name", one.name),
        ("Id", str(one.id)),
        ("Environment", one.environment.name),
        ("Description", one.description),
        ("Rules", "\n".join(rule.text for rule in one.rules)),
        ("VMs", "\n".join(vms)),
    ]
    here.show(render.facts(facts))


@app.command()
def attach(
    ctx: typer.Context,
    firewall: Firewall,
    vms: Vms,
    environment: Env,
    check: Check = False,
) -> None:
    """Attach a firewall to VMs; whatever else is attached stays."""
    _change(ctx, firewall, vms, environment, "present", check=check, yes=True)


@app.command()
def detach(
    ctx: typer.Context,
    firewall: Firewall,
    vms: Vms,
    environment: Env,
    check: Check = False,
    yes: Yes = False,
) -> None:
    """Detach a firewall from VMs; whatever else is attached stays."""
    _change(ctx, firewall, vms, environment, "absent", check=check, yes=yes)


def _change(
    ctx: typer.Context,
    firewall: str,
    vms: list[str],
    environment: str,
    state: str,
    *,
    check: bool,
    yes: bool,
) -> None:
    here = session(ctx)
    task = {"firewall": firewall, "environment": environment, "vms": vms, "state": state}
    with here.fleet() as fleet:
        change(
            here,
            lambda dry, tell: [
                fleet.hyperstack.firewalls.attach(task, check=dry, on_progress=tell)
            ],
            "Detach it?" if state == "absent" else "",
            check=check,
            yes=yes,
        )
