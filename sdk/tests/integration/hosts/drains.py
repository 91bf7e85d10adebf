# SPDX-License-Identifier: Apache-2.0
"""A program for the tests to lose: maintains hosts, and kills itself at a moment.

drains.py CONFIG TASKS MOMENT; MOMENT is ``never``, ``rested`` (nothing is moved yet), ``moving``
(the first moves have just begun), ``copying`` (one is half way), or how many VMs have arrived. It
says ``ready`` and waits for a line first.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading

from hostler import Fleet
from hostler.config import FleetConfig
from hostler.models.vm_migration import MigrationFigures
from hostler.plan.outcome import Progress


def main() -> None:
    config, tasks, moment = json.loads(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3]
    arrived: set[str] = set()

    def told(progress: Progress, figures: MigrationFigures | None) -> None:
        if progress.summary.startswith("end the reservation"):
            arrived.add(progress.target)
        if moment == "moving" and progress.summary.startswith("migrate domain"):
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGKILL)).start()
        half = figures is not None and 0 < figures.percent < 100
        if moment == "rested" or (moment == "copying" and half) or moment == str(len(arrived)):
            os.kill(os.getpid(), signal.SIGKILL)

    with Fleet(FleetConfig.model_validate(config)) as fleet:
        print("ready", flush=True)
        sys.stdin.readline()
        done = fleet.hosts.maintenance.run(tasks, on_progress=told)
        print(json.dumps([result.model_dump(mode="json") for result in done]), flush=True)


if __name__ == "__main__":
    main()
