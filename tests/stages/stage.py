# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stage is data: a name, a command, where it runs and what must be there first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / ".cache" / "test-logs"


class Lane(Enum):
    """Stages of one lane run in order; two lanes run side by side, those of rigs last."""

    COLLECTION = auto()
    STATIC = auto()
    UNIT = auto()
    RIG = auto()
    OPENSTACK = auto()


class Kind(Enum):
    """How a stage's results are counted: a check is one, pytest says its own number."""

    CHECK = auto()
    PYTEST = auto()


class When(Enum):
    """Which runs a stage belongs to."""

    QUICK = auto()  # the inner loop, and every full run
    FULL = auto()
    ASKED = auto()  # only when named


@dataclass(frozen=True)
class Stage:
    """One command of the test run.

    Attributes:
        name: what --stage takes, and the log's name.
        argv: the command; its program is looked for beside this Python first.
        lane: the stages it takes turns with.
        kind: how its results are counted.
        when: the runs it belongs to.
        cwd: folder to run in, from the repository's root.
        env: added to the environment.
        rig: a command that succeeds when the real system that the stage needs is up.
        setup: what brings up a missing program or rig.
        timeout: seconds.
    """

    name: str
    argv: tuple[str, ...]
    lane: Lane = Lane.STATIC
    kind: Kind = Kind.CHECK
    when: When = When.FULL
    cwd: str = "."
    env: Mapping[str, str] = field(default_factory=dict)
    rig: tuple[str, ...] = ()
    setup: str = "make setup"
    timeout: int = 900

    @property
    def log(self) -> Path:
        """The file that receives all of the stage's output."""
        return LOGS / f"{self.name}.log"


@dataclass(frozen=True)
class Outcome:
    """What became of a stage; `passed` and `failed` count tests."""

    stage: Stage
    seconds: float
    passed: int
    failed: int
    reason: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return self.failed == 0
