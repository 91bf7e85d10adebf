# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run nova-conductor, nova-scheduler and many nova-computes from one set of imports.

usage: nova_services.py OWN_NAME RUN_FOLDER ETC_FOLDER LOG_FOLDER NAME...

NAME is nova-conductor, nova-scheduler or nova-compute@HOST. nova is imported once, then one child
per service is forked: memory is shared copy-on-write, and the import's seconds are paid once. Every
child is the ordinary service with its own configuration, log and pid file, in a session of its own.
The parent only waits for them.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

PATIENCE = 120.0
CONTROL = ("nova-conductor", "nova-scheduler")
_HEAVY = (
    "nova.cmd.compute",
    "nova.cmd.conductor",
    "nova.cmd.scheduler",
    "nova.service",
    "nova.compute.manager",
    "nova.conductor.manager",
    "nova.scheduler.manager",
    "nova.network.neutron",
    "nova.scheduler.client.report",
    "nova.image.glance",
    "oslo_messaging._drivers.impl_rabbit",
    "keystoneauth1.loading",
)


def main() -> None:
    """Import, fork, wait."""
    own_name = sys.argv[1]
    run, etc, log = (Path(folder) for folder in sys.argv[2:5])
    names = sys.argv[5:]
    _import_nova(etc)
    _wait_for(run / "apis.ready")
    children: dict[int, str] = {}
    for name in sorted(names, key=lambda name: name not in CONTROL):
        if name not in CONTROL:
            _wait_for(run / "nova-conductor.ready")
        if not (pid := os.fork()):
            _child(name, run, etc, log)
        children[pid] = name
        _record(run, name, pid)
    (run / f"{own_name}.ready").touch()
    _reap(children)


def _import_nova(etc: Path) -> None:
    from nova import monkey_patch

    monkey_patch.patch()  # before anything else of nova
    import nova.conf

    # first, as periodic_task(spacing=CONF.x) is evaluated while a manager is imported
    nova.conf.CONF(["--config-file", str(etc / "nova/nova.conf")], project="nova")
    for module in _HEAVY:
        importlib.import_module(module)
    import quick_replies
    import rig_driver

    quick_replies.install()
    sys.modules["nova.virt.rig"] = rig_driver  # nova loads drivers from nova.virt only
    nova.conf.CONF.reset()  # every child parses its own command line
    gc.collect()
    gc.freeze()  # keeps shared pages shared


def _wait_for(file: Path) -> None:
    """Wait for another part to be ready; give up when it isn't in time.

    A conductor that finds no placement ends. A compute that calls before the conductor listens
    waits 10 s for an answer that never comes; one whose first report to placement fails tries
    again after a minute.
    """
    time = _original("time")
    deadline = time.monotonic() + PATIENCE
    while not file.exists():
        if time.monotonic() > deadline:
            sys.exit(f"no {file.name} within {PATIENCE:.0f} s")
        time.sleep(0.05)


def _child(name: str, run: Path, etc: Path, log: Path) -> None:
    """Become the service; never returns."""
    code = 1
    try:
        os.setsid()
        _own_output(log / f"{name}.out")
        import eventlet.hubs

        eventlet.hubs.use_hub()  # not the parent's epoll descriptor
        service, host = name.partition("@")[::2]
        own = etc / (f"compute/{host}/host.conf" if host else "nova/controller.conf")
        common = etc / "nova/nova.conf"
        sys.argv = [service, "--config-file", str(common), "--config-file", str(own)]
        _tell_when_started(run / f"{name}.ready")
        importlib.import_module(f"nova.cmd.{service.removeprefix('nova-')}").main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    except BaseException:  # noqa: BLE001  # the child must never run the parent's code
        traceback.print_exc()
    finally:
        os._exit(code)


def _own_output(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)


def _tell_when_started(file: Path) -> None:
    import nova.service

    start = nova.service.Service.start

    def start_and_tell(service: Any) -> None:
        start(service)  # returns once it listens
        file.touch()

    nova.service.Service.start = start_and_tell


def _record(run: Path, name: str, pid: int) -> None:
    """Write the pid file as processes.py reads it: pid and start time."""
    started = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    new = run / f"{name}.pid.new"
    new.write_text(f"{pid} {started}\n")
    new.replace(run / f"{name}.pid")


def _reap(children: dict[int, str]) -> None:
    def pass_on(_number: int, _frame: Any) -> None:
        for pid in list(children):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    signal.signal(signal.SIGTERM, pass_on)
    waitpid = _original("os").waitpid
    while children:
        try:
            pid, status = waitpid(-1, 0)
        except ChildProcessError:
            return
        print(f"{children.pop(pid, '?')} (pid {pid}) ended: {status}", flush=True)


def _original(module: str) -> Any:
    """A module as it was before eventlet; the parent never runs eventlet's loop."""
    import eventlet.patcher

    return eventlet.patcher.original(module)


if __name__ == "__main__":
    main()
