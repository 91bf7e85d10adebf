# SPDX-License-Identifier: Apache-2.0
"""Cloud: one OpenStack, connected when first used."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import openstack
from keystoneauth1 import exceptions as auth
from openstack.connection import Connection

from hostler.backends.openstack.compute import ComputeApi
from hostler.backends.openstack.faults import by_status, translated
from hostler.backends.openstack.identity import IdentityApi
from hostler.backends.openstack.network import NetworkApi
from hostler.backends.openstack.placement import PlacementApi

Json = dict[str, Any]

logging.getLogger("keystoneauth").addHandler(logging.NullHandler())  # we raise what it warns of

_SERVICES = {
    "compute": "Nova",
    "identity": "Keystone",
    "network": "Neutron",
    "placement": "Placement",
}

_AS_IN_CATALOG = ("compute", "placement")


class Cloud:
    """One OpenStack.

    Args:
        name: a cloud of clouds.yaml; empty: the ``OS_*`` variables decide.
        timeout: seconds that a call may take.
    """

    def __init__(self, name: str = "", *, timeout: float = 60) -> None:
        self.name = name
        self.timeout = timeout
        self._lock = threading.Lock()
        self._service_locks = {service: threading.Lock() for service in _SERVICES}
        self._connection: Connection | None = None
        self.compute = ComputeApi(self)
        self.identity = IdentityApi(self)
        self.network = NetworkApi(self)
        self.placement = PlacementApi(self)

    def __str__(self) -> str:
        return f"cloud {self.name!r}" if self.name else "the cloud of OS_*"

    def call(
        self,
        service: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        params: Mapping[str, Any] | None = None,
        version: str | None = None,
        on: str = "",
    ) -> Json:
        """Make one request, never repeated; returns the answer's JSON ({} where it has none).

        Args:
            service: compute, identity, network or placement.
            method: GET, POST, PUT or DELETE.
            path: below the service's endpoint, quoted.
            body: sent as JSON.
            params: the query.
            version: the microversion.
            on: what errors say that it failed on.

        Raises:
            HostlerError: as ``faults.translated`` says.
        """
        on = on or f"{_SERVICES[service]} of {self}"

        def send() -> Any:
            with translated(on):
                return self._request(service)(
                    path,
                    method,
                    json=body,
                    params=dict(params or {}),
                    microversion=version,
                    raise_exc=False,
                    connect_retries=0,
                    status_code_retries=0,
                    allow_reauth=False,
                )

        answer = send()
        if answer.status_code == 401:  # the token has ended before its time
            self.connect().session.invalidate()
            answer = send()
        if answer.status_code >= 400:
            raise by_status(answer.status_code, _said(answer), on)
        if not answer.content or answer.status_code == 204:
            return {}
        try:
            return dict(answer.json())
        except ValueError as error:
            raise by_status(502, "the answer is not JSON", on) from error

    def pages(
        self,
        service: str,
        path: str,
        key: str,
        *,
        params: Mapping[str, Any] | None = None,
        version: str | None = None,
    ) -> Iterator[Json]:
        """Read a list, all pages of it (source: Nova's and Neutron's ``KEY_links``, ``marker``)."""
        marker: dict[str, str] = {}
        while True:
            query = {**(params or {}), **marker}
            answer = self.call(service, "GET", path, params=query, version=version)
            found = answer[key]
            yield from found
            more = any(link["rel"] == "next" for link in answer.get(f"{key}_links", ()))
            if not (found and more):
                return
            marker = {"marker": found[-1]["id"]}

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._connection is not None:
                with suppress(auth.ClientException):
                    self._connection.close()
            self._connection = None

    def _request(self, service: str) -> Any:
        """Return what sends a service's requests.

        Nova's and Placement's addresses are as the catalog has them, and we know what versions we
        need: openstacksdk's proxies ask for their version documents first, a call each.
        """
        connection = self.connect()
        if service not in _AS_IN_CATALOG:
            with self._service_locks[service]:  # the first use asks for the versions, once
                return getattr(connection, service).request
        config = connection.config
        return partial(
            connection.session.request,
            endpoint_override=config.get_endpoint(service),
            endpoint_filter={
                "service_type": service,
                "interface": config.get_interface(service),
                "region_name": config.get_region_name(service),
            },
        )

    def connect(self) -> Connection:
        """Log in, or again where that has ended; each call does it where it was not done.

        Raises:
            InvalidInput: there is no such cloud.
            HostlerError: Keystone does not answer, or does not let us in.
        """
        with self._lock:
            if self._connection is None:
                with translated(str(self)):
                    self._connection = openstack.connect(
                        cloud=self.name or None, app_name="hostler", api_timeout=self.timeout
                    )
            connection = self._connection
        with translated(f"Keystone of {self}"):
            connection.session.get_token()
        return connection


def _said(answer: Any) -> str:
    """Return the service's own sentence: Nova, Keystone and Neutron wrap it, Placement lists it."""
    try:
        data = answer.json()
    except ValueError:
        return str(answer.reason or "no reason given")
    if isinstance(data, dict):
        if errors := data.get("errors"):
            return str(errors[0].get("detail") or errors[0].get("title")).strip()
        for part in data.values():
            if isinstance(part, dict) and part.get("message"):
                return " ".join(str(part["message"]).split())
    return str(answer.reason or "no reason given")
