# SPDX-License-Identifier: Apache-2.0
"""hostler vm migrate: moves a VM to another hypervisor, or gives its move up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from hostler.cli.complete import vm_names
from hostler.cli.session import session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hostler.cli.session import Session
    from hostler.models.vm_migration import MigrationFigures, VmMigrationResult
    from hostler.plan.outcome import Progress

Unsafe = Annotated[
    bool, typer.Option("--unsafe", help="Though libvirt can't tell that storage is shared.")
]
PeerToPeer = Annotated[bool, typer.Option("--peer-to-peer", help="The source's daemon drives it.")]
AutoConverge = Annotated[bool, typer.Option("--auto-converge", help="Slow a busy guest down.")]
Connections = Annotated[int | None, typer.Option(help="How many carry the memory.")]
Abort = Annotated[bool, typer.Option("--abort", help="Give up its move that is under way.")]
Override = Annotated[
    bool, typer.Option("--override-protection", help="A VM that the fleet protects, too.")
]


def migrate(
    ctx: typer.Context,
    vm: Annotated[str, typer.Argument(help="The VM's name.", autocompletion=vm_names)],
    to: Annotated[str | None, typer.Option("--to", help="The host of the pool.")] = None,
    to_uri: Annotated[str | None, typer.Option(help="In its place, a libvirt URI.")] = None,
    mode: Annotated[str | None, typer.Option(help="live, paused or offline.")] = None,
    storage: Annotated[str, typer.Option(help="shared, copy or incremental.")] = "shared",
    unsafe: Unsafe = False,
    peer_to_peer: PeerToPeer = False,
    bandwidth: Annotated[int | None, typer.Option(help="At most so many MiB/s.")] = None,
    timeout: Annotated[int | None, typer.Option(help="Seconds until --on-timeout.")] = None,
    on_timeout: Annotated[str, typer.Option(help="abort, suspend or post-copy.")] = "abort",
    post_copy: Annotated[bool, typer.Option("--post-copy", help="Allow post-copy.")] = False,
    auto_converge: AutoConverge = False,
    compression: Annotated[bool, typer.Option("--compression", help="Of the memory.")] = False,
    parallel_connections: Connections = None,
    override_protection: Override = False,
    abort: Abort = False,
    check: Annotated[bool, typer.Option("--check", help="Only show what would be done.")] = False,
) -> None:
    """Move a VM to another hypervisor, while it runs or not."""
    task: dict[str, object] = {"vm": vm, "target_host": to, "target_uri": to_uri, "mode": mode}
    task |= {"storage": storage, "unsafe": unsafe, "peer_to_peer": peer_to_peer}
    task |= {"bandwidth": bandwidth, "timeout": timeout, "on_timeout": on_timeout}
    task |= {"post_copy": post_copy, "auto_converge": auto_converge, "compression": compression}
    task |= {"parallel_connections": parallel_connections}
    task |= {"override_protection": override_protection}
    if abort:
        _abort(session(ctx), vm)
    else:
        raise typer.Exit(_run(session(ctx), task, check=check))


def _abort(here: Session, vm: str) -> None:
    with here.fleet() as fleet:
        fleet.migrations.abort(vm)
    if here.json:
        here.emit({"aborted": vm})
    else:
        here.say(f"{vm}: its move is given up; it stays where it is.")


def _run(here: Session, task: dict[str, object], *, check: bool) -> int:
    from hostler.cli import outcome, progress

    with here.fleet() as fleet, progress.bars(here) as tell:

        def told(step: Progress, figures: MigrationFigures | None) -> None:
            if tell:
                tell(replace(step, summary=figures.text) if figures else step)

        done = fleet.migrations.run([task], check=check, on_progress=told)
    _show(here, done, check=check)
    return outcome.exit_code(done)


def _show(here: Session, done: Sequence[VmMigrationResult], *, check: bool) -> None:
    if here.json:
        here.emit([result.model_dump(mode="json") for result in done])
        return
    for result in done:
        here.warn(result.plan.warnings if result.plan else ())
        if result.error:
            here.complain(f"Error: {result.error}")
            if result.runs_on:
                here.complain(f"{result.name} runs on {result.runs_on}.", "yellow")
            continue
        here.say(result.plan.summary if result.plan and check else _became(result))
        for command in result.plan.commands if result.plan and check else ():
            here.say(f"  {command}", "dim")


def _became(result: VmMigrationResult) -> str:
    words = [f"{result.name}: {result.status}"]
    if result.runs_on:
        words.append(f"runs on {result.runs_on}")
    if result.downtime is not None:
        words.append(f"stood still for {result.downtime} ms")
    return ", ".join(words)
