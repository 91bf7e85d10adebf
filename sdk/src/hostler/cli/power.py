# SPDX-License-Identifier: Apache-2.0
"""hostler vm start, stop, restart, reset, pause, resume, delete: one operation on many VMs."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hostler.cli.complete import vm_names
from hostler.cli.session import session

if TYPE_CHECKING:
    from hostler.models.vm_task import Operation

Names = Annotated[list[str] | None, typer.Argument(help="Names or globs.", autocompletion=vm_names)]
Labels = Annotated[
    list[str] | None, typer.Option("--label", help="VMs with this label: key or key=value.")
]
Check = Annotated[bool, typer.Option("--check", help="Only show what would be done.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]

OPTIONS: dict[str, tuple[Any, Any]] = {
    "delete_disks": (
        Annotated[
            bool, typer.Option("--delete-disks", help="Delete their own writable disks too.")
        ],
        False,
    ),
    "force": (
        Annotated[
            bool, typer.Option("--force", help="Hard, if the guest does not follow or still runs.")
        ],
        False,
    ),
    "timeout": (
        Annotated[int, typer.Option(help="Seconds that a guest gets to shut down.")],
        120,
    ),
    "override_protection": (
        Annotated[
            bool,
            typer.Option("--override-protection", help="VMs that the fleet protects, too."),
        ],
        False,
    ),
}
"""What some operations take: fields of VmOptions, each with its option and its default."""


def command(operation: Operation, what: str, *options: str, asks: bool = False) -> Any:
    """Make the command of an operation.

    typer reads a function's signature, so that each command has one of its own: the options that
    all of them share, those that it names, and ``--yes`` where it asks.
    """

    def run(ctx: typer.Context, **given: Any) -> None:
        names, labels, check = given["names"], given["label"], given["check"]
        chosen = {name: given[name] for name in options}
        ask = asks and not given["yes"]
        operate(ctx, operation, names, labels, check=check, options=chosen, ask=ask)

    def parameter(name: str, kind: Any, default: Any) -> Parameter:
        return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=kind)

    parameters = [
        Parameter("ctx", Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
        parameter("names", Names, None),
        parameter("label", Labels, None),
        *(parameter(name, *OPTIONS[name]) for name in options),
        *([parameter("yes", Yes, False)] if asks else []),
        parameter("check", Check, False),
    ]
    run.__name__, run.__doc__ = operation, what
    vars(run)["__signature__"] = Signature(parameters)
    return run


PROTECTED = "override_protection"
COMMANDS: tuple[Callable[..., None], ...] = (
    command("start", "Start VMs."),
    command("stop", "Shut VMs down.", "force", "timeout", PROTECTED),
    command(
        "restart",
        "Shut VMs down and start them again; changes that wait come into effect.",
        *("force", "timeout", PROTECTED),
    ),
    command("reset", "Reset VMs, as by the button: the guest is not asked.", PROTECTED),
    command("pause", "Pause VMs; their memory stays.", PROTECTED),
    command("resume", "Let paused VMs go on."),
    command(
        "delete",
        "Delete VMs; their disks stay unless you say so.",
        *("delete_disks", "force", PROTECTED),
        asks=True,
    ),
)


def operate(
    ctx: typer.Context,
    operation: Operation,
    names: list[str] | None,
    labels: list[str] | None,
    *,
    check: bool,
    options: dict[str, Any] | None = None,
    ask: bool = False,
) -> None:
    """Do one operation to VMs, with progress and a table of results."""
    from hostler.cli import outcome
    from hostler.cli.progress import bars
    from hostler.cli.query import some

    here, query = session(ctx), some(names, labels)
    with here.fleet() as fleet:
        request = fleet.vms.prepare_batch(operation, query, options=options)
        here.warn(f"host {host}: {why}" for host, why in request.unreachable.items())
        if check or ask:
            planned = request.preview(read_back=False)
            changes = outcome.show_plan(here, planned, with_diff=False, final=check)
            if check:
                return
            question = f"{operation.capitalize()} {changes} VMs?"
            if changes and not here.agreed(question, yes=not ask, must_ask=True):
                raise typer.Abort
            request.confirm()
        with bars(here) as tell:
            done = request.apply(read_back=False, on_progress=tell)
    raise typer.Exit(outcome.show_results(here, done))


def add_to(app: typer.Typer) -> None:
    """Add the operations to ``hostler vm``."""
    for made in COMMANDS:
        app.command()(made)
