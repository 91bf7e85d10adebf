# SPDX-License-Identifier: Apache-2.0
"""hostler network: virtual networks of hypervisors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hostler.cli.change import Check, Diff, change
from hostler.cli.complete import network_names
from hostler.cli.session import Session, session
from hostler.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hostler.models.libvirt_network import NetworkResult
    from hostler.plan.runner import OnProgress

app = typer.Typer(no_args_is_help=True, help="Virtual networks of hypervisors.")

Names = Annotated[
    list[str] | None, typer.Argument(help="Names or globs; all.", autocompletion=network_names)
]
Name = Annotated[str, typer.Argument(help="The network's name.", autocompletion=network_names)]
Force = Annotated[bool, typer.Option("--force", help="Although VMs are connected to it.")]
Mode = Annotated[str | None, typer.Option(help="nat, routed, isolated, bridge, openvswitch; nat.")]
Dhcp = Annotated[list[str] | None, typer.Option(help="A range: FIRST-LAST. Those given are all.")]
Reserve = Annotated[list[str] | None, typer.Option(help="MAC=ADDRESS[,NAME]. Those given are all.")]
Portgroup = Annotated[
    list[str] | None,
    typer.Option(help="NAME[=VLAN,VLAN]; the first is the default. Those given are all."),
]
Autostart = Annotated[
    bool | None, typer.Option("--autostart/--no-autostart", help="Starts with the host.")
]


@app.command("list")
def list_(ctx: typer.Context, names: Names = None) -> None:
    """List networks."""
    from hostler.cli import storage_tables

    here = session(ctx)
    with here.fleet() as fleet:
        found = fleet.networks.list(names or ())
    if here.json:
        here.emit([one.model_dump(mode="json") for one in found])
    elif not found:
        here.say("No networks. Make one: hostler network set NAME --address 10.20.0.1/24", "dim")
    else:
        here.show(storage_tables.networks(found))


@app.command()
def show(ctx: typer.Context, name: Name) -> None:
    """Show one network in full."""
    from hostler.cli import storage_tables

    here = session(ctx)
    with here.fleet() as fleet:
        (found,) = fleet.networks.list([name])
    if here.json:
        here.emit(found.model_dump(mode="json"))
        return
    for part in storage_tables.network(found):
        here.show(*part)


@app.command("set")
def set_(
    ctx: typer.Context,
    name: Name,
    mode: Mode = None,
    bridge: Annotated[str | None, typer.Option(help="Name of the bridge.")] = None,
    address: Annotated[str | None, typer.Option(help="The host's own: 10.20.0.1/24.")] = None,
    domain: Annotated[str | None, typer.Option(help="DNS domain of the guests.")] = None,
    mtu: Annotated[int | None, typer.Option(help="In bytes.")] = None,
    dhcp: Dhcp = None,
    reserve: Reserve = None,
    vlan: Annotated[list[int] | None, typer.Option(help="Of all ports, on Open vSwitch.")] = None,
    portgroup: Portgroup = None,
    active: Annotated[bool | None, typer.Option("--active/--stopped", help="Runs.")] = None,
    autostart: Autostart = None,
    force: Force = False,
    check: Check = False,
    diff: Diff = False,
) -> None:
    """Create a network, or change it; what is left out stays."""
    task = {
        "name": name,
        "mode": mode,
        "bridge": bridge,
        "address": address,
        "domain": domain,
        "mtu": mtu,
        "dhcp_ranges": [_range(one) for one in dhcp] if dhcp else None,
        "dhcp_hosts": [_host(one) for one in reserve] if reserve else None,
        "vlans": vlan or None,
        "portgroups": _portgroups(portgroup) if portgroup else None,
        "active": active,
        "autostart": autostart,
        "force": force,
    }
    _run(session(ctx), task, check=check, diff=diff)


@app.command()
def remove(
    ctx: typer.Context,
    name: Name,
    force: Force = False,
    check: Check = False,
    diff: Diff = False,
) -> None:
    """Stop and remove a network; VMs stay as they are."""
    task = {"name": name, "state": "absent", "force": force}
    _run(session(ctx), task, check=check, diff=diff)


def _run(here: Session, task: dict[str, Any], *, check: bool, diff: bool) -> None:
    with here.fleet() as fleet:

        def run(checking: bool, _tell: OnProgress) -> NetworkResult:
            (result,) = fleet.networks.run([task], check=checking)
            return result

        change(here, run, check=check, diff=diff)


def _range(text: str) -> dict[str, str]:
    start, dash, end = text.partition("-")
    if not dash:
        raise InvalidInput(f"{text!r} is no range", on="--dhcp", hint="Write FIRST-LAST.")
    return {"start": start.strip(), "end": end.strip()}


def _host(text: str) -> dict[str, str]:
    mac, sign, rest = text.partition("=")
    if not sign:
        hint = "Write MAC=ADDRESS or MAC=ADDRESS,NAME."
        raise InvalidInput(f"{text!r} reserves nothing", on="--reserve", hint=hint)
    address, _, name = rest.partition(",")
    return {"mac": mac, "address": address, **({"name": name} if name else {})}


def _portgroups(texts: Sequence[str]) -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = []
    for text in texts:
        name, _, vlans = text.partition("=")
        group = {"name": name, "default": not groups, "vlans": vlans.split(",") if vlans else []}
        groups.append(group)
    return groups
