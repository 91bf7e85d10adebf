# SPDX-License-Identifier: Apache-2.0
"""Consoles of domains: serial ports and graphics as sockets, a picture of the screen."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import libvirt

from hostler.backends.libvirt.connection import bounded, open_connection
from hostler.backends.libvirt.domains import LIVE_SECONDS
from hostler.backends.libvirt.faults import translated
from hostler.errors import HostlerError

if TYPE_CHECKING:
    from hostler.backends.libvirt.hypervisor import Hypervisor

CHUNK = 65536
CLOSE_SECONDS = 5

_STREAM_IN, _STREAM_OUT = libvirt.VIR_STREAM_EVENT_READABLE, libvirt.VIR_STREAM_EVENT_WRITABLE
_SOCKET_IN, _SOCKET_OUT = libvirt.VIR_EVENT_HANDLE_READABLE, libvirt.VIR_EVENT_HANDLE_WRITABLE
_STREAM_END = libvirt.VIR_STREAM_EVENT_ERROR | libvirt.VIR_STREAM_EVENT_HANGUP
_SOCKET_END = libvirt.VIR_EVENT_HANDLE_ERROR | libvirt.VIR_EVENT_HANDLE_HANGUP


def screenshot(hypervisor: Hypervisor, name: str, screen: int) -> tuple[str, bytes]:
    """Return the MIME type and the bytes of a picture of a running domain's screen.

    Raises:
        BackendError: it has no such screen, or does not run.
    """
    on = f"VM {name!r} on {hypervisor.uri}"

    def take() -> tuple[str, bytes]:
        connection = hypervisor.write()
        stream, parts = connection.newStream(), bytearray()
        kind = connection.lookupByName(name).screenshot(stream, screen, 0)
        stream.recvAll(lambda _stream, data, _opaque: parts.extend(data), None)
        stream.finish()
        return str(kind), bytes(parts)

    with translated(on):
        return bounded(take, LIVE_SECONDS, on)


def graphics_socket(hypervisor: Hypervisor, name: str, index: int) -> socket.socket:
    """Return a connection to a domain's graphics server; only to this machine's own libvirt.

    Raises:
        BackendError: it does not run, or has no such server.
    """
    on = f"VM {name!r} on {hypervisor.uri}"
    with translated(on):
        domain = hypervisor.write().lookupByName(name)
        file = bounded(lambda: domain.openGraphicsFD(index, 0), LIVE_SECONDS, on)
    return socket.socket(fileno=file)


class SerialConsole:
    """A domain's serial console: what is sent to ``socket`` is typed, what it prints comes out.

    libvirt's event loop carries the bytes both ways, some 64 KiB at most are on their way. The
    socket ends when the console does.

    Args:
        hypervisor: where the domain is.
        name: the domain.
        device: the alias of another serial port than the first, such as ``serial1``.
        force: take it from somebody who has it open.

    Raises:
        NotFound: there is no such domain.
        BackendError: it does not run, has no such console, or somebody else has it open.
    """

    def __init__(
        self,
        hypervisor: Hypervisor,
        name: str,
        *,
        device: str | None = None,
        force: bool = False,
    ) -> None:
        self._on = f"VM {name!r} on {hypervisor.uri}"
        flags = libvirt.VIR_DOMAIN_CONSOLE_FORCE if force else 0
        self._connection = open_connection(
            hypervisor.uri, readonly=False, timeout=hypervisor.timeout
        )
        try:
            with translated(self._on):
                self._stream = self._connection.newStream(libvirt.VIR_STREAM_NONBLOCK)
                self._connection.lookupByName(name).openConsole(device, self._stream, flags)
        except HostlerError:
            self._connection.close()
            raise
        self.socket, self._far = socket.socketpair()
        self._far.setblocking(False)
        self._typed, self._printed = bytearray(), bytearray()
        self._open = True
        self._handle = libvirt.virEventAddHandle(
            self._far.fileno(), _SOCKET_IN, self._on_socket, None
        )
        with suppress(libvirt.libvirtError):  # a stream hears nothing of a daemon that dies
            self._connection.registerCloseCallback(lambda *_: self._end(), None)
        with translated(self._on):
            self._stream.eventAddCallback(_STREAM_IN, self._on_stream, None)

    def _on_stream(self, _stream: Any, events: int, _opaque: Any) -> None:
        try:
            if events & _STREAM_IN:
                data = self._stream.recv(CHUNK)
                if data == b"":
                    self._end()
                elif data != -2:  # -2: there is nothing just now
                    self._printed += data
            if events & _STREAM_OUT and self._typed:
                sent = self._stream.send(bytes(self._typed[:CHUNK]))
                del self._typed[: max(0, sent)]
        except libvirt.libvirtError:
            self._end()
        if events & _STREAM_END:
            self._end()
        self._pass_on()

    def _on_socket(self, _handle: int, _file: int, events: int, _opaque: Any) -> None:
        try:
            if events & _SOCKET_IN and len(self._typed) < CHUNK:
                data = self._far.recv(CHUNK)
                if not data:
                    self._end()
                self._typed += data
        except BlockingIOError:
            pass
        except OSError:
            self._end()
        if events & _SOCKET_END:
            self._end()
        self._pass_on()

    def _pass_on(self) -> None:
        """Hand over what came, and say what we wait for."""
        if not self._open:
            return
        with suppress(BlockingIOError):
            while self._printed:
                del self._printed[: self._far.send(self._printed)]
        room, typed = len(self._printed) < CHUNK, len(self._typed)
        self._stream.eventUpdateCallback(
            (_STREAM_IN if room else 0) | (_STREAM_OUT if typed else 0)
        )
        libvirt.virEventUpdateHandle(
            self._handle,
            (_SOCKET_IN if typed < CHUNK else 0) | (_SOCKET_OUT if self._printed else 0),
        )

    def _end(self) -> None:
        """Stop, in libvirt's loop: what was printed last is handed over if there is room."""
        if not self._open:
            return
        self._open = False
        with suppress(OSError):
            self._far.send(self._printed)
        with suppress(libvirt.libvirtError):
            self._stream.eventRemoveCallback()
        with suppress(libvirt.libvirtError):
            libvirt.virEventRemoveHandle(self._handle)
        self._far.close()

    def close(self) -> None:
        """Let it go."""
        self.socket.close()
        with suppress(libvirt.libvirtError, HostlerError):
            bounded(self._hang_up, CLOSE_SECONDS, self._on)

    def _hang_up(self) -> None:
        with suppress(libvirt.libvirtError):
            self._stream.abort()
        with suppress(libvirt.libvirtError):
            self._connection.unregisterCloseCallback()
        self._connection.close()
