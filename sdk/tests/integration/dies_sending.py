# SPDX-License-Identifier: Apache-2.0
"""A program for the tests to lose: runs a task on a volume and kills itself with a half sent.

dies_sending.py URI STORE TASK
"""

from __future__ import annotations

import json
import os
import signal
import sys

from hostler import Fleet
from hostler.config import FleetConfig
from hostler.plan.outcome import Progress


def main() -> None:
    uri, store, task = sys.argv[1:]

    def kill(progress: Progress) -> None:
        if 0.4 < progress.fraction < 1:
            os.kill(os.getpid(), signal.SIGKILL)

    with Fleet(FleetConfig(store=store), uri=uri) as fleet:
        fleet.storage.volumes.run([json.loads(task)], on_progress=kill)


if __name__ == "__main__":
    main()
