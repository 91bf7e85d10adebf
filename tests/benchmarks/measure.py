# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs commands several times and takes the medians of what they cost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median


class Failed(Exception):
    """A command that is measured must succeed."""


@dataclass(frozen=True)
class Cost:
    """Seconds: on the clock, and of CPU in the process and all its children."""

    wall: float
    cpu: float


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Run:
    """A command to measure.

    Attributes:
        command: the command's words.
        env: what it finds in its environment beside what we have.
        prepare: called before each run, and not measured.
        at_most: how many times it is run at most, because it takes long.
    """

    command: Sequence[object]
    env: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], object] = _nothing
    at_most: int = sys.maxsize


def measure(wanted: Mapping[str, Run], *, rounds: int) -> dict[str, Cost]:
    """Return the median costs of commands.

    They take turns: what else the machine does then weighs on all of them alike.

    Raises:
        Failed: a command ended with an error.
    """
    costs: dict[str, list[Cost]] = {name: [] for name in wanted}
    for number in range(rounds):
        for name, run in wanted.items():
            if number < run.at_most:
                run.prepare()
                costs[name].append(_once(run.command, {**os.environ, **run.env}))
    return {
        name: Cost(median(cost.wall for cost in made), median(cost.cpu for cost in made))
        for name, made in costs.items()
    }


def _once(command: Sequence[object], env: Mapping[str, str]) -> Cost:
    begin = time.perf_counter()
    process = subprocess.Popen(
        [str(part) for part in command],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _pid, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.stdout.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        words = " ".join(str(part) for part in command)
        raise Failed(f"{words}: exit code {process.returncode}\n{output[-2000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime)
