# SPDX-License-Identifier: Apache-2.0
"""Opens connections: with a time limit, and with a heartbeat that ends calls to a dead host."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar
from urllib.parse import parse_qsl

import libvirt

from hostler.backends.libvirt.advice import NO_ANSWER, advised
from hostler.backends.libvirt.faults import translated
from hostler.errors import BackendError, Timeout, Unreachable

T = TypeVar("T")

_OVERLOADED = "Is the host up and not overloaded?"
KEEPALIVE_SECONDS = 5
KEEPALIVE_MISSES = 3

libvirt.registerErrorHandler(lambda _context, _error: None, None)  # no prints beside our errors
_loop_lock = threading.Lock()
_loops: list[threading.Thread] = []


def open_connection(
    uri: str, *, readonly: bool, timeout: float, heartbeat: bool = True
) -> libvirt.virConnect:
    """Open a connection; without ``heartbeat`` no event loop is started for it.

    ssh asks nothing on the terminal, unless the URI says ``no_tty=0``.

    Raises:
        Unreachable: nobody answers there, or the URI is of no known kind.
        Timeout: no answer within ``timeout`` seconds.
        Denied: the daemon does not let us in.
    """
    if heartbeat:
        start_event_loop()
    opener = libvirt.openReadOnly if readonly else libvirt.open
    on = f"hypervisor {uri}"
    try:
        with translated(on):
            connection = bounded(lambda: opener(silent(uri)), timeout, on)
    except BackendError as error:
        raise advised(error, on) from error
    if connection is None:
        raise Unreachable("no connection", on=on, hint=NO_ANSWER)
    if not heartbeat:
        return connection
    with suppress(libvirt.libvirtError):  # drivers without a daemon (test, esx) have none
        connection.setKeepAlive(KEEPALIVE_SECONDS, KEEPALIVE_MISSES)
    return connection


def silent(uri: str) -> str:
    """Return a URI whose ssh never asks for passwords or host keys: nobody may be there.

    Source: https://libvirt.org/uri.html#ssh-transport (``no_tty``)
    """
    base, _, query = uri.partition("?")
    asks = base.partition("://")[0].lower().endswith("+ssh")
    if not asks or "no_tty" in dict(parse_qsl(query, keep_blank_values=True)):
        return uri
    return f"{base}?{query}{'&' if query else ''}no_tty=1"


def bounded(call: Callable[[], T], seconds: float, on: str, *, hint: str = _OVERLOADED) -> T:
    """Run a call that may hang; gives up (and leaves its thread behind) after some seconds.

    Raises:
        Timeout: it has not returned in time.
    """
    box: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            box.append(call())
        except BaseException as error:  # noqa: BLE001 - raised again by the caller's thread
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True, name=f"libvirt {on}")
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise Timeout(f"no answer in {seconds:g} s", on=on, hint=hint)
    if errors:
        try:
            raise errors[0]
        finally:
            # else the error holds this frame, and it the error: what the callers' frames have of
            # libvirt would be let go by the garbage collector, which then waits for a dead host
            errors.clear()
    return box[0]


def start_event_loop() -> None:
    """Start libvirt's event loop, once a process.

    Heartbeats and events need it before a connection is opened.
    """
    with _loop_lock:
        if any(loop.is_alive() for loop in _loops):
            return
        libvirt.virEventRegisterDefaultImpl()
        _loops[:] = [threading.Thread(target=_run_loop, daemon=True, name="libvirt events")]
        _loops[0].start()


def _run_loop() -> None:
    while True:
        libvirt.virEventRunDefaultImpl()
