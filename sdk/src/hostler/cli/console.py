# SPDX-License-Identifier: Apache-2.0
"""hostler vm console, vnc and screenshot."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from hostler.cli.complete import vm_names
from hostler.cli.session import session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hostler.cli.session import Session
    from hostler.fleet import Fleet
    from hostler.models.console import Console

Name = Annotated[str, typer.Argument(help="The VM's name.", autocompletion=vm_names)]
Names = Annotated[list[str], typer.Argument(help="Names of VMs.", autocompletion=vm_names)]
Uses = Annotated[bool, typer.Option("--spice", help="SPICE, in place of VNC.")]
Proxy = Annotated[
    bool, typer.Option("--proxy", help="Start a WebSocket proxy, one URL for each VM.")
]


def console(
    ctx: typer.Context,
    name: Name,
    device: Annotated[
        str | None, typer.Option(help="Another serial port than the first: serial1 ...")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Take it from somebody who has it open.")
    ] = False,
) -> None:
    """Connect this terminal to a VM's serial console; leave with ^]."""
    from hostler.cli.terminal import connect, terminal

    here = session(ctx)
    with here.fleet() as fleet, terminal() as screen:
        serial = fleet.consoles.serial(name, device=device, force=force)
        try:
            here.complain(f"Connected to {name}. Leave with ^].", "dim")
            left = connect(screen, serial.socket)
        finally:
            serial.close()
    if not left:
        here.complain(f"{name}: the console ended.", "yellow")
        raise typer.Exit(1)
    here.complain("")


def vnc(
    ctx: typer.Context,
    names: Names,
    proxy: Proxy = False,
    spice: Uses = False,
    listen: Annotated[str, typer.Option(help="Address that the proxy listens on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Its port; 0 = a free one.")] = 0,
    cert: Annotated[Path | None, typer.Option(help="Certificate, for wss.")] = None,
    key: Annotated[Path | None, typer.Option(help="Its key, where that is another file.")] = None,
    show_password: Annotated[
        bool, typer.Option("--show-password", help="Tell the passwords too.")
    ] = False,
) -> None:
    """Tell where VMs' VNC or SPICE is; with --proxy, let browsers (noVNC) in, each URL once."""
    here = session(ctx)
    kind: Literal["vnc", "spice"] = "spice" if spice else "vnc"
    with here.fleet() as fleet:
        if proxy:
            serve: dict[str, Any] = {"listen": listen, "port": port, "cert": cert, "key": key}
            _serve(here, fleet, names, kind, serve)
            return
        found = [
            one
            for name in names
            for one in fleet.consoles.info(name, password=show_password)
            if one.type == kind
        ]
    _show(here, found, kind)


def _serve(
    here: Session,
    fleet: Fleet,
    names: Sequence[str],
    kind: Literal["vnc", "spice"],
    options: dict[str, Any],
) -> None:
    openers = {name: fleet.consoles.opener(name, kind) for name in names}
    with fleet.consoles.proxy(**options) as proxy:
        urls = {name: proxy.offer(opener) for name, opener in openers.items()}
        if here.json:
            here.emit([{"vm": name, "url": url} for name, url in urls.items()])
        for name, url in urls.items() if not here.json else ():
            here.say(f"{name}  {url}")
        here.complain("Each URL lets one browser in, once. Ctrl-C ends all.", "dim")
        with suppress(KeyboardInterrupt):
            proxy.wait()


def _show(here: Session, found: Sequence[Console], kind: str) -> None:
    from hostler.cli import render

    rows = [{**one.model_dump(mode="json"), "password": _secret(one)} for one in found]
    if here.json:
        here.emit(rows)
    elif not rows:
        here.say(f"No {kind.upper()} server.", "dim")
    else:
        columns = ("vm", "type", "host", "port", "tls_port", "via", "password")
        texts = [tuple("" if r[c] is None else str(r[c]) for c in columns) for r in rows]
        here.show(render.table("vm", "type", "host", "port", "tls", "via", "password", rows=texts))


def _secret(console: Console) -> str | None:
    return console.password.get_secret_value() if console.password else None


def screenshot(
    ctx: typer.Context,
    name: Name,
    file: Annotated[
        Path | None, typer.Argument(help="Where to write it; NAME.png where left out.")
    ] = None,
    screen: Annotated[int, typer.Option(help="Which screen.")] = 0,
) -> None:
    """Write a picture of a VM's screen to a PNG file."""
    here = session(ctx)
    with here.fleet() as fleet:
        picture = fleet.consoles.screenshot(name, screen=screen)
    path = file or Path(f"{name}.png")
    path.write_bytes(picture)
    if here.json:
        here.emit({"vm": name, "file": str(path), "bytes": len(picture)})
    else:
        here.say(f"{path}: {len(picture)} bytes")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(console)
    app.command()(vnc)
    app.command()(screenshot)
