# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines that vm_migrate tells meanwhile."""

from __future__ import annotations

import time

import pytest
from ansible_collections.hostler.fleet.plugins.module_utils._vm_migrate import lines

from hostler.models.vm_migration import MigrationFigures
from hostler.plan.outcome import Progress


def test_a_line_for_each_vm_every_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    told: list[str] = []
    tell = lines(told.append)
    figures = MigrationFigures(percent=40, total=100 << 20, remaining=60 << 20)
    for vm in ("web", "db"):
        for second in (0, 1, 4.9, 5, 9, 10):
            now = 1.0 + second
            progress = Progress(f"plan-{vm}", f"vm/{vm}", 1, 2, "migrate")
            tell(progress, None)
            tell(progress, MigrationFigures())
            tell(progress, figures)
    assert told == ["web: 40 %, 60 MiB left"] * 3 + ["db: 40 %, 60 MiB left"] * 3
