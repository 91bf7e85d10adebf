# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault proxy: stands before every API, counts, and breaks what the rules of faults.py say.

Run by the rig; the cloud `box-proxied` goes through it. The services themselves talk past it.
"""

from __future__ import annotations

import http.client
import json
import re
import signal
import threading
import time
from dataclasses import asdict, dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from rigs.openstack.faults import Request, Rule
from rigs.openstack.layout import APIS, PORTS, PROXY_CONTROL_PORT, proxy_port

_HOLD_LIMIT = 60.0
_TIMEOUT = 120.0
# of one connection, not of the message: RFC 9110, 7.6.1; Content-Length is set anew
_HOP = {
    "connection",
    "keep-alive",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "content-length",
}


@dataclass
class _Watch:
    """A rule and what it has seen."""

    rule: Rule
    matched: int = 0
    fired: int = 0

    def fires(self, service: str, method: str, path: str, body: str) -> bool:
        rule = self.rule
        if rule.service != service or rule.method not in {"", method}:
            return False
        if not (re.search(rule.path, path) and re.search(rule.body, body)):
            return False
        self.matched += 1
        return self.matched >= rule.nth and (
            rule.times == 0 or self.matched < rule.nth + rule.times
        )


class Book:
    """The rules in force and the requests seen, shared by all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watches: list[_Watch] = []
        self._requests: list[Request] = []

    def set(self, rules: list[Rule]) -> None:
        """Replace the rules and forget what was seen."""
        with self._lock:
            self._watches = [_Watch(rule) for rule in rules]
            self._requests = []

    def decide(self, service: str, method: str, path: str, body: str) -> Rule:
        """The rule for a request; one that passes it when none fires."""
        with self._lock:
            firing = [w for w in self._watches if w.fires(service, method, path, body)]
            if not firing:
                return Rule(service)
            firing[0].fired += 1
            return firing[0].rule

    def note(self, request: Request) -> None:
        """Remember a request."""
        with self._lock:
            self._requests.append(request)

    def tell(self, path: str) -> list[Any]:
        """What a test may ask for: /fired, /requests."""
        with self._lock:
            if path == "/fired":
                return [watch.fired for watch in self._watches]
            return [asdict(request) for request in self._requests]


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


class _Handler(BaseHTTPRequestHandler):
    """What both kinds of server share."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def request_body(self) -> bytes:
        """The request's body; empty when it has none."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def send(self, answer: _Answer) -> None:
        """Send an answer in full."""
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.status not in {204, 304}:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)


def _proxy_handler(service: str, book: Book) -> type[_Handler]:
    class Proxy(_Handler):
        """One connection of a client to one service."""

        def _serve(self) -> None:
            body = self.request_body()
            rule = book.decide(service, self.command, self.path, body.decode(errors="replace"))
            _hold(rule.hold, f"{self.command} {self.path}")
            answer = self._answer(rule, body)
            if rule.delay:
                time.sleep(rule.delay)
            status = answer.status if answer else 0
            book.note(Request(service, self.command, self.path, status, rule.action))
            if answer and rule.action != "lose":
                self.send(answer)
            else:
                self.close_connection = True

        def _answer(self, rule: Rule, body: bytes) -> _Answer | None:
            if rule.action == "refuse":
                return None
            if rule.action == "answer":
                headers = {"Content-Type": "application/json"} | rule.headers
                return _Answer(rule.status, list(headers.items()), rule.text.encode())
            return _forward(service, self.command, self.path, self.headers, body)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

    return Proxy


def _forward(service: str, method: str, path: str, headers: Message, body: bytes) -> _Answer | None:
    """Ask the service; None when it gives no answer."""
    connection = http.client.HTTPConnection("127.0.0.1", PORTS[service], timeout=_TIMEOUT)
    try:
        kept = {name: value for name, value in headers.items() if name.lower() not in _HOP}
        connection.request(method, path, body, kept)  # with the client's Host: links lead back here
        response = connection.getresponse()
        data = response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    passed = [(name, value) for name, value in response.getheaders() if name.lower() not in _HOP]
    return _Answer(response.status, passed, data)


def _hold(file: str, request: str) -> None:
    """Create the file and wait until it is removed."""
    if not file:
        return
    path = Path(file)
    path.write_text(request)
    deadline = time.monotonic() + _HOLD_LIMIT
    while path.exists() and time.monotonic() < deadline:
        time.sleep(0.01)


def _control_handler(book: Book) -> type[_Handler]:
    class Control(_Handler):
        """The tests' side: PUT /rules, GET /fired, GET /requests."""

        def do_PUT(self) -> None:
            try:
                rules = [Rule(**rule) for rule in json.loads(self.request_body())]
                for rule in rules:
                    re.compile(rule.path)
                    re.compile(rule.body)
                    PORTS[rule.service]
            except (ValueError, TypeError, KeyError, re.error) as error:
                self._say(400, f"no good rules: {error!r}")
            else:
                book.set(rules)
                self._say(200, None)

        def do_GET(self) -> None:
            self.request_body()
            self._say(200, book.tell(self.path))

        def _say(self, status: int, what: Any) -> None:
            self.send(_Answer(status, [], json.dumps(what).encode()))

    return Control


def main() -> None:
    """Serve until SIGTERM."""
    book = Book()
    handlers = {proxy_port(service): _proxy_handler(service, book) for service in APIS}
    handlers[PROXY_CONTROL_PORT] = _control_handler(book)  # last: it tells that all are up
    for port, handler in handlers.items():
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    main()
