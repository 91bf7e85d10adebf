# SPDX-License-Identifier: Apache-2.0
"""ConsoleProxy: VMs' graphics servers for browsers, by WebSocket; a token lets in once."""

from __future__ import annotations

import logging
import secrets
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from websockify.websocketproxy import LibProxyServer, ProxyRequestHandler

from hostler.consoles.target import Target
from hostler.errors import HostlerError, InvalidInput, Unreachable

Opener = Callable[[], Target]

_silent = logging.getLogger("hostler.consoles")
_silent.disabled = True  # websockify logs paths, which hold tokens


class ConsoleProxy:
    """Listens for browsers; speaks WebSocket with the subprotocol ``binary``, as noVNC does.

    Args:
        listen: the address to listen on.
        port: the port; 0 takes a free one.
        cert, key: files of a certificate and its key, for ``wss``.

    Raises:
        Unreachable: the address can't be listened on.
        InvalidInput: the certificate can't be used.
    """

    def __init__(
        self,
        *,
        listen: str = "127.0.0.1",
        port: int = 0,
        cert: str | Path | None = None,
        key: str | Path | None = None,
    ) -> None:
        self._offers: dict[str, Opener] = {}
        self._sessions = 0
        self._changed = threading.Condition()
        kind = _Server6 if ":" in listen else _Server
        try:
            self._server = kind(
                self, RequestHandlerClass=_Handler, listen_host=listen, listen_port=port
            )
        except OSError as error:
            on = f"{listen}:{port}"
            raise Unreachable(f"can't listen there: {error.strerror}", on=on) from error
        if cert is not None:
            self._server.secure(cert, key)
        self._scheme = "wss" if cert is not None else "ws"
        self.address: tuple[str, int] = self._server.server_address[:2]
        threading.Thread(target=self._server.serve_forever, daemon=True, name="consoles").start()

    def offer(self, opener: Opener) -> str:
        """Return a URL that leads to a graphics server: for one connection, and no second one."""
        token = secrets.token_urlsafe(32)
        with self._changed:
            self._offers[token] = opener
        host, port = self.address
        host = f"[{host}]" if ":" in host else host
        return f"{self._scheme}://{host}:{port}/websockify?{urlencode({'token': token})}"

    def take(self, token: str) -> Opener | None:
        """Return what a token is for, and forget it."""
        with self._changed:
            opener = self._offers.pop(token, None)
            self._sessions += opener is not None
            return opener

    def ended(self) -> None:
        """Note that a session has ended."""
        with self._changed:
            self._sessions -= 1
            self._changed.notify_all()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until every token was used and every session has ended; False: not in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._offers and not self._sessions, timeout)

    def close(self) -> None:
        """Stop listening; sessions end with this process."""
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class _Server(LibProxyServer):  # type: ignore[misc] # websockify has no types
    daemon_threads = True
    logger = _silent
    socket: Any

    def __init__(self, proxy: ConsoleProxy, **options: Any) -> None:
        self.proxy = proxy
        super().__init__(**options)

    def secure(self, cert: str | Path, key: str | Path | None) -> None:
        """Speak TLS; the handshake is the session's thread's."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(cert, key)
        except OSError as error:
            self.server_close()
            raise InvalidInput(f"can't use the certificate: {error}", on=str(cert)) from error
        self.socket = context.wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False
        )

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a browser that goes away is no error of ours."""


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Handler(ProxyRequestHandler):  # type: ignore[misc] # websockify has no types
    _target: Target

    def handle_upgrade(self) -> None:
        """Let a token in once; connect before the browser is told that all is well."""
        proxy: ConsoleProxy = self.server.proxy
        (token,) = parse_qs(urlsplit(self.path).query).get("token", [""])[-1:]
        self.close_connection = True
        opener = proxy.take(token)
        if opener is None:
            self.send_error(403, "the token is unknown, or was used")
            return
        try:
            self._target = opener()
        except HostlerError as error:
            proxy.ended()
            self.send_error(502, "no connection to the VM", str(error))
            return
        try:
            super().handle_upgrade()
        finally:
            self._target.close()
            proxy.ended()

    def new_websocket_client(self) -> None:
        """Carry bytes both ways until one side ends."""
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.do_proxy(self._target.socket)
