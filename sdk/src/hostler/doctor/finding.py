# SPDX-License-Identifier: Apache-2.0
"""Finding: what the doctor found about one thing. Fix: the commands that mend it."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import dataclass
from typing import Literal

from hostler.errors import HostlerError

FIX_SECONDS = 60


@dataclass(frozen=True)
class Fix:
    """Commands that mend a finding without harm to anything else."""

    commands: tuple[tuple[str, ...], ...]

    @property
    def shown(self) -> list[str]:
        """The commands as an operator would type them."""
        return [shlex.join(command) for command in self.commands]

    def run(self) -> None:
        """Run the commands.

        Raises:
            HostlerError: one failed; those after it were not run.
        """
        for command, shown in zip(self.commands, self.shown, strict=True):
            try:
                ran = subprocess.run(
                    command,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    timeout=FIX_SECONDS,
                    check=False,
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                raise HostlerError(f"could not be run: {error}", on=shown) from None
            if ran.returncode:
                lines = (ran.stderr or ran.stdout).strip().splitlines()
                why = lines[-1] if lines else f"exit code {ran.returncode}"
                raise HostlerError(why, on=shown, hint="Are you root?")


@dataclass(frozen=True)
class Finding:
    """What was found about one thing.

    Attributes:
        name: what was looked at.
        status: ``ok``; ``warn``: VMs run, but slowly or not all kinds; ``fail``: VMs don't run.
        what: what is wrong, or how it is.
        mend: how to mend it.
        fix: does it, where that is safe.
    """

    name: str
    status: Literal["ok", "warn", "fail"]
    what: str
    mend: str = ""
    fix: Fix | None = None


def ok(name: str, what: str) -> Finding:
    """All is well."""
    return Finding(name, "ok", what)


def warn(name: str, what: str, mend: str, fix: Fix | None = None) -> Finding:
    """VMs run, but slowly or not all kinds."""
    return Finding(name, "warn", what, mend, fix)


def fail(name: str, what: str, mend: str, fix: Fix | None = None) -> Finding:
    """VMs don't run."""
    return Finding(name, "fail", what, mend, fix)
