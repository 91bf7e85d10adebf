# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rig's commands; `box` runs this."""

from __future__ import annotations

import argparse
import fcntl
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rigs.openstack import cloud, database, install, processes, seed, services
from rigs.openstack.layout import BOX, CLOUDS
from rigs.openstack.processes import RigError


def main() -> int:
    """Do what the command line asks for; the exit code."""
    arguments = _parser().parse_args()
    started = time.monotonic()
    try:
        with _lock():
            arguments.do(arguments)
    except (RigError, OSError) as error:
        print(f"openstack rig: {error}", file=sys.stderr)
        return 1
    if arguments.do not in {_env, _status}:
        print(f"openstack rig: {arguments.command}: {time.monotonic() - started:.1f} s")
    return 0


def _up(arguments: argparse.Namespace) -> None:
    seeded = [host.name for host in cloud.HOSTS]
    hosts = [*seeded, *(host for host in arguments.host if host not in seeded)]
    if services.expected(hosts) <= set(processes.running()):
        print(f"is up: OS_CLIENT_CONFIG_FILE={CLOUDS} OS_CLOUD=box")
        return
    install.install()
    services.start(hosts)
    seed.reset()
    print(f"is up: OS_CLIENT_CONFIG_FILE={CLOUDS} OS_CLOUD=box")


def _down(_arguments: argparse.Namespace) -> None:
    services.stop()


def _reset(_arguments: argparse.Namespace) -> None:
    hosts = [host.name for host in cloud.HOSTS]
    if not services.expected(hosts) <= set(processes.running()):
        services.start(hosts)
    seed.reset()


def _stop(arguments: argparse.Namespace) -> None:
    unknown = set(arguments.name) - set(processes.running())
    if unknown:
        raise RigError(f"does not run: {', '.join(sorted(unknown))}; see `status`")
    processes.stop(arguments.name, patience=1.5)


def _wipe(_arguments: argparse.Namespace) -> None:
    services.stop()
    database.wipe()


def _status(_arguments: argparse.Namespace) -> None:
    total = 0
    for name in processes.running():
        size = processes.memory(name)
        total += size
        print(f"{name:<28} pid {processes.pid_of(name):<7} {size:5} MiB")
    print(f"{len(processes.running())} processes, {total} MiB")
    missing = services.expected(host.name for host in cloud.HOSTS) - set(processes.running())
    if missing:
        raise RigError(f"not running: {', '.join(sorted(missing))}: make rig-openstack")


def _env(_arguments: argparse.Namespace) -> None:
    print(f"export OS_CLIENT_CONFIG_FILE={CLOUDS} OS_CLOUD=box")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="box", description="A real OpenStack with fake computes.")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="install what is missing, start, seed")
    up.add_argument("host", nargs="*", help="further hosts besides the seeded (8 L40s each)")
    up.set_defaults(do=_up)
    commands.add_parser("down", help="stop everything; data stays").set_defaults(do=_down)
    reset = commands.add_parser("reset", help="bring everything back to the seeded state")
    reset.set_defaults(do=_reset)
    stop = commands.add_parser("stop", help="stop some processes; up starts them again")
    stop.add_argument("name", nargs="+", help="as status shows it: nova-compute@gpu-host-001")
    stop.set_defaults(do=_stop)
    commands.add_parser(
        "status", help="what runs, with its memory; fails unless all does"
    ).set_defaults(do=_status)
    commands.add_parser("env", help="the shell's variables for clients").set_defaults(do=_env)
    commands.add_parser("wipe", help="down, and forget all data").set_defaults(do=_wipe)
    return parser


@contextmanager
def _lock() -> Iterator[None]:
    """One command at a time."""
    BOX.mkdir(parents=True, exist_ok=True)
    with (BOX / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
