# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command several times and takes the median of what it cost."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median


class Failed(Exception):
    """A command that is measured must succeed."""


@dataclass(frozen=True)
class Cost:
    """Seconds: on the clock, and of CPU in the process and all its children."""

    wall: float
    cpu: float


def measure(
    command: Sequence[object],
    *,
    runs: int,
    env: Mapping[str, str] | None = None,
    prepare: Callable[[], object] = lambda: None,
) -> Cost:
    """Return the medians of several runs; ``prepare`` is called before each, and not measured.

    Raises:
        Failed: a run ended with an error.
    """
    costs = []
    for _ in range(runs):
        prepare()
        costs.append(_once(command, {**os.environ, **(env or {})}))
    return Cost(median(cost.wall for cost in costs), median(cost.cpu for cost in costs))


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
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.stdout.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        words = " ".join(str(part) for part in command)
        raise Failed(f"{words}: exit code {process.returncode}\n{output[-2000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime)
