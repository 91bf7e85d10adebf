# SPDX-License-Identifier: Apache-2.0
"""hostler doctor: what VMs need on a host, and how to mend what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hostler.cli.session import Session, session

if TYPE_CHECKING:
    from hostler.doctor.finding import Finding

_MARKS = {"ok": "✓", "warn": "!", "fail": "✗"}


def doctor(
    ctx: typer.Context,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended safely.")] = False,
    probe: Annotated[
        bool, typer.Option("--probe", help="Run the KVM guest again; its answer is kept else.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> None:
    """Look at what VMs need on a host, and say how to mend it."""
    here = session(ctx)
    if probe:
        from hostler.doctor.kvm import forget

        forget()
    findings = _examine(here)
    if fix and _mend(here, findings, yes=yes):
        findings = _examine(here)
    if here.json:
        here.emit([_data(finding) for finding in findings])
    raise typer.Exit(any(finding.status == "fail" for finding in findings))


def _examine(here: Session) -> list[Finding]:
    """Look at everything; tell each finding as soon as it is known."""
    from hostler.doctor.examine import examine

    findings = []
    with here.fleet() as fleet:
        for finding in examine(fleet.hypervisor, fleet.journal, fleet.uri):
            findings.append(finding)
            if not here.json:
                _tell(here, finding)
    return findings


def _tell(here: Session, finding: Finding) -> None:
    from rich.table import Table
    from rich.text import Text

    from hostler.cli import render

    if here.quiet and finding.status != "ok":
        here.complain(f"{finding.name}: {finding.what}. {finding.mend}".strip())
    row = Table.grid(padding=(0, 1))
    for width in (1, 12, None):
        row.add_column(width=width)
    mark = Text(_MARKS[finding.status], style=render.STYLES[finding.status])
    row.add_row(mark, Text(finding.name, style="bold"), Text(finding.what))
    if finding.mend:
        row.add_row("", "", Text(finding.mend, style="dim"))
    here.show(row)


def _mend(here: Session, findings: list[Finding], *, yes: bool) -> bool:
    """Show the commands, ask, run them; whether there was something to mend.

    Raises:
        HostlerError: a command failed.
    """
    fixes = [finding.fix for finding in findings if finding.fix]
    if not fixes:
        return False
    if not here.json:
        here.say("\nWill run:")
        for fix in fixes:
            for command in fix.shown:
                here.say(f"  $ {command}", "cyan")
    if not here.agreed("Run these?", yes=yes, must_ask=True):
        raise typer.Abort
    for fix in fixes:
        fix.run()
    return True


def _data(finding: Finding) -> dict[str, Any]:
    return {
        "name": finding.name,
        "status": finding.status,
        "what": finding.what,
        "mend": finding.mend,
        "fix": finding.fix.shown if finding.fix else [],
    }
