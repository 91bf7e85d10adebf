# SPDX-License-Identifier: Apache-2.0
"""hostler vm: list, show, apply; the operations and snapshots have files of their own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hostler.cli import console, migrate, power, snapshot, vm_logs
from hostler.cli.complete import vm_names
from hostler.cli.session import session

if TYPE_CHECKING:
    from rich.text import Text

    from hostler.models.vm_view import Vm

app = typer.Typer(no_args_is_help=True, help="VMs: list, show, apply, start, stop, delete ...")

CHANGES = 3

Names = Annotated[list[str] | None, typer.Argument(help="Names or globs.", autocompletion=vm_names)]
Labels = Annotated[
    list[str] | None, typer.Option("--label", help="Only with this label: key or key=value.")
]
Statuses = Annotated[
    list[str] | None, typer.Option("--status", help="Only these: running, stopped, paused ...")
]
Fields = Annotated[
    list[str] | None,
    typer.Option("--field", help="Read more: config, hardware, stats, addresses, snapshots, xml."),
]


@app.command("list")
def list_(
    ctx: typer.Context,
    names: Names = None,
    status: Statuses = None,
    label: Labels = None,
    os_type: Annotated[str | None, typer.Option(help="Only this OS type.")] = None,
    search: Annotated[str | None, typer.Option(help="Part of the name or UUID.")] = None,
    field: Fields = None,
    sort: Annotated[
        str, typer.Option(help="name, status, cpu_cores or memory_mb; '-' before it turns it.")
    ] = "name",
    limit: Annotated[int, typer.Option(help="VMs on a page; 0 = all.")] = 0,
    page: Annotated[int, typer.Option(help="Which page.")] = 1,
) -> None:
    """List VMs."""
    from hostler.cli.query import query_of

    here = session(ctx)
    query = query_of(
        names,
        label,
        status=tuple(status or ()),
        os_type=os_type,
        search=search,
        fields=frozenset(field or ()),
        sort=sort,
        limit=limit,
        page=page,
    )
    with here.fleet() as fleet:
        found = fleet.vms.find(query)
    here.warn(found.warnings)
    if here.json:
        here.emit(found.model_dump(mode="json"))
        return
    _show_list(ctx, found.vms)
    if found.pages > 1:
        here.say(f"Page {found.page} of {found.pages}, {found.total} VMs", "dim")


def _show_list(ctx: typer.Context, vms: list[Vm]) -> None:
    from hostler.cli import render

    here = session(ctx)
    if not vms:
        here.say("No VMs.", "dim")
        return
    rows = [
        (
            vm.name,
            vm.host_id or "",
            render.word(vm.status),
            str(vm.cpu_cores),
            render.memory(vm.memory_mb),
            vm.network.ip_address or "",
            "restart" if vm.changes_pending else "",
        )
        for vm in vms
    ]
    columns = ("name", "host", "status", "cpus", "memory", "address", "due")
    here.show(render.table(*columns, rows=rows))


@app.command()
def show(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The VM's name.", autocompletion=vm_names)],
    xml: Annotated[bool, typer.Option("--xml", help="Print the domain's XML only.")] = False,
) -> None:
    """Show one VM in full."""
    here = session(ctx)
    fields = {"xml"} if xml else {"config", "hardware", "addresses", "snapshots"}
    with here.fleet() as fleet:
        vm = fleet.vms.get(name, fields=fields)
    here.warn(vm.warnings)
    if here.json:
        here.emit(vm.model_dump(mode="json"))
    elif xml:
        here.say(vm.xml or "")
    else:
        _show_one(ctx, vm)


def _show_one(ctx: typer.Context, vm: Vm) -> None:
    from hostler.cli import render

    here, hardware = session(ctx), vm.hardware
    here.show(render.facts(_facts(vm)))
    if hardware and hardware.disks + hardware.cdroms:
        disks = [
            (d.target, d.bus or "", _gib(d.capacity), d.path or d.volume or "")
            for d in hardware.disks + hardware.cdroms
        ]
        here.show("", render.table("disk", "bus", "size", "where", rows=disks, wide="where"))
    if vm.network.interfaces:
        cards = [
            (i.mac, i.source or i.type, i.model or "", ", ".join(i.addresses))
            for i in vm.network.interfaces
        ]
        here.show("", render.table("card", "network", "model", "addresses", rows=cards))
    if vm.snapshots:
        rows = [(s.name, render.when(s.created_at), s.state or "") for s in vm.snapshots]
        here.show("", render.table("snapshot", "made", "state", rows=rows, wide="snapshot"))


def _facts(vm: Vm) -> list[tuple[str, str | Text | None]]:
    from hostler.cli import render

    hardware = vm.hardware
    return [
        ("Name", vm.name),
        ("Status", render.word(vm.status)),
        ("Title", vm.title),
        ("Description", vm.description),
        ("Host", f"{vm.host} ({vm.uri})"),
        ("UUID", vm.uuid),
        ("CPUs", str(vm.cpu_cores)),
        ("Memory", render.memory(vm.memory_mb)),
        ("Address", vm.network.ip_address),
        ("OS", " ".join(filter(None, (vm.os_type, vm.os_version)))),
        ("Machine", f"{hardware.machine or ''} {hardware.firmware}".lstrip() if hardware else None),
        ("Labels", ", ".join(f"{k}={v}" for k, v in vm.labels.items())),
        ("VNC port", str(vm.vnc_port) if vm.vnc_port else None),
        ("Autostart", {True: "yes", False: "no", None: None}[vm.autostart]),
        ("Waits for restart", ", ".join(vm.changes_pending)),
    ]


def _gib(size: int | None) -> str:
    return "" if size is None else f"{size / 1024**3:.1f} GiB"


@app.command()
def pending(ctx: typer.Context, names: Names = None) -> None:
    """List VMs with changes that come into effect with their next start."""
    from hostler.cli import render
    from hostler.cli.query import query_of

    here = session(ctx)
    with here.fleet() as fleet:
        waiting = [vm for vm in fleet.vms.list(query_of(names, None)) if vm.changes_pending]
    if here.json:
        here.emit([{"name": vm.name, "changes_pending": vm.changes_pending} for vm in waiting])
    elif not waiting:
        here.say("No VM waits for a restart.", "dim")
    else:
        rows = [(vm.name, ", ".join(vm.changes_pending)) for vm in waiting]
        here.show(render.table("vm", "waits for restart", rows=rows, wide="waits for restart"))


@app.command()
def apply(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A VM document, or '-' for stdin.")],
    check: Annotated[bool, typer.Option("--check", help="Only show what would be done.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show the difference too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="With --check: 3 if there are changes.")
    ] = False,
    parallel: Annotated[int | None, typer.Option(help="How many at once.")] = None,
    max_failures: Annotated[
        int | None, typer.Option(help="Start no more once more than so many failed.")
    ] = None,
) -> None:
    """Bring VMs to what a file says. See 'hostler schema vm'."""
    from hostler.cli import outcome
    from hostler.cli.progress import bars
    from hostler.files import load_vms

    here = session(ctx)
    tasks = load_vms("/dev/stdin" if str(file) == "-" else file)
    how: dict[str, Any] = {"parallel": parallel, "max_failures": max_failures}
    with here.fleet() as fleet:
        request = fleet.vms.prepare(tasks)
        planned = request.preview()
        changes = outcome.show_plan(here, planned, with_diff=diff, final=check)
        if check:
            raise typer.Exit(CHANGES if changes and detailed_exitcode else 0)
        if changes and not here.agreed(f"Change {changes} of {len(planned)} VMs?", yes=yes):
            raise typer.Abort
        request.confirm()
        with bars(here) as tell:
            done = request.apply(on_progress=tell, **how)
    raise typer.Exit(outcome.show_results(here, done))


power.add_to(app)
console.add_to(app)
app.add_typer(snapshot.app, name="snapshot")
app.command("migrate")(migrate.migrate)
app.command("logs")(vm_logs.logs)
