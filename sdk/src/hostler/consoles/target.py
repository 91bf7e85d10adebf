# SPDX-License-Identifier: Apache-2.0
"""Opens connections to graphics servers: by libvirt, by ssh, or directly."""

from __future__ import annotations

import socket
import subprocess
from contextlib import suppress

from hostler.backends.libvirt import Hypervisor
from hostler.backends.libvirt.console import graphics_socket
from hostler.consoles.ways import way_to
from hostler.errors import Unreachable
from hostler.models.console import Console

SECONDS = 15
_END_SECONDS = 5


class Target:
    """A connection to a graphics server; ``socket`` carries it."""

    def __init__(self, carrier: socket.socket, process: subprocess.Popen[bytes] | None) -> None:
        self.socket = carrier
        self._process = process

    def close(self) -> None:
        """Close it, and end the ssh that carried it."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        if self._process is not None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_SECONDS)


def open_target(hypervisor: Hypervisor, console: Console, index: int) -> Target:
    """Connect to a graphics server, the domain's ``index``-th.

    Raises:
        Unreachable: nobody is there, or it listens where we can't come.
    """
    on = f"{console.type.upper()} of VM {console.vm!r} on {hypervisor.uri}"
    way = way_to(hypervisor.uri, console.listen)
    if way.via == "libvirt":
        return Target(graphics_socket(hypervisor, console.vm, index), None)
    port = console.port or console.tls_port
    if console.via == "libvirt" or port is None or way.host is None:
        raise Unreachable(
            f"it listens on {console.listen or 'no address'} of its host only",
            on=on,
            hint="Reach the host by ssh (qemu+ssh://), or let it listen on an address of the host.",
        )
    if way.via == "ssh":
        return _by_ssh(way.tunnel(port), on)
    try:
        return Target(socket.create_connection((way.host, port), SECONDS), None)
    except OSError as error:
        raise Unreachable(f"{way.host}:{port}: {error.strerror or error}", on=on) from error


def _by_ssh(command: list[str], on: str) -> Target:
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            process = subprocess.Popen(
                command, stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=subprocess.DEVNULL
            )
        except OSError as error:
            ours.close()
            what = f"{command[0]}: {error.strerror}"
            raise Unreachable(what, on=on, hint="Is ssh installed?") from error
    return Target(ours, process)
