# SPDX-License-Identifier: Apache-2.0
"""A web server with one image, that can fail in all the ways that web servers fail."""

from __future__ import annotations

import base64
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LOGIN = "reader:pa55"
QUERY = "signature=s3cret"


class Server(ThreadingHTTPServer):
    """Serves ``content`` under any name; the first part of a path says how it fails."""

    daemon_threads = True

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        self.file: Path | None = None
        self.lists: dict[str, str] = {}
        self.asked: list[str] = []
        self.wait = threading.Event()

    @property
    def url(self) -> str:
        """The address of the whole server."""
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that leave early are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.close_connection = True
        way = self.path.partition("?")[0].split("/")[1]
        getattr(self, f"_{way}", self._whole)()

    def _head(self, code: int, **headers: str) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Connection", "close")
        self.end_headers()

    def _send(self, content: bytes, length: int | None = None) -> None:
        self._head(200, Content_Length=str(len(content) if length is None else length))
        self.wfile.write(content)

    def _whole(self) -> None:
        name = self.path.partition("?")[0].rpartition("/")[2]
        listed = self.server.lists.get(name)
        self._send(listed.encode() if listed else self.server.content)

    def _cut(self) -> None:
        content = self.server.content
        self._send(content[: len(content) // 2], len(content))

    def _file(self) -> None:
        assert self.server.file
        self._head(200, Content_Length=str(self.server.file.stat().st_size))
        with self.server.file.open("rb") as stream:
            shutil.copyfileobj(stream, self.wfile)

    def _silent(self) -> None:
        self._cut()
        self.wait()

    def wait(self) -> None:
        """Keep the connection open and say nothing."""
        self.wfile.flush()
        self.server.wait.wait(30)

    def _slow(self) -> None:
        content = self.server.content
        self._head(200, Content_Length=str(len(content)))
        step = len(content) // 8
        for start in range(0, len(content), step):
            self.wfile.write(content[start : start + step])
            time.sleep(0.05)

    def _paused(self) -> None:
        """Send a half at once, and wait for the test to let the rest go."""
        content = self.server.content
        self._head(200, Content_Length=str(len(content)))
        self.wfile.write(content[: len(content) // 2])
        self.wait()
        self.wfile.write(content[len(content) // 2 :])

    def _changing(self) -> None:
        self._send(self.server.content + b"x" * len(self.server.asked))

    def _other(self) -> None:
        """Other bytes of the same length at the second time."""
        same = len(self.server.asked) < 2
        self._send(self.server.content if same else self.server.content[::-1])

    def _chunked(self) -> None:
        self._head(200, Transfer_Encoding="chunked")
        content = self.server.content
        self.wfile.write(b"%x\r\n" % len(content) + content + b"\r\n0\r\n\r\n")

    def _redirect(self) -> None:
        self._head(302, Location=f"/whole/{self.path.rpartition('/')[2]}", Content_Length="0")

    def _loop(self) -> None:
        self._head(302, Location="/loop/again", Content_Length="0")

    def _missing(self) -> None:
        self._head(404, Content_Length="0")

    def _broken(self) -> None:
        self._head(503, Content_Length="0")

    def _empty(self) -> None:
        self._send(b"")

    def _page(self) -> None:
        self._head(200, Content_Type="text/html; charset=utf-8", Content_Length="6")
        self.wfile.write(b"<html>")

    def _login(self) -> None:
        given = base64.b64encode(LOGIN.encode()).decode()
        if self.headers.get("Authorization") == f"Basic {given}" and QUERY in self.path:
            self._whole()
        else:
            self._head(401, Content_Length="0", WWW_Authenticate="Basic")

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@contextmanager
def serving(content: bytes) -> Iterator[Server]:
    """Run a server."""
    with Server(content) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.wait.set()
            server.shutdown()
