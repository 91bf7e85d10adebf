# SPDX-License-Identifier: Apache-2.0
"""The terminal in raw mode, joined to a socket; as it was afterwards, whatever happens."""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from hostler.errors import InvalidInput

LEAVE = b"\x1d"
"""^]"""
CHUNK = 65536


@contextmanager
def terminal() -> Iterator[int]:
    """Give the terminal's descriptor; signals that end programs first put it right.

    Raises:
        InvalidInput: there is no terminal.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InvalidInput("a console needs a terminal", hint="Run it without pipes.")
    file = sys.stdin.fileno()
    before = termios.tcgetattr(file)
    ends = (signal.SIGTERM, signal.SIGHUP)
    handlers = {number: signal.signal(number, _leave) for number in ends}
    try:
        yield file
    finally:
        with suppress(termios.error):  # the terminal itself is gone
            termios.tcsetattr(file, termios.TCSADRAIN, before)
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _leave(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def connect(file: int, peer: socket.socket) -> bool:
    """Join the terminal and a socket; True where ^] was typed, False where the socket ended."""
    tty.setraw(file)
    out = sys.stdout.fileno()
    both: list[int | socket.socket] = [file, peer]
    while True:
        ready, _, _ = select.select(both, [], [])
        if peer in ready:
            data = peer.recv(CHUNK)
            if not data:
                return False
            _write(out, data)
        if file in ready:
            typed = os.read(file, CHUNK)
            rest, sign, _ = typed.partition(LEAVE)
            with suppress(OSError):  # it has just ended, which is seen above
                peer.sendall(rest)
            if sign or not typed:
                return True


def _write(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
