# SPDX-License-Identifier: Apache-2.0
"""Files on web servers: read from start to end, as they are sent. Their addresses stay secret."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import requests
from requests.exceptions import RequestException, SSLError, TooManyRedirects
from requests.exceptions import Timeout as NoAnswer
from urllib3.exceptions import HTTPError, ReadTimeoutError

from hostler.errors import BackendError, Denied, NotFound, Timeout, Unreachable
from hostler.models.url import masked

CONNECT_SECONDS = 15
SILENT_SECONDS = 60
"""How long a server may say nothing. It may be slow for as long as it likes."""

_LOGIN = "Put the login into the address (https://user:password@...) or into ~/.netrc."
_AGAIN = "Run it again; what there was of it is gone."


class WebFile:
    """A file that is being read.

    Attributes:
        size: bytes that there are; None where the server does not tell.
    """

    def __init__(self, answer: requests.Response, on: str) -> None:
        length = answer.headers.get("Content-Length", "")
        self.size = int(length) if length.isdigit() else None
        self._raw = answer.raw
        self._on = on
        self._read = 0

    def read(self, count: int) -> bytes:
        """Return the next bytes, nothing at the end.

        Raises:
            BackendError: the connection was cut, or the server fell silent.
        """
        try:
            part: bytes = self._raw.read(count, decode_content=False)
        except ReadTimeoutError as error:
            raise _silent(self._on) from error
        except (HTTPError, OSError) as error:
            raise self._cut() from error
        self._read += len(part)
        if not part and count and self.size is not None and self._read != self.size:
            raise self._cut()
        return part

    def _cut(self) -> BackendError:
        of = "" if self.size is None else f" of {self.size}"
        what = f"the connection was cut after {self._read}{of} bytes"
        return BackendError(what, on=self._on, hint=_AGAIN)


class Web:
    """Reads files. Proxies and ``~/.netrc`` are those of the environment."""

    @contextmanager
    def open(self, url: str) -> Iterator[WebFile]:
        """Open a file; follows redirects.

        Raises:
            NotFound: there is no such file.
            Denied: it wants a login, or another one.
            Unreachable: there is no connection to be had.
            Timeout: nobody answers in time.
            BackendError: the server refuses, or sends a page in place of a file.
        """
        on = f"image {masked(url)}"
        try:
            answer = requests.get(
                url,
                stream=True,
                headers={"Accept-Encoding": "identity"},
                timeout=(CONNECT_SECONDS, SILENT_SECONDS),
            )
        except NoAnswer as error:
            raise _silent(on) from error
        except SSLError as error:
            hint = "Check the server's certificate, or set REQUESTS_CA_BUNDLE."
            raise BackendError("its server can't be trusted", on=on, hint=hint) from error
        except TooManyRedirects as error:
            raise BackendError("it is redirected again and again", on=on) from error
        except (RequestException, ValueError) as error:
            hint = "Check the address, and that its server runs."
            raise Unreachable(f"no connection: {_cause(error)}", on=on, hint=hint) from error
        with answer:
            _check(answer, on)
            yield WebFile(answer, on)


def _check(answer: requests.Response, on: str) -> None:
    code = answer.status_code
    told = f"the server says {code} {(answer.reason or '')[:80]}".strip()
    if code in (401, 403):
        raise Denied(told, on=on, hint=_LOGIN)
    if code in (404, 410):
        raise NotFound(told, on=on, hint="Check the address.")
    if code != requests.codes.ok:
        raise BackendError(told, on=on, hint="Try again later, or another server.")
    if answer.headers.get("Content-Type", "").startswith("text/html"):
        hint = "Does it want a login? Open it in a browser."
        raise BackendError("the server sends a page, not a file", on=on, hint=hint)


def _silent(on: str) -> Timeout:
    what = f"the server said nothing for {SILENT_SECONDS} s"
    return Timeout(what, on=on, hint="Try again later, or another server.")


def _cause(error: BaseException) -> str:
    """Return the system's own reason; what requests says has the whole address in it."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.strerror:
            return seen.strerror
        seen = seen.__cause__ or seen.__context__
    return "its name is not known, or nobody listens there"
