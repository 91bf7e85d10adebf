# SPDX-License-Identifier: Apache-2.0
"""Progress bars, one for each plan at work; and what Ctrl-C does meanwhile."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from hostler.cli.session import Session
from hostler.plan.outcome import Progress as Step

INTERRUPTED = 130


@contextmanager
def bars(session: Session) -> Iterator[Callable[[Step], None] | None]:
    """Give what a plan's progress is told to; None where there is no terminal to draw on."""
    if session.quiet or session.json or not session.err.is_terminal:
        with patient(session):
            yield None
        return
    target = TextColumn("{task.fields[target]}", style="bold")
    columns = (target, BarColumn(20), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=session.err, transient=True) as display, patient(session):
        yield _teller(display)


def _teller(display: Progress) -> Callable[[Step], None]:
    tasks: dict[str, TaskID] = {}
    lock = threading.Lock()

    def tell(step: Step) -> None:
        with lock:
            if step.plan not in tasks:
                name = step.target.partition("/")[2] or step.target
                tasks[step.plan] = display.add_task("", total=step.total, target=name)
        done = step.number - 1 + step.fraction
        display.update(tasks[step.plan], completed=done, description=step.summary[:48])

    return tell


@contextmanager
def patient(session: Session) -> Iterator[None]:
    """Let the first Ctrl-C start no further VM and wait for those at work; the second leaves."""

    def first(_signal: int, _frame: object) -> None:
        signal.signal(signal.SIGINT, second)
        session.complain(
            "Finishing what is at work. Ctrl-C again leaves it half way: see 'hostler plan list'.",
            "yellow",
        )
        raise KeyboardInterrupt

    def second(_signal: int, _frame: object) -> None:
        os._exit(INTERRUPTED)

    before = signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
