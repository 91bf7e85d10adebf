# SPDX-License-Identifier: Apache-2.0
"""A program for the tests to lose: moves a VM, and says when it is on its way.

dies.py URI JOURNAL TASK
"""

from __future__ import annotations

import json
import sys

from hostler import Fleet
from hostler.config import FleetConfig
from hostler.models.vm_migration import MigrationFigures
from hostler.plan.outcome import Progress


def main() -> None:
    uri, journal, task = sys.argv[1:]

    def told(_progress: Progress, figures: MigrationFigures | None) -> None:
        if figures and figures.percent > 10:
            print("moving", flush=True)

    with Fleet(FleetConfig(store=f"sqlite:///{journal}"), uri=uri) as fleet:
        fleet.migrations.run([json.loads(task)], on_progress=told)


if __name__ == "__main__":
    main()
