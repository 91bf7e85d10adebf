# SPDX-License-Identifier: Apache-2.0
"""Tables, diffs and sentences for people, at home in 80 columns."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import yaml
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from hostler.models.result import Result
    from hostler.models.vm_task import VmResult

FOLDED = 20  # a column that folds keeps as many characters
STYLES = {
    "running": "green", "done": "green", "ok": "green", "changed": "green", "unchanged": "dim",
    "stopped": "dim", "pending": "dim", "undone": "yellow", "paused": "yellow", "warn": "yellow",
    "stopping": "yellow", "suspended": "yellow", "skipped": "yellow", "interrupted": "yellow",
    "unsure": "yellow", "undoing": "yellow", "started": "cyan", "would change": "cyan",
    "active": "green", "ACTIVE": "green", "disabled": "yellow", "unknown": "yellow", "down": "red",
    "SHUTOFF": "dim", "ERROR": "red", "failed": "red", "fail": "red", "crashed": "red",
}  # fmt: skip


def table(*columns: str, rows: Iterable[Sequence[str | Text]], wide: str = "") -> Table:
    """Return a table without its empty columns; ``wide`` folds, the others keep their width."""
    cells = [[cell if isinstance(cell, Text) else Text(cell) for cell in row] for row in rows]
    filled = [i for i in range(len(columns)) if any(row[i].plain for row in cells)]
    made = Table(box=None, pad_edge=False, header_style="bold")
    for i in filled:
        folds, widths = columns[i] == wide, [len(columns[i]), *(row[i].cell_len for row in cells)]
        least = min(max(widths), FOLDED) if folds else max(widths)
        made.add_column(columns[i].upper(), no_wrap=not folds, overflow="fold", min_width=least)
    for row in cells:
        made.add_row(*(row[i] for i in filled))
    return made


def facts(rows: Iterable[tuple[str, str | Text | None]]) -> Table:
    """Return names and values, one to a line; those without a value are left out."""
    made = Table(box=None, pad_edge=False, show_header=False)
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in rows:
        if value:
            made.add_row(name, value if isinstance(value, Text) else Text(value))
    return made


def word(status: str) -> Text:
    """Return a status in its colour."""
    return Text(status, style=STYLES.get(status, ""))


def when(moment: datetime | None) -> str:
    """Write a time in the local zone."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S") if moment else ""


def seconds(value: float | None) -> str:
    """Write a duration."""
    return "" if value is None else f"{value:.1f} s"


def memory(mebibytes: int) -> str:
    """Write a size of memory."""
    gibibytes = mebibytes / 1024
    return f"{gibibytes:g} GiB" if gibibytes >= 1 and gibibytes * 4 % 1 == 0 else f"{mebibytes} MiB"


def diff(before: dict[str, Any], after: dict[str, Any], name: str) -> Text:
    """Return the difference of two states as coloured YAML."""
    old, new = (_yaml(state).splitlines() for state in (before, after))
    colours = {"+": "green", "-": "red", "@": "cyan"}
    lines = difflib.unified_diff(old, new, f"{name} now", f"{name} then", lineterm="", n=2)
    return Text("\n").join(Text(line, style=colours.get(line[0], "")) for line in lines)


def _yaml(state: dict[str, Any]) -> str:
    return yaml.safe_dump(state, sort_keys=True, allow_unicode=True) if state else ""


def became(result: Result, *, check: bool) -> str:
    """Say in a word what became of one thing."""
    if result.error:
        return "skipped" if result.error_code == "skipped" else "failed"
    if not result.changed:
        return "unchanged"
    return "would change" if check else "changed"


def preview(result: Result, *, with_diff: bool) -> Iterable[Text]:
    """Show what would be done to one thing: its steps as commands, and the difference."""
    plan = result.plan
    yield Text.assemble((result.name, "bold"), f": {plan.summary if plan else ''}")
    for command in plan.commands if plan else ():
        yield Text(f"  $ {command}", style="cyan")
    if with_diff and result.changed:
        yield diff(result.before, result.after, result.name)


def results(done: Sequence[VmResult], *, check: bool = False) -> Table:
    """Return the table of what became of VMs."""
    rows = [
        (
            result.name,
            result.host_id or "",
            word(became(result, check=check)),
            word(result.vm.status if result.vm else ""),
            (result.vm.network.ip_address or "") if result.vm else "",
            ", ".join(result.changes_pending),
        )
        for result in done
    ]
    columns = ("vm", "host", "result", "status", "address", "waits for restart")
    return table(*columns, rows=rows, wide="waits for restart")
