# SPDX-License-Identifier: Apache-2.0
"""hostler report: the fleet at a glance, in one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hostler.cli.session import session


def report(
    ctx: typer.Context,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file; '-' prints it.")],
    title: Annotated[str, typer.Option(help="Its heading.")] = "Fleet report",
    hours: Annotated[int, typer.Option(min=1, help="How far back its charts go.")] = 24,
    commands: Annotated[int, typer.Option(min=0, help="How many of the last commands.")] = 20,
    timeout: Annotated[float, typer.Option(help="Seconds that each host gets.")] = 30,
) -> None:
    """Write one HTML file: hosts, VMs, GPU pools, alerts, charts, last commands."""
    from hostler.report.service import rendered, write
    from hostler.report.wording import plural

    here = session(ctx)
    with here.fleet() as fleet:
        data = fleet.report.data(title=title, hours=hours, commands=commands, timeout=timeout)
    html = rendered(data)
    if str(output) == "-":
        typer.echo(html)
        return
    write(html, output)
    hosts, vms, alerts = len(data.hosts), len(data.vms), len(data.alerts.alerts)
    if here.json:
        here.emit({"path": str(output), "hosts": hosts, "vms": vms, "alerts": alerts})
    else:
        found = f"{plural(hosts, 'host')}, {plural(vms, 'VM')}, {plural(alerts, 'alert')}"
        here.say(f"Wrote {output}: {found}.", "green")
