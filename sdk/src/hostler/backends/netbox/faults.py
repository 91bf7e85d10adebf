# SPDX-License-Identifier: Apache-2.0
"""Turns the errors of pynetbox and requests into ours, and never repeats one of theirs whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pynetbox.core.query import ContentError, RequestError
from requests import exceptions
from requests.models import Response

from hostler.backends.netbox.answers import not_netbox
from hostler.errors import BackendError, Denied, HostlerError, InvalidInput, Timeout, Unreachable

_DOWN = "Check netbox.url or NETBOX_URL, and that NetBox runs."
_RIGHTS = "Set NETBOX_TOKEN or netbox.token to a token that may read devices, tenants and owners."


_NUMBERS = re.compile(r"\[(Errno -?\d+|\w+: \w+)\] | \(_ssl\.c:\d+\)")


@contextmanager
def translated(on: str) -> Iterator[None]:
    """Raise our errors in place of theirs; ``on`` names the NetBox."""
    try:
        yield
    except RequestError as error:
        raise by_answer(error.req, on) from None
    except ContentError as error:
        raise _no_data(error.req, on) from None
    except exceptions.RequestException as error:
        raise _by_exception(error, on) from None
    except (KeyError, TypeError):  # pynetbox, of JSON that has no pages
        raise not_netbox(on) from None


def by_answer(answer: Response, on: str) -> HostlerError:
    """Return the error that an answer's status and words stand for."""
    status, words = answer.status_code, _words(answer)
    if status in (401, 403):
        return Denied(f"it does not let us read this: {words}", on=on, hint=_RIGHTS)
    if status == 404:
        return not_netbox(on)
    if status == 400:
        hint = "Check the names and slugs in the part 'netbox' of fleet.yml."
        return InvalidInput(f"it refuses the question: {words}", on=on, hint=hint)
    if status == 429 or status >= 500:
        later = answer.headers.get("Retry-After", "")
        hint = f"Try again in {later} s." if later.isdigit() else "Try again later."
        if status == 500:
            number = answer.headers.get("X-Request-ID", "unknown")
            hint = f"See NetBox's log; its number for the request is {number}."
        return Unreachable(f"it can't answer now: {words}", on=on, hint=hint)
    return BackendError(f"it refuses the question: {words}", on=on, hint=_DOWN)


def _words(answer: Response) -> str:
    """Return what the answer says went wrong, with its status."""
    try:
        told: Any = answer.json()
    except ValueError:
        told = None
    if isinstance(told, dict) and {"detail", "error"} & set(told):
        told = told.get("detail") or told.get("error")
    elif isinstance(told, dict):
        texts = {key: value if isinstance(value, list) else [value] for key, value in told.items()}
        told = "; ".join(f"{key}: {' '.join(map(str, texts[key]))}" for key in texts)
    number = f"{answer.status_code} {answer.reason or ''}".strip()
    return f"{told} ({number})" if told and isinstance(told, str) else number


def _no_data(answer: Response, on: str) -> BackendError:
    """Return the error for an answer that is no JSON: a redirect or a page."""
    goal = answer.headers.get("Location")
    if not goal:
        return not_netbox(on)
    return BackendError(
        f"it sends us on to {goal.partition('?')[0]}",
        on=on,
        hint="Set netbox.url or NETBOX_URL to the address that NetBox is really at.",
    )


def _by_exception(error: exceptions.RequestException, on: str) -> BackendError:
    if isinstance(error, exceptions.Timeout):
        hint = "Is NetBox up and not overloaded? netbox.timeout says how long to wait."
        return Timeout("no answer in time", on=on, hint=hint)
    if isinstance(error, exceptions.SSLError):
        hint = "Is it HTTPS that is spoken there? Set netbox.ca_file to the certificate of its CA."
        return BackendError(f"no trusted connection: {_cause(error)}", on=on, hint=hint)
    if isinstance(error, exceptions.InvalidJSONError):
        return not_netbox(on)
    if isinstance(error, exceptions.ProxyError):
        hint = "Check the variables HTTPS_PROXY and NO_PROXY."
        return Unreachable(f"its proxy fails: {_cause(error)}", on=on, hint=hint)
    return Unreachable(f"no connection: {_cause(error)}", on=on, hint=_DOWN)


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
