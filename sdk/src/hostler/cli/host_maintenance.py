# SPDX-License-Identifier: Apache-2.0
"""hostler host drain, activate: a host is emptied, and taken back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hostler.cli.complete import host_ids
from hostler.cli.session import session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hostler.cli.session import Session
    from hostler.models.host_maintenance import HostMaintenanceResult
    from hostler.models.vm_migration import MigrationFigures
    from hostler.plan.outcome import Progress

Ids = Annotated[list[str], typer.Argument(help="The hosts' ids.", autocompletion=host_ids)]
Check = Annotated[bool, typer.Option("--check", help="Only show what would be done.")]
Diff = Annotated[bool, typer.Option("--diff", help="Show the difference too.")]
Parallel = Annotated[int | None, typer.Option(help="How many VMs at once.")]
Partial = Annotated[
    bool, typer.Option("--partial", help="Move the others although some can't be moved.")
]
Storage = Annotated[str, typer.Option(help="shared, copy or incremental.")]
Unsafe = Annotated[
    bool, typer.Option("--unsafe", help="Though libvirt can't tell that storage is shared.")
]
PeerToPeer = Annotated[bool, typer.Option("--peer-to-peer", help="The sources' daemons drive it.")]
Bandwidth = Annotated[int | None, typer.Option(help="At most so many MiB/s for each VM.")]
Timeout = Annotated[int | None, typer.Option(help="Seconds for each VM until --on-timeout.")]
OnTimeout = Annotated[str, typer.Option(help="abort, suspend or post-copy.")]
PostCopy = Annotated[bool, typer.Option("--post-copy", help="Allow post-copy.")]
AutoConverge = Annotated[bool, typer.Option("--auto-converge", help="Slow busy guests down.")]
Override = Annotated[
    bool, typer.Option("--override-protection", help="Although the fleet protects it, or a VM.")
]


def drain(
    ctx: typer.Context,
    ids: Ids,
    stopped_vms: Annotated[
        str, typer.Option(help="leave, or move: the definitions of VMs that are off, too.")
    ] = "leave",
    strategy: Annotated[str, typer.Option(help="spread, pack or most_free.")] = "spread",
    partial: Partial = False,
    storage: Storage = "shared",
    unsafe: Unsafe = False,
    peer_to_peer: PeerToPeer = False,
    bandwidth: Bandwidth = None,
    timeout: Timeout = None,
    on_timeout: OnTimeout = "abort",
    post_copy: PostCopy = False,
    auto_converge: AutoConverge = False,
    override_protection: Override = False,
    parallel: Parallel = None,
    check: Check = False,
    diff: Diff = False,
) -> None:
    """Move all VMs of hosts elsewhere while they run; no new ones are placed there."""
    task: dict[str, Any] = {
        "state": "drained",
        "stopped_vms": stopped_vms,
        "strategy": strategy,
        "partial": partial,
        "storage": storage,
        "unsafe": unsafe,
        "peer_to_peer": peer_to_peer,
        "bandwidth": bandwidth,
        "timeout": timeout,
        "on_timeout": on_timeout,
        "post_copy": post_copy,
        "auto_converge": auto_converge,
        "override_protection": override_protection,
    }
    raise typer.Exit(_run(session(ctx), ids, task, parallel, check=check, diff=diff))


def activate(
    ctx: typer.Context,
    ids: Ids,
    return_vms: Annotated[
        bool, typer.Option("--return-vms", help="Move the VMs back that were moved away.")
    ] = False,
    partial: Partial = False,
    storage: Storage = "shared",
    unsafe: Unsafe = False,
    peer_to_peer: PeerToPeer = False,
    bandwidth: Bandwidth = None,
    timeout: Timeout = None,
    on_timeout: OnTimeout = "abort",
    override_protection: Override = False,
    parallel: Parallel = None,
    check: Check = False,
    diff: Diff = False,
) -> None:
    """Take hosts back: VMs are placed there again."""
    task: dict[str, Any] = {
        "state": "active",
        "return_vms": return_vms,
        "partial": partial,
        "storage": storage,
        "unsafe": unsafe,
        "peer_to_peer": peer_to_peer,
        "bandwidth": bandwidth,
        "timeout": timeout,
        "on_timeout": on_timeout,
        "override_protection": override_protection,
    }
    raise typer.Exit(_run(session(ctx), ids, task, parallel, check=check, diff=diff))


def _run(
    here: Session,
    ids: Sequence[str],
    task: dict[str, Any],
    parallel: int | None,
    *,
    check: bool,
    diff: bool,
) -> int:
    from hostler.cli import outcome, progress

    tasks = [{"host": host, **task} for host in ids]
    with here.fleet() as fleet, progress.bars(here) as tell:

        def told(step: Progress, figures: MigrationFigures | None) -> None:
            if tell:
                tell(replace(step, summary=figures.text) if figures else step)

        done = fleet.hosts.maintenance.run(tasks, check=check, parallel=parallel, on_progress=told)
    if here.json:
        here.emit([result.model_dump(mode="json") for result in done])
    else:
        for result in done:
            _show(here, result, check=check, diff=diff)
    return outcome.exit_code(done)


def _show(here: Session, result: HostMaintenanceResult, *, check: bool, diff: bool) -> None:
    from hostler.cli import host_tables, render

    here.warn(result.plan.warnings if result.plan else ())
    if result.moves:
        here.show(host_tables.moves(result.moves))
    if result.error:
        here.complain(f"Error: {result.error}")
    elif not result.changed:
        here.say(f"{result.name}: nothing to do.", "dim")
    elif check:
        here.say(f"{result.name}: {_sum(result)}")
    else:
        here.say(f"{result.name}: {_sum(result)}", "green")
    if result.vms and not here.quiet:
        here.say(f"{result.name} keeps VMs that are off: {', '.join(result.vms)}", "dim")
    if diff and result.changed and result.after:
        here.show(render.diff(result.before, result.after, result.name))


def _sum(result: HostMaintenanceResult) -> str:
    """Say in one line what became of a host."""
    moves = [move for move in result.moves if move.error is None]
    number = "1 VM" if len(moves) == 1 else f"{len(moves)} VMs"
    state = "in maintenance" if result.after.get("maintenance") else "active"
    return f"{state}, {number} moved"
