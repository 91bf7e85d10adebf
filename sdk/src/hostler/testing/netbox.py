# SPDX-License-Identifier: Apache-2.0
"""A NetBox that is not there: its REST API for devices, tenants and owners, over real HTTP.

It holds what it is told; pages, filters and refuses as NetBox does, and fails where it is told to.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

from hostler.testing._netbox_api import Answer, NetboxApi, Query
from hostler.testing._netbox_store import Row


@dataclass(frozen=True)
class Call:
    """A request, and what was answered; ``status`` is None where nothing was.

    Attributes:
        path, query: what was asked for.
        keyword: the word before the token.
        status, body, content_type: of the answer.
    """

    path: str
    query: Query
    keyword: str
    status: int | None
    body: Any
    content_type: str


class FakeNetbox(NetboxApi):
    """A NetBox on a free port of this machine, while the ``with`` block lasts.

    >>> with FakeNetbox() as netbox:
    ...     netbox.add_tenant("Acme", group="Investors")
    ...     netbox.add_device("gpu-1", tenant="Acme", custom_fields={"NVLinks": True})
    ...     config = NetboxConfig(url=netbox.url, token=netbox.token)

    Args:
        token: the API token that it takes, of either kind; one is made up where left out.
        version: the NetBox that it is; fields and tokens are as that one has them.
        page_size: rows of a page where nobody asks for a number (``PAGINATE_COUNT``).
        max_page_size: the most that anybody gets (``MAX_PAGE_SIZE``).
        path: what its address has after the host (``BASE_PATH``).
        inner_url: what its answers call it, as behind a proxy that does not tell.
        certificate: a PEM file with certificate and key: it speaks HTTPS.

    Attributes:
        url, token: what a client needs.
        calls: every request so far, and its answer.
        delay: seconds that every answer takes.
        ignore_filters: answer with all objects, whatever was asked for.
        headers: what every answer has besides.
    """

    def __init__(
        self,
        *,
        token: str | None = None,
        version: str = "4.5.2",
        page_size: int = 50,
        max_page_size: int = 1000,
        path: str = "",
        inner_url: str | None = None,
        certificate: Path | None = None,
    ) -> None:
        super().__init__(version, token, page_size, max_page_size)
        self.calls: list[Call] = []
        self.delay = 0.0
        self.headers: dict[str, str] = {}
        self._planned: dict[int, Answer | None] = {}
        self._asked = 0
        self.closed = threading.Event()
        handler = type("_Handler", (_Handler,), {"netbox": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        scheme = "https" if certificate else "http"
        self.path = path
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}{path}"
        self.inner_url = inner_url or self.url

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.closed.set()
        self._server.shutdown()
        self._server.server_close()

    def fail(
        self,
        status: int | None = 503,
        body: Row | str | None = None,
        *,
        call: int = 1,
        times: int = 1,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer coming calls otherwise than asked.

        Args:
            status: of the answer; None: hang up without one.
            body: JSON, or a text, which is sent as HTML.
            call: which call from now on, counted from 1.
            times: how many calls from that one on.
            headers: of the answer.
        """
        body = {"detail": "Told to fail."} if body is None else body
        answer = Answer(status, body, dict(headers or {})) if status else None
        with self.lock:
            for number in range(times):
                self._planned[self._asked + call + number] = answer

    def respond(self, target: str, authorization: str) -> Answer | None:
        """Return the answer to a request, for the server; None: hang up."""
        parts = urlsplit(target)
        query = parse_qsl(parts.query, keep_blank_values=True)
        with self.lock:
            self._asked += 1
            number = self._asked
        self.closed.wait(self.delay)
        with self.lock:
            if number in self._planned:
                answer = self._planned.pop(number)
            else:
                answer = self.answer(parts.path, query, authorization)
            told = (answer.status, answer.body, answer.content_type) if answer else (None, None, "")
            self.calls.append(Call(parts.path, query, authorization.partition(" ")[0], *told))
            return answer


class _Handler(BaseHTTPRequestHandler):
    netbox: FakeNetbox
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one write an answer: else the second waits for the first's acknowledgement

    def do_GET(self) -> None:
        """Answer."""
        answer = self.netbox.respond(self.path, self.headers.get("Authorization", ""))
        if answer is None or self.netbox.closed.is_set():
            self.close_connection = True
            return
        self.send_response(answer.status)
        headers = {
            "Content-Type": answer.content_type,
            "Content-Length": str(len(answer.data)),
            "API-Version": ".".join(map(str, self.netbox.release)),
            "X-Request-ID": str(uuid4()),
            "Vary": "HX-Request, Cookie, origin",
        }
        for name, value in {**headers, **self.netbox.headers, **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.data)

    def log_message(self, format: str, *args: Any) -> None:
        """Be quiet."""
