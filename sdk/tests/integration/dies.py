# SPDX-License-Identifier: Apache-2.0
"""A program for the tests to lose: runs a task and kills itself before or after a step.

dies.py URI JOURNAL TASK before:N|after:N
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from hostler import Fleet
from hostler.config import FleetConfig
from hostler.plan.outcome import Progress
from hostler.plan.step import Report, Step, World


def main() -> None:
    uri, journal, task, moment = sys.argv[1:]
    when, _, number = moment.partition(":")
    fleet = Fleet(FleetConfig(store=f"sqlite:///{journal}"), uri=uri)
    [plan] = fleet.vms.plan([json.loads(Path(task).read_text())])
    step = plan.steps[int(number)]

    def hook(progress: Progress) -> None:
        if when == "before" and progress.number == int(number) + 1:
            os.kill(os.getpid(), signal.SIGKILL)

    real = type(step).apply

    def apply(self: Step, world: World, report: Report) -> None:
        real(self, world, report)
        if self is step and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)

    type(step).apply = apply  # type: ignore[method-assign]
    plan.apply(hook)


if __name__ == "__main__":
    main()
