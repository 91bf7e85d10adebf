# SPDX-License-Identifier: Apache-2.0
"""Who applies a plan, and whether that process can be known to have ended."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from hostler.plan import who
from hostler.plan.who import Who, me

OURS = me()
MACHINE, BOOT, SPACE, TICKS = OURS.pid_started.split(".")
DEAD = 2**22 + 1
"""Above the kernel's greatest pid."""


def one(*place: str, host: str = OURS.host, pid: int = OURS.pid) -> Who:
    return Who("alice", host, pid, ".".join(place))


@pytest.mark.parametrize(
    ("them", "here", "gone"),
    [
        (OURS, True, False),
        (one(MACHINE, BOOT, SPACE, TICKS, pid=DEAD), True, True),
        (one(MACHINE, BOOT, SPACE, "1"), True, True),
        (one(MACHINE, BOOT, "other", TICKS, pid=DEAD), False, False),
        (one("other", "other", SPACE, TICKS, pid=DEAD), False, False),
        (one(MACHINE, "other", SPACE, TICKS), False, True),
        (one(MACHINE, "other", "other", TICKS), False, True),
        (one("", "other", SPACE, TICKS), False, False),
        (one(MACHINE, BOOT, SPACE, TICKS, host="ctl-2", pid=DEAD), False, False),
        (one(MACHINE, "other", SPACE, TICKS, host="ctl-2"), False, False),
        (one(TICKS), True, False),
        (one("1"), True, True),
        (one(TICKS, pid=DEAD), True, True),
    ],
    ids=[
        "we",
        "ended",
        "its number was given to another",
        "a container of this name on this machine",
        "another machine of this name",
        "before this machine was booted",
        "in a container, before this machine was booted",
        "a machine without an id",
        "a machine of another name",
        "a machine of another name, rebooted",
        "as earlier versions wrote it",
        "as earlier versions wrote it, another process",
        "as earlier versions wrote it, ended",
    ],
)
def test_who_is_gone(them: Who, here: bool, gone: bool) -> None:
    assert (them.here, them.gone) == (here, gone)


def test_it_fits_the_journal() -> None:
    assert len(f"{MACHINE}.{BOOT}.{SPACE}.{10**12}") <= 32


def test_a_system_that_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(who, "started", lambda _: "")
    assert (me().here, me().gone) == (True, False)


def test_a_process_in_its_own_namespace() -> None:
    """A real one, with our host name and a number that no process has here."""
    script = "from hostler.plan.who import me; print(*me(), sep='\\n')"
    inside = ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c", script]
    if os.geteuid():
        inside = ["sudo", *inside]
    user, host, pid, started = subprocess.check_output(inside, text=True).splitlines()
    them = Who(user, host, int(pid), started)
    assert them.host == OURS.host
    assert (them.here, them.gone) == (False, False)
