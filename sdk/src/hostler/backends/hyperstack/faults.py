# SPDX-License-Identifier: Apache-2.0
"""Turns answers and the errors of requests into our errors; none of theirs is repeated whole."""

from __future__ import annotations

import re
from typing import Any

from requests import exceptions
from requests.models import Response

from hostler.errors import BackendError, Conflict, Denied, HostlerError, NotFound, Unreachable
from hostler.errors import Timeout as NoAnswer

_KEY = "Set HYPERSTACK_API_KEY or hyperstack.api_key to a key that is valid there."
_URL = "Check hyperstack.url or HYPERSTACK_API_URL, and the way there."
_LATER = "Try again later."
_BUSY = (
    "Wait a minute. Hyperstack counts all requests of one address: lower hyperstack.rate_limit"
    " where several machines or processes share it."
)
_BY_REASON = {
    "bad_request": 400, "unauthorized": 401, "forbidden": 403, "not_found": 404,
    "not_allowed": 405, "already_exist": 409, "server_error": 500,
}  # fmt: skip
_KINDS: dict[int, tuple[type[HostlerError], str, str]] = {
    401: (Denied, "the API key is not accepted", _KEY),
    402: (BackendError, "the balance is too low", "Add credit to the organisation's account."),
    403: (Denied, "the key's user may not do this", "Ask the organisation's owner for a role."),
    404: (NotFound, "it is not there", ""),
    409: (Conflict, "Hyperstack says that it can't be as things are", ""),
    429: (Unreachable, "too many requests", _BUSY),
}
_NUMBERS = re.compile(r"\[(Errno -?\d+|\w+: \w+)\] | \(_ssl\.c:\d+\)")
_LONGEST = 300


def by_answer(answer: Response, body: Any, on: str) -> HostlerError | None:
    """Return the error that an answer stands for; None: it is a good one."""
    status = answer.status_code
    refused = isinstance(body, dict) and body.get("status") is False
    if 200 <= status < 300 and not refused:
        return None
    if refused and status < 300:
        status = _BY_REASON.get(str(body.get("error_reason")), 400)
    return by_status(status, _words(answer, body), on)


def by_status(status: int, words: str, on: str) -> HostlerError:
    """Return the error for a status and what Hyperstack said."""
    if status >= 500:
        return Unreachable(f"Hyperstack failed: {words}", on=on, hint=_LATER)
    if 300 <= status < 400:
        return BackendError(f"it sends us elsewhere ({status})", on=on, hint=_URL)
    kind, what, hint = _KINDS.get(status, (BackendError, "Hyperstack refuses", ""))
    return kind(f"{what}: {words}", on=on, hint=hint)


def no_data(answer: Response, on: str) -> HostlerError:
    """Return the error for an answer that should be JSON and is not; a write may be done."""
    what = f"whoever answers is not Hyperstack ({answer.status_code}, no JSON)"
    return Unreachable(what, on=on, hint=_URL)


def by_exception(error: exceptions.RequestException, on: str) -> BackendError:
    """Return our error for one of requests."""
    if isinstance(error, exceptions.Timeout):
        hint = "hyperstack.timeout says how long to wait."
        return NoAnswer("no answer in time", on=on, hint=hint)
    if isinstance(error, exceptions.SSLError):
        return BackendError(f"no trusted connection: {_cause(error)}", on=on, hint=_URL)
    return Unreachable(f"no connection: {_cause(error)}", on=on, hint=_URL)


def _words(answer: Response, body: Any) -> str:
    number = f"{answer.status_code} {answer.reason or ''}".strip()
    told = body.get("message") if isinstance(body, dict) else None
    if not isinstance(told, str) or not told.strip():
        return number
    return f"{told.strip().rstrip('.')[:_LONGEST]} ({number})"


def _cause(error: BaseException) -> str:
    """Return the innermost reason: requests wraps urllib3's error, which wraps the system's."""
    inner: Any = error
    while True:
        deeper = getattr(inner, "reason", None) or next(
            (part for part in inner.args if isinstance(part, BaseException)), None
        )
        if not isinstance(deeper, BaseException):
            break
        inner = deeper
    text = _NUMBERS.sub("", str(inner)).rpartition(": ")[2]
    return text or type(inner).__name__


def unsteady(on: str) -> BackendError:
    """Return the error for a list that can't be read whole."""
    what = "the list changes while it is read, or Hyperstack does not give all of it"
    return BackendError(what, on=on, hint=_LATER)


def rows_of(body: Any, key: str, on: str) -> list[dict[str, Any]]:
    """Return the things of a page.

    Raises:
        BackendError: it has no such list.
    """
    rows = body.get(key) if isinstance(body, dict) else None
    if not isinstance(rows, list) or not all(isinstance(r, dict) and "id" in r for r in rows):
        raise strange(f"it has no list {key!r}", on)
    return rows


def strange(why: str, on: str) -> BackendError:
    """Return the error for an answer that is not as it should be."""
    hint = "Is hyperstack.url the address of the API, with its version?"
    return BackendError(f"the answer is not as expected: {why}", on=on, hint=hint)
