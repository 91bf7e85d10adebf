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
    Unsupported,
)

_PLAIN: dict[int, type[HostlerError]] = {
    libvirt.VIR_ERR_NO_DOMAIN: NotFound,
    libvirt.VIR_ERR_NO_NETWORK: NotFound,
    libvirt.VIR_ERR_NO_STORAGE_POOL: NotFound,
    libvirt.VIR_ERR_NO_STORAGE_VOL: NotFound,
    libvirt.VIR_ERR_NO_DOMAIN_SNAPSHOT: NotFound,
    libvirt.VIR_ERR_NO_DOMAIN_METADATA: NotFound,
    libvirt.VIR_ERR_OPERATION_TIMEOUT: Timeout,
    libvirt.VIR_ERR_AGENT_UNRESPONSIVE: Timeout,
    libvirt.VIR_ERR_NO_SUPPORT: Unsupported,
}
_DENIED = {
    libvirt.VIR_ERR_OPERATION_DENIED,
    libvirt.VIR_ERR_ACCESS_DENIED,
    libvirt.VIR_ERR_AUTH_FAILED,
    libvirt.VIR_ERR_AUTH_CANCELLED,
    libvirt.VIR_ERR_AUTH_UNAVAILABLE,
}
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
    if code in _PLAIN:
        return _PLAIN[code](text, on=on)
    if code == libvirt.VIR_ERR_STORAGE_VOL_EXIST or "already exists" in text:
        return Conflict(text, on=on, hint="Run it again: it plans from what is there now.")
    if code in _DENIED:
        return Denied(text, on=on, hint="Use an account that may write, or ask only to read.")
    if code in _GONE or any(word in text.lower() for word in _GONE_WORDS):
        return Unreachable(text, on=on, hint="Check that libvirtd runs there: 'hostler doctor'.")
    return BackendError(text, on=on)


def _text(error: libvirt.libvirtError) -> str:
    text = (error.get_error_message() or str(error)).strip()
    return " ".join(text.split())[:500]
