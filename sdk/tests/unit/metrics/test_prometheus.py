# SPDX-License-Identifier: Apache-2.0
"""A Prometheus that answers nonsense, or not at all. How one works is tested with a real one."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import SecretStr

from hostler import Fleet
from hostler.backends.prometheus import Prometheus
from hostler.config import FleetConfig
from hostler.errors import BackendError, Denied, HostlerError, InvalidInput, NotFound
from hostler.models.metrics_config import PrometheusConfig

pytestmark = [pytest.mark.fault, pytest.mark.slow]

SERIES = {"metric": {"host": "kvm1"}, "values": [[1.0, "2"]]}


class Nonsense(ThreadingHTTPServer):
    """Answers every request with the same."""

    status, body, waits = 200, b"", 0.0
    asked: str = ""
    authorization: str | None = None


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Nonsense)
        server.authorization = self.headers["Authorization"]
        server.asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        threading.Event().wait(server.waits)
        self.send_response(server.status)
        self.send_header("Content-Length", str(len(server.body)))
        self.end_headers()
        self.wfile.write(server.body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Nonsense]:
    made = Nonsense(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def config(server: Nonsense, **more: Any) -> PrometheusConfig:
    return PrometheusConfig(url=f"http://127.0.0.1:{server.server_port}", **more)


def ask(server: Nonsense, **more: Any) -> Any:
    client = Prometheus(config(server, **more))
    try:
        return client.query_range("up", start=0, end=60, step=60)
    finally:
        client.close()


def good(result: Any) -> bytes:
    return json.dumps({"status": "success", "data": {"result": result}}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Grafana</html>",
        b"[]",
        b"{}",
        b'{"status": "error"}',
        b'{"status": "success"}',
        b'{"status": "success", "data": []}',
        good(None),
        good([{}]),
        good([{"metric": None, "values": []}]),
        good([{"metric": {}, "values": [[1]]}]),
        good([{"metric": {}, "values": [["x", "y"]]}]),
        good([{"metric": {}, "values": 5}]),
        good([5]),
    ],
)
def test_malformed(server: Nonsense, body: bytes) -> None:
    server.body = body
    with pytest.raises(BackendError, match="makes no sense") as caught:
        ask(server)
    assert "Check metrics.prometheus.url" in str(caught.value)


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, Denied, "Set metrics.prometheus.token"),
        (403, Denied, "Set metrics.prometheus.token"),
        (400, InvalidInput, "it says 400: bad query. Ask for fewer"),
        (422, InvalidInput, "fewer hours or metrics"),
        (302, BackendError, "it says 302"),
        (404, BackendError, "it says 404"),
        (503, BackendError, "it says 503"),
    ],
)
def test_refused(server: Nonsense, status: int, kind: type[HostlerError], words: str) -> None:
    server.status, server.body = status, b'{"status": "error", "error": "bad query"}'
    with pytest.raises(kind, match=words):
        ask(server)


def test_silent(server: Nonsense) -> None:
    server.waits = 1.5
    with pytest.raises(BackendError, match="no answer in 1 s"):
        ask(server, timeout=1)


def test_what_is_no_number_is_none(server: Nonsense) -> None:
    values = [[1, "NaN"], [2, "+Inf"], [3, "-Inf"], [4, "5"]]
    server.body = good([{"metric": {"host": "a"}, "values": values}])
    [series] = ask(server)
    assert series.values == {4.0: 5.0}


def test_the_token_is_sent_and_never_shown(server: Nonsense) -> None:
    server.status, server.body = 401, b"{}"
    made = config(server, token=SecretStr("s3cret"))
    with pytest.raises(Denied) as caught:
        Prometheus(made).query_range("up", start=0, end=0, step=1)
    assert server.authorization == "Bearer s3cret"
    assert "s3cret" not in str(caught.value) + repr(made)


def test_names_are_data(server: Nonsense) -> None:
    """Quotes and braces in a name stay within the words that they are in."""
    server.body = good([])
    told = {
        "hosts": {"kvm1": {"uri": "test:///default"}},
        "metrics_backend": "prometheus",
        "metrics": {"prometheus": config(server).model_dump()},
    }
    fleet = Fleet(FleetConfig.model_validate(told))
    with fleet, pytest.raises(NotFound, match="hostler metrics export"):
        fleet.metrics.vms('a"} or vector(1) #', interval="1m", metrics="state.up")
    assert "vm%3D~%22a%5C%22%5C%5C%7D%5C%5C+or" in server.asked
