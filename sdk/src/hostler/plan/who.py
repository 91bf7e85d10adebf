# SPDX-License-Identifier: Apache-2.0
"""Who applies a plan: user, machine and process."""

from __future__ import annotations

import getpass
import os
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

_MACHINE = ("/sys/class/dmi/id/product_uuid", "/etc/machine-id")
_BOOT = "/proc/sys/kernel/random/boot_id"
_PROCESSES = "/proc/self/ns/pid"


class Who(NamedTuple):
    """A user's process on a machine.

    ``pid_started`` tells a reused pid from the first one, and what has the same host name from one
    another: ``MACHINE.BOOT.NAMESPACE.TICKS``, the first three shortened by a hash. Containers see
    their own processes only. Empty where the system has no such facts.
    """

    user: str
    host: str
    pid: int
    pid_started: str

    @property
    def here(self) -> bool:
        """Whether its process can be seen, if it lives: those elsewhere can't."""
        return self.host == os.uname().nodename and self._place() in (None, _place())

    @property
    def gone(self) -> bool:
        """Whether it is known to have ended."""
        theirs, ours = self._place(), _place()
        if self.here:
            now = started(self.pid)
            return (now if theirs else now.rpartition(".")[2]) != self.pid_started
        if theirs is None or self.host != os.uname().nodename:
            return False
        rebooted = theirs[1] != ours[1]
        return rebooted and bool(ours[0]) and theirs[0] == ours[0]

    def _place(self) -> tuple[str, ...] | None:
        """Return machine, boot and namespace; None where they were not written."""
        parts = self.pid_started.split(".")
        return tuple(parts[:3]) if len(parts) == 4 else None


def me() -> Who:
    """Return who we are."""
    return Who(_user(), os.uname().nodename, os.getpid(), started(os.getpid()))


def started(pid: int) -> str:
    """Return where and when a process started (``Who.pid_started``); empty where there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return ".".join([*_place(), stat.rsplit(")", 1)[1].split()[19]])


def _place() -> tuple[str, ...]:
    """Return this machine, its boot, and the namespace of our processes; empty where unknown."""
    space = ""
    with suppress(OSError):
        space = str(Path(_PROCESSES).readlink())
    return _short(_first(*_MACHINE)), _short(_first(_BOOT)), _short(space)


@cache
def _first(*files: str) -> str:
    """Return the content of the first file that can be read and is not empty."""
    for name in files:
        with suppress(OSError):
            if text := Path(name).read_text().strip():
                return text
    return ""


def _short(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:5] if text else ""


def _user() -> str:
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # containers run under numbers that have no name
        return str(os.getuid())
