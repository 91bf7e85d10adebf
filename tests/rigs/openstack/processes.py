# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start and stop the rig's processes, each known by its pid and the kernel's start time.

A pid alone may be somebody else's by now; with the start time it can't be. Every process leads a
session of its own, and that is what is stopped: nothing is signalled that the rig did not start.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from rigs.openstack.layout import APIS, BOX, ETC, LIB, LOG, RUN, VENV

# Field numbers in /proc/PID/stat after the command's name: proc_pid_stat(5).
_STATE, _SESSION, _START = 0, 3, 19


class RigError(Exception):
    """The rig can't do what was asked; the message says why and where to look."""


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The caller's environment without what would lead OpenStack astray."""
    unwanted = {"http_proxy", "https_proxy", "all_proxy"}
    unwanted |= {"pythonpath", "virtual_env", "pythondontwritebytecode"}
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("OS_") and name.lower() not in unwanted
    }
    env |= {
        "HOME": str(BOX),
        "LC_ALL": "C.UTF-8",
        "MALLOC_ARENA_MAX": "2",
        "PYTHONPATH": str(LIB),
        "no_proxy": "127.0.0.1,localhost",
        "OS_NOVA_CONFIG_FILES": f"{VENV}/etc/nova/api-paste.ini;nova.conf;controller.conf",
    }
    env |= {f"OS_{api.upper()}_CONFIG_DIR": str(ETC / api) for api in APIS}
    return env | dict(extra or {})


def run(*command: str | Path, log: str, env: Mapping[str, str] | None = None) -> None:
    """Run a command to its end, politely, its output in a log.

    Raises:
        RigError: when it fails; with the end of its output.
    """
    LOG.mkdir(parents=True, exist_ok=True)
    path = LOG / log
    with path.open("ab") as output:
        result = subprocess.run(
            ["nice", *map(str, command)],
            env=environment() if env is None else dict(env),
            cwd=BOX,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if result.returncode:
        tail = path.read_text(errors="replace")[-2000:]
        raise RigError(f"{command[0]} failed ({result.returncode}), log {path}:\n{tail}")


def start(
    name: str, *command: str | Path, env: Mapping[str, str] | None = None, cwd: Path = BOX
) -> None:
    """Start a process in a session of its own, unless the one of that name lives."""
    if pid_of(name):
        return
    with (LOG / f"{name}.out").open("ab") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            env=environment(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    record(name, process.pid)


def record(name: str, pid: int) -> None:
    """Write the process' pid file, in one go."""
    new = RUN / f"{name}.pid.new"
    new.write_text(f"{pid} {_started(pid)}\n")
    new.replace(_pid_file(name))


def pid_of(name: str) -> int | None:
    """The pid of the process that was started under that name, if it lives."""
    try:
        pid, started = _pid_file(name).read_text().split()
    except (OSError, ValueError):
        return None
    return int(pid) if _started(int(pid)) == started else None


def running() -> list[str]:
    """The names of all processes of the rig that live."""
    names = sorted(path.name.removesuffix(".pid") for path in RUN.glob("*.pid"))
    return [name for name in names if pid_of(name)]


def members(session: int) -> list[int]:
    """The living processes of a session."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [
        pid
        for pid in pids
        if (stat := _stat(pid)) and stat[_STATE] != "Z" and stat[_SESSION] == str(session)
    ]


def stop(
    names: Iterable[str], patience: float = 5.0, first: signal.Signals = signal.SIGTERM
) -> None:
    """Stop processes together: ask, wait up to `patience` seconds, then kill."""
    names = list(names)
    sessions = [pid for pid in map(pid_of, names) if pid]
    _signal(sessions, first)
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and any(map(members, sessions)):
        time.sleep(0.05)
    _signal(sessions, signal.SIGKILL)
    for name in names:
        _pid_file(name).unlink(missing_ok=True)
        ready_file(name).unlink(missing_ok=True)


def wait(what: str, probe: Callable[[], bool], limit: float, names: Sequence[str] = ()) -> None:
    """Wait until the probe says yes; its OSErrors and RigErrors mean not yet.

    Raises:
        RigError: after `limit` seconds, or as soon as one of the named processes has died.
    """
    deadline = time.monotonic() + limit
    last: Exception | None = None
    while time.monotonic() < deadline:
        try:
            if probe():
                return
        except (OSError, RigError) as error:
            last = error
        for name in names:
            if _pid_file(name).exists() and not pid_of(name):
                raise RigError(f"{name} died while waiting for {what}: see {LOG}/{name}.out")
        time.sleep(0.1)
    raise RigError(f"{what}: not ready after {limit:.0f} s (last: {last}); logs in {LOG}")


def memory(name: str) -> int:
    """MiB in use by a process and its session, shared pages counted in proportion."""
    total = 0
    for pid in members(pid_of(name) or -1):
        with suppress(OSError, StopIteration):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += int(next(line for line in lines if line.startswith("Pss:")).split()[1])
    return total // 1024


def ready_file(name: str) -> Path:
    """The file by which a process tells that it listens."""
    return RUN / f"{name}.ready"


def _signal(sessions: Iterable[int], number: signal.Signals) -> None:
    for session in sessions:
        for pid in members(session):
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def _pid_file(name: str) -> Path:
    return RUN / f"{name}.pid"


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []


def _started(pid: int) -> str | None:
    stat = _stat(pid)
    return stat[_START] if stat and stat[_STATE] != "Z" else None
