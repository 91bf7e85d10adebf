# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A TCP proxy that counts round trips.

Answers are held back until the client has nothing more to say, then let go together. Calls that
wait for no answer of one another so take one round trip, calls made one after the other one each.
"""

from __future__ import annotations

import selectors
import socket
import threading
from types import TracebackType
from typing import Self

QUIET = 0.3
"""Seconds of silence after which the client is taken to be waiting."""


class Lockstep:
    """Joins connections to 127.0.0.1:port with a server, one after the other.

    Attributes:
        port: where to connect to.
        round_trips: how many times answers were let go.
    """

    def __init__(self, host: str, port: int) -> None:
        self._far = (host, port)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.round_trips = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _address = self._server.accept()
            except OSError:
                return  # closed
            with client, socket.create_connection(self._far) as server:
                self._join(client, server)

    def _join(self, client: socket.socket, server: socket.socket) -> None:
        held = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ, server)
            selector.register(server, selectors.EVENT_READ, None)
            while True:
                ready = selector.select(QUIET)
                for key, _events in ready:
                    data = key.fileobj.recv(65536)  # type: ignore[union-attr]
                    if not data:
                        client.sendall(held)
                        return
                    if key.data is None:
                        held += data
                    else:
                        key.data.sendall(data)
                if held and not ready:
                    self.round_trips += 1
                    client.sendall(held)
                    held.clear()
