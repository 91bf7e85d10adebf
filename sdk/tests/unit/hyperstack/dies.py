# SPDX-License-Identifier: Apache-2.0
"""A program for the tests to lose: runs a task and kills itself before or after a step.

dies.py JOURNAL TASK before:N|after:N; address and key are in the environment.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from hostler import Fleet
from hostler.config import FleetConfig
from hostler.models.hyperstack_config import HyperstackConfig
from hostler.plan.outcome import Progress
from hostler.plan.step import Report, Step, World


def main() -> None:
    journal, task, moment = sys.argv[1:]
    when, _, number = moment.partition(":")
    quick = HyperstackConfig(retry_delay=0.001, poll_interval=0.01)
    fleet = Fleet(FleetConfig(store=f"sqlite:///{journal}", hyperstack=quick))
    data = json.loads(Path(task).read_text())
    if "firewall" in data:
        plan = fleet.hyperstack.firewalls.plan_attachments(data)
    else:
        [plan] = fleet.hyperstack.vms.plan([data])
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
