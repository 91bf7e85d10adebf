# SPDX-License-Identifier: Apache-2.0
"""Queries a Prometheus. Source: Prometheus, "HTTP API"; its answers are checked, not believed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import requests
from requests.auth import AuthBase
from requests.models import PreparedRequest

from hostler.errors import BackendError, Denied, HostlerError, InvalidInput, Timeout, Unreachable
from hostler.models.metrics_config import PrometheusConfig

_HINT = "Check metrics.prometheus.url, and that Prometheus runs there."


class Series(NamedTuple):
    """A series: its labels, and its values by time (seconds)."""

    labels: dict[str, str]
    values: dict[float, float]


class Prometheus:
    """One Prometheus. Threads may share it."""

    def __init__(self, config: PrometheusConfig) -> None:
        self.config = config
        self._session = requests.Session()
        if config.token is not None:
            self._session.auth = _Bearer(config.token.get_secret_value())

    def __str__(self) -> str:
        return f"Prometheus {self.config.url}"

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def query_range(self, query: str, *, start: float, end: float, step: int) -> list[Series]:
        """Return the values of a query at times from ``start`` to ``end`` (both included).

        Raises:
            BackendError: it does not answer, refuses, or makes no sense.
        """
        asked = {"query": query, "start": str(start), "end": str(end), "step": str(step)}
        data = self._ask(asked)
        try:
            return [_series(one) for one in data["result"]]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._strange(str(error)) from None

    def _ask(self, form: Mapping[str, str]) -> Any:
        url = f"{self.config.url}/api/v1/query_range"
        try:
            answer = self._session.post(
                url, data=form, timeout=self.config.timeout, allow_redirects=False
            )
        except requests.Timeout:
            what = f"no answer in {self.config.timeout} s"
            raise Timeout(what, on=str(self), hint="Ask for fewer hours or metrics.") from None
        except requests.RequestException as error:
            raise Unreachable(_cause(error), on=str(self), hint=_HINT) from None
        try:
            body = answer.json()
        except ValueError:
            body = None
        if answer.status_code != requests.codes.ok:
            raise self._refusal(answer, body)
        if not isinstance(body, dict) or body.get("status") != "success":
            raise self._strange("it is no answer of its API")
        return body.get("data")

    def _refusal(self, answer: requests.Response, body: Any) -> HostlerError:
        told = body.get("error") if isinstance(body, dict) else answer.reason
        what = f"it says {answer.status_code}: {str(told)[:200]}"
        if answer.status_code in (401, 403):
            return Denied(what, on=str(self), hint="Set metrics.prometheus.token.")
        if answer.status_code in (400, 422):
            return InvalidInput(what, on=str(self), hint="Ask for fewer hours or metrics.")
        return BackendError(what, on=str(self), hint=_HINT)

    def _strange(self, why: str) -> BackendError:
        return BackendError(f"its answer makes no sense: {why[:200]}", on=str(self), hint=_HINT)


def _series(one: Any) -> Series:
    """Read a series; NaN and infinite values are none."""
    pairs = [(float(at), float(value)) for at, value in one["values"]]
    labels = {str(name): str(value) for name, value in one["metric"].items()}
    return Series(labels, {at: value for at, value in pairs if math.isfinite(value)})


def _cause(error: BaseException) -> str:
    """Return the system's own reason; what requests says is a page long."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.strerror:
            return f"no connection: {seen.strerror}"
        seen = seen.__cause__ or seen.__context__
    return f"no connection: {type(error).__name__}"


class _Bearer(AuthBase):
    """Sends the token; requests takes no password out of ~/.netrc then."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request
