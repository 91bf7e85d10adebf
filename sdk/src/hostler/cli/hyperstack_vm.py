# SPDX-License-Identifier: Apache-2.0
"""hostler hyperstack vm: list, show, create, start, stop, hibernate, restore, reboot, delete."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hostler.cli.hyperstack_change import Check, Env, Override, Yes, change
from hostler.cli.session import session

if TYPE_CHECKING:
    from hostler.models.hyperstack import HyperstackVm

app = typer.Typer(no_args_is_help=True, help="VMs: list, show, create, start, stop, delete ...")

Names = Annotated[list[str], typer.Argument(help="Names of VMs.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is there.")]
Timeout = Annotated[int, typer.Option(help="Seconds to wait at most.")]


@app.command("list")
def list_(
    ctx: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Names or globs.")] = None,
    environment: Annotated[
        str | None, typer.Option("--environment", "-e", help="Only of this environment.")
    ] = None,
    status: Annotated[list[str] | None, typer.Option(help="Only these, such as ACTIVE.")] = None,
    label: Annotated[list[str] | None, typer.Option(help="Only with this label.")] = None,
) -> None:
    """List VMs."""
    from hostler.cli.render import table, word

    here = session(ctx)
    filters = {"names": names, "environment": environment, "status": status, "labels": label}
    given: dict[str, Any] = {name: value for name, value in filters.items() if value}
    with here.fleet() as fleet:
        found = fleet.hyperstack.vms.list(**given)
    if here.json:
        here.emit([vm.model_dump(mode="json") for vm in found])
        return
    rows = [
        (
            vm.name,
            word(vm.status),
            vm.environment.name or "",
            vm.flavor.name or "",
            vm.floating_ip or vm.fixed_ip or "",
        )
        for vm in found
    ]
    if rows:
        here.show(table("vm", "status", "environment", "flavor", "address", rows=rows))
    else:
        here.say("No VMs.", "dim")


@app.command()
def show(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The VM's name.")],
    environment: Env,
    events: Annotated[bool, typer.Option("--events", help="What happened to it, too.")] = False,
    logs: Annotated[bool, typer.Option("--logs", help="Its console's log, too.")] = False,
) -> None:
    """Show one VM in full."""
    here = session(ctx)
    wanted = {"firewalls", *(["events"] if events else []), *(["logs"] if logs else [])}
    with here.fleet() as fleet:
        vm = fleet.hyperstack.vms.get(name, environment=environment, extra=wanted)
    if here.json:
        here.emit(vm.model_dump(mode="json"))
        return
    from hostler.cli import render

    here.show(render.facts(_facts(vm)))
    for event in vm.events or ():
        here.say(f"{event.get('time') or ''} {event.get('type')}: {event.get('message')}")
    if vm.logs:
        here.say(vm.logs)


def _facts(vm: HyperstackVm) -> list[tuple[str, Any]]:
    from hostler.cli import render

    return [
        ("Name", vm.name),
        ("Id", str(vm.id)),
        ("Status", render.word(vm.status)),
        ("Environment", vm.environment.name),
        ("Flavor", vm.flavor.name),
        ("Image", vm.image.name),
        ("Key", vm.keypair.name),
        ("Public address", vm.floating_ip),
        ("Address", vm.fixed_ip),
        ("Labels", ", ".join(vm.labels)),
        ("Firewalls", ", ".join(str(firewall.name) for firewall in vm.firewalls or ())),
        ("Rules", "\n".join(rule.text for rule in vm.security_rules)),
        ("Volumes", ", ".join(str(a.volume.name) for a in vm.volume_attachments)),
        ("Callback", vm.callback_url),
        ("Created", vm.created_at),
    ]


@app.command()
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The VM's name.")],
    environment: Env,
    image: Annotated[str, typer.Option(help="Name of the image.")],
    flavor: Annotated[str, typer.Option(help="Name of the flavor.")],
    key: Annotated[str, typer.Option(help="Name of the SSH key.")],
    user_data: Annotated[
        Path | None, typer.Option(help="File with cloud-init's user data.", exists=True)
    ] = None,
    floating_ip: Annotated[
        bool, typer.Option("--floating-ip", help="With a public address.")
    ] = False,
    label: Annotated[list[str] | None, typer.Option(help="A label.")] = None,
    wait: Wait = True,
    timeout: Timeout = 1800,
    check: Check = False,
) -> None:
    """Create a VM, unless it is there."""
    task = {
        "image": image,
        "flavor": flavor,
        "key": key,
        "user_data": user_data.read_text() if user_data else None,
        "floating_ip": floating_ip or None,
        "labels": label,
        "wait": wait,
        "wait_timeout": timeout,
    }
    _change(ctx, [name], environment, task, check=check)


def _power(state: str, words: str, question: str = "") -> Callable[..., None]:
    """Make the command that brings VMs to a state; ``question`` is asked before."""

    def act(
        ctx: typer.Context,
        names: Names,
        environment: Env,
        override_protection: Override = False,
        wait: Wait = True,
        timeout: Timeout = 1800,
        check: Check = False,
        yes: Yes = False,
    ) -> None:
        task = {
            "state": state,
            "wait": wait,
            "wait_timeout": timeout,
            "override_protection": override_protection,
        }
        _change(ctx, names, environment, task, check=check, yes=yes, question=question)

    act.__doc__ = words
    return act


app.command("start")(_power("started", "Start VMs, or restore them."))
app.command("stop")(_power("stopped", "Stop VMs; they still cost."))
app.command("hibernate")(_power("hibernated", "Hibernate VMs: their GPUs are given back."))
app.command("restore")(_power("restored", "Restore VMs that hibernate."))
app.command("reboot")(_power("rebooted", "Restart VMs, hard."))
app.command("delete")(_power("absent", "Delete VMs, and all that is on them.", "Delete VMs?"))


def _change(
    ctx: typer.Context,
    names: list[str],
    environment: str,
    task: dict[str, Any],
    *,
    check: bool,
    yes: bool = False,
    question: str = "",
) -> None:
    here = session(ctx)
    tasks = [{"name": name, "environment": environment, **task} for name in names]
    with here.fleet() as fleet:
        change(
            here,
            lambda dry, tell: fleet.hyperstack.vms.run(tasks, check=dry, on_progress=tell),
            question,
            check=check,
            yes=yes,
        )
