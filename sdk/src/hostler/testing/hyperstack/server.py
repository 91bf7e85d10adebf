# SPDX-License-Identifier: Apache-2.0
"""The server: lets requests in, limits them, makes them fail, writes them down."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from hostler.testing.hyperstack import changes, others, vms  # noqa: F401 - their routes
from hostler.testing.hyperstack.faults import HTML, Call, Fault, Refused
from hostler.testing.hyperstack.routes import Answer, Request, answer
from hostler.testing.hyperstack.store import Store


class FakeHyperstack(Store):
    """A Hyperstack on a free port of this machine, while the ``with`` block lasts.

    >>> with FakeHyperstack() as fake:
    ...     fake.add_environment("default-CANADA-1")
    ...     config = HyperstackConfig(url=fake.url, api_key=fake.api_key)

    Args:
        api_key: the key that it takes; one is made up where left out.
        rate_limit: requests in a minute; more are answered with 429. None: no limit.

    Attributes:
        url, api_key: what a client needs.
        calls: every request so far, and its answer.
    """

    def __init__(self, *, api_key: str | None = None, rate_limit: int | None = None) -> None:
        super().__init__()
        self.api_key: str | None = api_key or f"key-{secrets.token_hex(16)}"
        self.rate_limit = rate_limit
        self.calls: list[Call] = []
        self._faults: list[Fault] = []
        self._times: deque[float] = deque()
        self.closed = threading.Event()
        handler = type("_Handler", (_Handler,), {"fake": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

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

    def fail(self, method: str = "*", path: str = "*", status: int = 500, **more: Any) -> Fault:
        """Refuse calls of a method and path (globs, the path without ``/v1``); see Fault."""
        return self._plan(Fault(method, path, status=status, **more))

    def lose(self, method: str = "*", path: str = "*", *, acts: bool = True, **more: Any) -> Fault:
        """Hang up on calls, after what was asked is done or before it is; see Fault."""
        return self._plan(Fault(method, path, lost=True, acts=acts, **more))

    def slow(self, method: str = "*", path: str = "*", *, seconds: float, **more: Any) -> Fault:
        """Take time to answer calls; see Fault."""
        return self._plan(Fault(method, path, delay=seconds, **more))

    def before(
        self, do: Callable[[], object], method: str = "*", path: str = "*", **more: Any
    ) -> Fault:
        """Do something right before calls; see Fault."""
        return self._plan(Fault(method, path, do=do, **more))

    def revoke(self) -> None:
        """Take the key back: nobody is let in any more."""
        self.api_key = None

    def heal(self) -> None:
        """Let nothing go wrong any more."""
        with self.lock:
            self._faults.clear()

    def count(self, method: str, path: str) -> int:
        """Return how many calls there were of a method and exactly this path."""
        return sum((call.method, call.path) == (method, path) for call in self.calls)

    def respond(
        self, method: str, target: str, key: str | None, body: Any
    ) -> tuple[int, Any, str] | None:
        """Return status, body and content type of an answer, for the server; None: hang up."""
        parts = urlsplit(target)
        path = unquote(parts.path).removeprefix("/v1")
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        with self.lock:
            hit = [fault for fault in self._faults if fault.hits(method, path)]
        for fault in hit:
            self.closed.wait(fault.delay)
            if fault.do:
                fault.do()
        fault = next((f for f in hit if f.lost or f.status), None) or Fault()
        with self.lock:
            status, data = self._answer(method, path, key, Request(query, body), fault)
            kind = "text/html" if data is HTML else "application/json"
            told = fault.html or fault.lost
            seen = None if fault.lost else status
            shown = None if fault.lost else data
            self.calls.append(
                Call(method, path, query, body, key is not None, seen, shown, kind, told)
            )
        return None if fault.lost else (status, data, kind)

    def _answer(
        self, method: str, path: str, key: str | None, request: Request, fault: Fault
    ) -> Answer:
        """Act, unless a fault keeps from it; the fault's answer comes before the real one."""
        self.settle()
        instead = fault.status is not None or fault.lost
        status, data = 0, None
        if fault.acts or not instead:
            try:
                self._let_in(key)
                status, data = answer(self, method, path, request)
            except Refused as refused:
                status, data = refused.status, refused.body
        if instead:
            told = Refused(fault.status or 500, fault.message)
            status, data = told.status, told.body
        return status, HTML if fault.html else data

    def _let_in(self, key: str | None) -> None:
        if self.api_key is None or key != self.api_key:
            raise Refused(401, "The API key is invalid")
        now = time.monotonic()
        while self._times and self._times[0] <= now - 60:
            self._times.popleft()
        if self.rate_limit is not None and len(self._times) >= self.rate_limit:
            raise Refused(429, "Too many requests")
        self._times.append(now)

    def _plan(self, fault: Fault) -> Fault:
        with self.lock:
            self._faults.append(fault)
        return fault


class _Handler(BaseHTTPRequestHandler):
    fake: FakeHyperstack
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one write an answer: else the second waits for the first's acknowledgement

    def _respond(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = "no JSON"
        key = self.headers.get("api_key")
        told = self.fake.respond(self.command, self.path, key, body)
        if told is None or self.fake.closed.is_set():
            self.close_connection = True
            return
        status, data, kind = told
        text = (data if isinstance(data, str) else json.dumps(data)).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # whatever the method
            return self._respond
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:
        """Be quiet."""
