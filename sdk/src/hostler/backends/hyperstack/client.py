# SPDX-License-Identifier: Apache-2.0
"""Client: one session, one key, one limit; what may be repeated is a list of paths."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.auth import AuthBase
from requests.models import PreparedRequest
from tenacity import (
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential,
    wait_random,
)

from hostler.backends.hyperstack import faults
from hostler.backends.hyperstack.limiter import limiter_of
from hostler.errors import Denied, HostlerError
from hostler.models.hyperstack_config import HyperstackConfig
from hostler.plan.step import MASK

Query = Mapping[str, Any]
Row = dict[str, Any]

PAGE = 100
"""Things on a page; the default of some lists is 10."""

PASSES = 5
"""How often a list is read anew that changes while its pages are read."""

LONGEST_PAUSE = 16.0

_ID = r"\d+"
_LISTS = "virtual-machines|environments|firewalls|keypairs|volumes|images|flavors|regions|stocks"
_SAFE = re.compile(
    rf"/core/({_LISTS})|/core/(virtual-machines|firewalls)/{_ID}"
    rf"|/core/virtual-machines/{_ID}/(events|metrics|logs)"
    rf"|/core/virtual-machines/name-availability/[^/]+"
    rf"|/core/environments/{_ID}/vm-quota|/pricebook"
)
"""Paths whose GET only reads. Others start, stop or restart a VM: never repeat by method."""


class Client:
    """Talks to one Hyperstack. Threads may share it.

    Args:
        config: settings, as ``HyperstackConfig.resolved`` returns them.

    Raises:
        Denied: there is no key.
    """

    def __init__(self, config: HyperstackConfig) -> None:
        if config.api_key is None:
            hint = "Set HYPERSTACK_API_KEY or hyperstack.api_key."
            raise Denied("there is no API key", on=f"Hyperstack {config.url}", hint=hint)
        self.config = config
        self._key = config.api_key
        self._limiter = limiter_of(config.url, config.rate_limit)
        self._session = requests.Session()
        self._session.auth = _Auth(self._key.get_secret_value())
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))

    def __str__(self) -> str:
        return f"Hyperstack {self.config.url}"

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def read(self, path: str, query: Query | None = None, *, on: str = "") -> Any:
        """Read; tried again where it was not answered, if the path is known only to read.

        Raises:
            HostlerError: it was refused or not answered.
        """
        delay = self.config.retry_delay
        tries = self.config.retries if _SAFE.fullmatch(path) else 0
        for attempt in Retrying(
            retry=retry_if_exception(lambda e: isinstance(e, HostlerError) and e.ambiguous),
            stop=stop_after_attempt(tries + 1),
            wait=wait_exponential(delay, LONGEST_PAUSE) + wait_random(0, delay),
            reraise=True,
        ):
            with attempt:
                return self._send("GET", path, query, None, on)
        raise AssertionError  # the last attempt returns or raises

    def act(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Query | None = None,
        on: str = "",
    ) -> Any:
        """Change something: sent once, whatever becomes of it.

        Raises:
            HostlerError: it was refused; ``ambiguous``: it may be done all the same.
        """
        return self._send(method, path, query, body, on)

    def pages(self, path: str, key: str, query: Query | None = None) -> list[Row]:
        """Read all pages of a list, each thing once.

        A list that changes meanwhile may hide things between two pages: it is read anew then.

        Raises:
            BackendError: it does not come to rest, or is not whole.
        """

        def rows(body: Any) -> list[Row]:
            return faults.rows_of(body, key, f"{self}: {path}")

        return self.pages_of(path, rows, {**(query or {}), "pageSize": PAGE})

    def pages_of(
        self, path: str, rows: Callable[[Any], list[Row]], query: Query, *, counted: bool = True
    ) -> list[Row]:
        """Read all pages as ``pages`` does; ``rows`` takes the things out of an answer.

        ``counted`` says that the answer's ``count`` is the number of those.
        """
        for _ in range(PASSES):
            found, whole = self._pass(path, rows, query, counted=counted)
            if whole:
                return found
        raise faults.unsteady(f"{self}: {path}")

    def _pass(
        self, path: str, rows: Callable[[Any], list[Row]], query: Query, *, counted: bool
    ) -> tuple[list[Row], bool]:
        """Read all pages once; the things, and whether that is certainly all of them."""
        found: dict[Any, Row] = {}
        counts: set[int | None] = set()
        twins, page = False, 0
        while True:
            page += 1
            body = self.read(path, {**query, "page": page})
            some = rows(body)
            fresh = {row["id"]: row for row in some if row["id"] not in found}
            found |= fresh
            counts.add(count := body.get("count") if counted else None)
            if not fresh or (count is not None and len(found) >= count):
                break
            twins |= len(fresh) < len(some)
        steady = len(counts) == 1 and not twins
        return list(found.values()), steady and counts <= {None, len(found)}

    def _send(
        self, method: str, path: str, query: Query | None, body: Mapping[str, Any] | None, on: str
    ) -> Any:
        self._limiter.wait()
        where = on or f"{self}: {path}"
        try:
            answer = self._session.request(
                method,
                f"{self.config.url}{path}",
                params=dict(query or {}),
                json=body,
                timeout=self.config.timeout,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise self._clean(faults.by_exception(error, where)) from None
        try:
            data = answer.json()
        except ValueError:
            data = None
        if refusal := faults.by_answer(answer, data, where):
            raise self._clean(refusal)
        if not isinstance(data, dict | list):
            raise faults.no_data(answer, where)
        return data

    def _clean(self, error: HostlerError) -> HostlerError:
        """Mask the key, should Hyperstack have repeated it."""
        error.what = error.what.replace(self._key.get_secret_value(), MASK)
        error.args = (str(error),)
        return error


class _Auth(AuthBase):
    """Puts the key in its header; requests takes no password out of ~/.netrc then."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["api_key"] = self._key
        return request
