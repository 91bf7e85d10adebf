# SPDX-License-Identifier: Apache-2.0
"""hostler openstack: servers, networks, and the ports that connect them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hostler.cli.session import Session, session

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

    from hostler.models.network import NetworkView, PortResult, PortView, ServerView

app = typer.Typer(no_args_is_help=True, help="OpenStack: servers, networks, ports.")
server = typer.Typer(no_args_is_help=True, help="Servers: list, show.")
network = typer.Typer(no_args_is_help=True, help="Networks: list, show.")
port = typer.Typer(no_args_is_help=True, help="Ports of servers: attach, detach.")
app.add_typer(server, name="server")
app.add_typer(network, name="network")
app.add_typer(port, name="port")

Server = Annotated[str, typer.Argument(help="The server's name or id.")]
Network = Annotated[str, typer.Argument(help="The network's name or id.")]
Name = Annotated[
    str | None, typer.Option(help="The port's name; SERVER-NETWORK-port where left out.")
]
Timeout = Annotated[int, typer.Option(min=1, help="Seconds that it may take.")]
Check = Annotated[bool, typer.Option("--check", help="Only show what would be done.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]

_BAD_INPUT = ("invalid_input", "invalid_config")


@server.command("list")
def list_servers(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Option(help="Only of exactly this name.")] = None,
    host: Annotated[str | None, typer.Option(help="Only on this host.")] = None,
    project: Annotated[str | None, typer.Option(help="Only of this project.")] = None,
    status: Annotated[str | None, typer.Option(help="Only these, such as ACTIVE.")] = None,
) -> None:
    """List the servers of all projects."""
    from hostler.cli.render import table, word

    here = session(ctx)
    with here.fleet() as fleet:
        found = fleet.openstack.servers(name=name, host=host, project=project, status=status)
    rows = [
        (
            one.name,
            word(one.status),
            one.host or "",
            one.tenant or one.tenant_id,
            ", ".join(address for listed in one.addresses.values() for address in listed),
        )
        for one in found
    ]
    if here.json:
        here.emit([one.model_dump(mode="json") for one in found])
    elif rows:
        here.show(
            table("server", "status", "host", "project", "addresses", rows=rows, wide="server")
        )
    else:
        here.say("No servers.", "dim")


@server.command("show")
def show_server(ctx: typer.Context, server: Server) -> None:
    """Show a server: its id, status, host and ports."""
    from hostler.cli.render import facts

    here = session(ctx)
    with here.fleet() as fleet:
        found = fleet.openstack.server(server, ports=True)
    if here.json:
        here.emit(found.model_dump(mode="json"))
        return
    here.show(facts(_of_server(found)))
    if found.ports:
        here.show("", _ports(found.ports))


@network.command("list")
def list_networks(ctx: typer.Context) -> None:
    """List the networks that we may see."""
    from hostler.cli.render import table, word

    here = session(ctx)
    with here.fleet() as fleet:
        found = fleet.openstack.networks()
    rows = [
        (
            one.name,
            word(one.status),
            _kind(one),
            "yes" if one.shared else "",
            ", ".join(subnet.cidr for subnet in one.subnets),
        )
        for one in found
    ]
    if here.json:
        here.emit([one.model_dump(mode="json") for one in found])
    elif rows:
        here.show(
            table("network", "status", "kind", "shared", "subnets", rows=rows, wide="subnets")
        )
    else:
        here.say("No networks.", "dim")


@network.command("show")
def show_network(ctx: typer.Context, network: Network) -> None:
    """Show a network and its subnets."""
    from hostler.cli.render import facts, table

    here = session(ctx)
    with here.fleet() as fleet:
        found = fleet.openstack.network(network)
    if here.json:
        here.emit(found.model_dump(mode="json"))
        return
    here.show(facts(_of_network(found)))
    rows = [
        (one.name, one.cidr, one.gateway_ip or "", ", ".join(one.allocation_pools))
        for one in found.subnets
    ]
    if rows:
        here.show("", table("subnet", "cidr", "gateway", "pools", rows=rows, wide="pools"))


@port.command()
def attach(
    ctx: typer.Context,
    server: Server,
    network: Network,
    name: Name = None,
    subnet: Annotated[str | None, typer.Option(help="The subnet's name or id.")] = None,
    fixed_ip: Annotated[str | None, typer.Option(help="The port's IP address.")] = None,
    mac: Annotated[str | None, typer.Option(help="The port's MAC address.")] = None,
    security_group: Annotated[
        list[str] | None, typer.Option(help="A security group, by name or id; may be repeated.")
    ] = None,
    timeout: Timeout = 120,
    yes: Yes = False,
    check: Check = False,
) -> None:
    """Connect a server to a network: make a port and attach it."""
    task = {
        "server": server,
        "network": network,
        "name": name,
        "subnet": subnet,
        "fixed_ip": fixed_ip,
        "mac": mac,
        "security_groups": security_group or None,
        "timeout": timeout,
    }
    _change(session(ctx), task, yes=yes, check=check)


@port.command()
def detach(
    ctx: typer.Context,
    server: Server,
    network: Network,
    name: Name = None,
    timeout: Timeout = 120,
    yes: Yes = False,
    check: Check = False,
) -> None:
    """Take a server off a network: detach its port and delete it."""
    task = {
        "server": server,
        "network": network,
        "state": "absent",
        "name": name,
        "timeout": timeout,
    }
    _change(session(ctx), task, yes=yes, check=check, must_ask=True)


def _change(
    here: Session, task: dict[str, Any], *, yes: bool, check: bool, must_ask: bool = False
) -> None:
    """Show what would be done, ask, do it, exit with its code."""
    from hostler.cli import render
    from hostler.cli.progress import bars

    with here.fleet() as fleet:
        planned = fleet.openstack.run_port(task, check=True)
        if check or planned.error or not planned.changed:
            _show(here, planned, check=True)
            raise typer.Exit(_code(planned))
        if not yes and not here.json:
            here.show(*render.preview(planned, with_diff=False))
        if not here.agreed("Go on?", yes=yes, must_ask=must_ask):
            raise typer.Abort
        with bars(here) as tell:
            done = fleet.openstack.run_port(task, on_progress=tell)
    _show(here, done, check=False)
    raise typer.Exit(_code(done))


def _show(here: Session, result: PortResult, *, check: bool) -> None:
    from hostler.cli import render

    if here.json:
        here.emit(result.model_dump(mode="json"))
        return
    if result.error:
        here.complain(f"Error: {result.error}")
    elif check and result.changed:
        here.show(*render.preview(result, with_diff=False))
    elif result.port:
        here.show(_ports([result.port]))
    else:
        here.say(f"There is no port {result.name}.", "dim")


def _code(result: PortResult) -> int:
    if not result.error:
        return 0
    return 2 if result.error_code in _BAD_INPUT else 1


def _ports(found: Iterable[PortView]) -> Table:
    from hostler.cli.render import table, word

    rows = [
        (one.name or one.id, word(one.status), ", ".join(one.addresses), one.mac) for one in found
    ]
    return table("port", "status", "addresses", "mac", rows=rows, wide="port")


def _of_server(found: ServerView) -> list[tuple[str, Any]]:
    from hostler.cli.render import word

    return [
        ("server", found.name),
        ("id", found.id),
        ("status", word(found.status)),
        ("task", found.task_state),
        ("power", found.power_state),
        ("host", found.host),
        ("zone", found.availability_zone),
        ("flavor", found.flavor),
        ("project", found.tenant or found.tenant_id),
        ("image", found.image),
        ("created", found.created),
        ("locked", "yes" if found.locked else None),
    ]


def _of_network(found: NetworkView) -> list[tuple[str, Any]]:
    from hostler.cli.render import word

    return [
        ("network", found.name),
        ("id", found.id),
        ("status", word(found.status)),
        ("kind", _kind(found)),
        ("on", found.physical_network),
        ("mtu", str(found.mtu or "")),
        ("shared", "yes" if found.shared else None),
        ("external", "yes" if found.external else None),
    ]


def _kind(found: NetworkView) -> str:
    number = "" if found.segmentation_id is None else f" {found.segmentation_id}"
    return f"{found.network_type}{number}" if found.network_type else ""
