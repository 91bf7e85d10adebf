# SPDX-License-Identifier: Apache-2.0
"""Turns the errors of openstacksdk and keystoneauth into ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from keystoneauth1 import exceptions as auth
from openstack import exceptions as sdk

from hostler.errors import (
    BackendError,
    Conflict,
    Denied,
    HostlerError,
    InvalidInput,
    NotFound,
    Timeout,
    Unreachable,
)

_LOGIN = "Check the cloud in clouds.yaml or the OS_* variables: 'openstack token issue'."
_ROLE = "It needs the role admin, unless the cloud's policy says otherwise."


@contextmanager
def translated(on: str) -> Iterator[None]:
    """Raise our errors in place of theirs.

    ``ambiguous`` is set where a write may have taken effect: no answer, or a server error, which
    Nova also gives after it wrote to its database (as when placement can't be reached).
    """
    try:
        yield
    except HostlerError:
        raise
    except (sdk.SDKException, auth.ClientException) as error:
        raise _translate(error, on) from error


def _translate(error: Exception, on: str) -> HostlerError:
    if isinstance(error, (sdk.ConfigException, auth.MissingRequiredOptions)):
        what = f"no cloud to connect to: {_first_line(error)}"
        return InvalidInput(what, on=on, hint="Set OS_CLOUD, or name a cloud of clouds.yaml.")
    if isinstance(error, (auth.ConnectTimeout, auth.RequestTimeout)):
        return Timeout("no answer in time", on=on, hint="Is the service up and not overloaded?")
    if isinstance(error, auth.ConnectionError):
        return Unreachable(_reach(error), on=on, hint="Check the address and that it is up.")
    status = getattr(error, "status_code", None) or getattr(error, "http_status", None)
    if status is None:
        return BackendError(_first_line(error), on=on, hint=_LOGIN)
    return by_status(int(status), _words(error), on)


def by_status(status: int, words: str, on: str) -> HostlerError:
    """Return the error that an answer's status and text stand for."""
    if status == 401:
        return Denied(f"the cloud does not let us in: {words}", on=on, hint=_LOGIN)
    if status == 403:
        return Denied(f"we may not do that: {words}", on=on, hint=_ROLE)
    if status == 404:
        return NotFound(words, on=on)
    if status == 409:
        return Conflict(words, on=on)
    if status < 500:
        return BackendError(f"{words} ({status})", on=on)
    if status == 503:
        error: BackendError = Unreachable(f"{words} ({status})", on=on, hint="Try again later.")
    else:
        error = BackendError(f"{words} ({status})", on=on, hint="See the service's log.")
    error.ambiguous = True
    return error


def _words(error: Any) -> str:
    """Return the service's own sentence: ``details``, where openstacksdk keeps it; Keystone's is
    followed by its status.
    """  # noqa: D205 - one sentence
    details = getattr(error, "details", None)
    text = details if isinstance(details, str) and details else _first_line(error)
    return text.partition(" (HTTP ")[0].strip().partition("\n")[0] or "no reason given"


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(":. ")


def _reach(error: Exception) -> str:
    text = _first_line(error)
    for word in ("Connection refused", "Name or service not known", "certificate verify failed"):
        if word in text:
            return f"can't be reached: {word[0].lower()}{word[1:]}"
    if "Remote end closed" in text or "Connection aborted" in text or "reset by peer" in text:
        return "the connection broke before there was an answer"
    return f"can't be reached: {text}"
