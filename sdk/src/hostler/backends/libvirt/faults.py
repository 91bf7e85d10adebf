# SPDX-License-Identifier: Apache-2.0
"""Turns libvirt's errors into ours (codes: https://libvirt.org/html/libvirt-virterror.html)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import libvirt

from hostler.errors import (
    BackendError,
    Conflict,
    Denied,
    HostlerError,
    NotFound,
    Timeout,
    Unreachable,
)

_MISSING = {
    libvirt.VIR_ERR_NO_DOMAIN,
    libvirt.VIR_ERR_NO_NETWORK,
    libvirt.VIR_ERR_NO_STORAGE_POOL,
    libvirt.VIR_ERR_NO_STORAGE_VOL,
    libvirt.VIR_ERR_NO_DOMAIN_SNAPSHOT,
    libvirt.VIR_ERR_NO_DOMAIN_METADATA,
}
_DENIED = {
    libvirt.VIR_ERR_OPERATION_DENIED,
    libvirt.VIR_ERR_ACCESS_DENIED,
    libvirt.VIR_ERR_AUTH_FAILED,
    libvirt.VIR_ERR_AUTH_CANCELLED,
    libvirt.VIR_ERR_AUTH_UNAVAILABLE,
}
_LATE = {libvirt.VIR_ERR_OPERATION_TIMEOUT, libvirt.VIR_ERR_AGENT_UNRESPONSIVE}
_GONE = {libvirt.VIR_ERR_NO_CONNECT, libvirt.VIR_ERR_RPC, libvirt.VIR_ERR_NO_SERVER}
_GONE_WORDS = ("socket is closed", "connection closed", "end of file", "keepalive", "broken pipe")


@contextmanager
def translated(on: str) -> Iterator[None]:
    """Raise our error in place of libvirt's; ``on`` names the thing that was worked on."""
    try:
        yield
    except libvirt.libvirtError as error:
        raise translate(error, on) from error


def translate(error: libvirt.libvirtError, on: str) -> HostlerError:
    """Return our error for libvirt's."""
    code, text = error.get_error_code(), _text(error)
    if code in _MISSING:
        return NotFound(text, on=on)
    if code == libvirt.VIR_ERR_STORAGE_VOL_EXIST or "already exists" in text:
        return Conflict(text, on=on, hint="Run it again: it plans from what is there now.")
    if code in _DENIED:
        return Denied(text, on=on, hint="Use an account that may write, or ask only to read.")
    if code in _LATE:
        return Timeout(text, on=on)
    if code in _GONE or any(word in text.lower() for word in _GONE_WORDS):
        return Unreachable(text, on=on, hint="Check that libvirtd runs there: 'hostler doctor'.")
    return BackendError(text, on=on)


def _text(error: libvirt.libvirtError) -> str:
    text = (error.get_error_message() or str(error)).strip()
    return " ".join(text.split())[:500]
