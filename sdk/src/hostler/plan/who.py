# SPDX-License-Identifier: Apache-2.0
"""Who applies a plan: user, machine and process."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import NamedTuple


class Who(NamedTuple):
    """A user's process on a machine; ``pid_started`` tells a reused pid from the first one."""

    user: str
    host: str
    pid: int
    pid_started: str

    @property
    def here(self) -> bool:
        """Whether it is on this machine: processes of others can't be seen."""
        return self.host == os.uname().nodename

    @property
    def gone(self) -> bool:
        """Whether it is known to have ended."""
        return self.here and started(self.pid) != self.pid_started


def me() -> Who:
    """Return who we are."""
    return Who(_user(), os.uname().nodename, os.getpid(), started(os.getpid()))


def started(pid: int) -> str:
    """Return when a process started, in the kernel's ticks; empty where there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return stat.rsplit(")", 1)[1].split()[19]


def _user() -> str:
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # containers run under numbers that have no name
        return str(os.getuid())
