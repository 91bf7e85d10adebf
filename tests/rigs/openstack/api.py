# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small client of the OpenStack APIs, for starting and seeding: JSON in and out, one token."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Mapping
from email.message import Message
from typing import Any
from urllib.parse import urlencode

from rigs.openstack.layout import APIS, PASSWORD, PORTS, proxy_port
from rigs.openstack.processes import RigError

Json = dict[str, Any]

VERSIONS = {
    "nova": {"X-OpenStack-Nova-API-Version": "2.93"},
    "placement": {"OpenStack-API-Version": "placement 1.39"},
}
_TIMEOUT = 60.0


class ApiError(RigError):
    """An API answered with an error; `status` is its number."""

    def __init__(self, status: int, request: str, text: str) -> None:
        super().__init__(f"{request}: {status} {text[:500]}")
        self.status = status


class Cloud:
    """All five APIs as one user, on request through the fault proxy; may be shared by threads."""

    def __init__(self, user: str = "admin", project: str = "", *, proxied: bool = False) -> None:
        self._ports = {api: proxy_port(api) if proxied else PORTS[api] for api in APIS}
        self._user = user
        self._project = project or user
        self._token = ""
        self._lock = threading.Lock()

    def get(self, service: str, path: str, **query: str | int) -> Json:
        """GET a JSON document."""
        return self.call("GET", service, f"{path}?{urlencode(query)}" if query else path)

    def post(self, service: str, path: str, body: Json) -> Json:
        """POST a JSON document."""
        return self.call("POST", service, path, body)

    def put(self, service: str, path: str, body: Json | None = None) -> Json:
        """PUT a JSON document."""
        return self.call("PUT", service, path, body)

    def delete(self, service: str, path: str, *, missing_ok: bool = False) -> None:
        """DELETE; a 404 is fine when `missing_ok`."""
        try:
            self.call("DELETE", service, path)
        except ApiError as error:
            if not (missing_ok and error.status == 404):
                raise

    def call(self, method: str, service: str, path: str, body: Json | bytes | None = None) -> Json:
        """One request.

        Raises:
            ApiError: the answer is 400 or above.
            OSError: no answer.
        """
        raw = isinstance(body, bytes)
        headers = {
            "X-Auth-Token": self._authenticate(),
            "Accept": "application/json",
            "Content-Type": "application/octet-stream" if raw else "application/json",
            **VERSIONS.get(service, {}),
        }
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        return self._send(method, service, path, data, headers)[1]

    def _authenticate(self) -> str:
        with self._lock:
            if not self._token:
                domain = {"id": "default"}
                user = {"name": self._user, "domain": domain, "password": PASSWORD}
                auth = {
                    "identity": {"methods": ["password"], "password": {"user": user}},
                    "scope": {"project": {"name": self._project, "domain": domain}},
                }
                body = json.dumps({"auth": auth}).encode()
                headers = {"Content-Type": "application/json"}
                found = self._send("POST", "keystone", "/v3/auth/tokens", body, headers)[0]
                self._token = found["X-Subject-Token"]
            return self._token

    def _send(
        self, method: str, service: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[Message, Json]:
        connection = http.client.HTTPConnection("127.0.0.1", self._ports[service], timeout=_TIMEOUT)
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            data = response.read()
        except http.client.HTTPException as error:
            raise OSError(f"{service} gave no answer: {error!r}") from error
        finally:
            connection.close()
        if response.status >= 400:
            raise ApiError(
                response.status, f"{method} {service} {path}", data.decode(errors="replace")
            )
        return response.headers, json.loads(data) if data else {}


def answers(service: str) -> bool:
    """Whether an API answers at all."""
    connection = http.client.HTTPConnection("127.0.0.1", PORTS[service], timeout=5)
    try:
        connection.request("GET", "/v3" if service == "keystone" else "/")
        return connection.getresponse().status < 500
    except http.client.HTTPException:
        return False
    finally:
        connection.close()
