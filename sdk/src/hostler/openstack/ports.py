# SPDX-License-Identifier: Apache-2.0
"""What is done to a port: made, attached, detached, deleted; each so that it may be repeated."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_exponential

from hostler.errors import Conflict, HostlerError, NotFound, Timeout
from hostler.models.network import PortView

if TYPE_CHECKING:
    from hostler.backends.openstack import Cloud

POLL = 0.5
_BUSY = ("task_state", "vm_state")


def ours(cloud: Cloud, port: str, network: str) -> PortView | None:
    """Return the port of a name in a network.

    Raises:
        Conflict: there are several.
    """
    found = [one for one in cloud.network.ports(name=port) if one.network_id == network]
    if len(found) > 1:
        ids = ", ".join(sorted(one.id for one in found))
        hint = "Delete the one that is not used."
        raise Conflict(f"there are several: {ids}", on=f"port {port!r}", hint=hint)
    return found[0] if found else None


def make(cloud: Cloud, body: dict[str, Any]) -> None:
    """Make a port, unless there is one of that name in the network."""
    if ours(cloud, body["name"], body["network_id"]) is None:
        cloud.network.create_port(body)


def attach(cloud: Cloud, server: str, port: PortView, timeout: float) -> None:
    """Attach a port, and wait until it is; Nova is asked before each further try.

    Raises:
        Conflict: the port is another server's, or the server stays busy.
        Timeout: it takes too long.
        HostlerError: Nova can't.
    """
    deadline = time.monotonic() + timeout
    for attempt in Retrying(
        retry=retry_if_exception(_may_pass),
        stop=stop_after_delay(timeout),
        wait=wait_exponential(POLL, max=5),
        reraise=True,
    ):
        with attempt:
            if not is_attached(cloud, server, port):
                _check_free(cloud, server, port)
                cloud.compute.attach_port(server, port.id)
    _until(lambda: is_attached(cloud, server, port), deadline, f"port {port.name!r}", "attached")


def detach(cloud: Cloud, server: str, port: PortView, timeout: float) -> None:
    """Detach a port, where it is attached, and wait until it is not."""
    deadline = time.monotonic() + timeout
    with suppress(NotFound):  # gone with its server, or never there
        if is_attached(cloud, server, port) or _device(cloud, port) == server:
            cloud.compute.detach_port(server, port.id)
    _until(lambda: _device(cloud, port) != server, deadline, f"port {port.name!r}", "detached")


def delete(cloud: Cloud, port: PortView) -> None:
    """Delete a port, where it is there.

    Raises:
        Conflict: a server has it.
    """
    device = _device(cloud, port)
    if device:
        hint = "Detach it there first."
        raise Conflict(f"server {device} has it", on=f"port {port.name!r}", hint=hint)
    with suppress(NotFound):
        cloud.network.delete_port(port.id)


def is_attached(cloud: Cloud, server: str, port: PortView) -> bool:
    """Whether Nova has a port attached to a server."""
    return port.id in cloud.compute.ports_of(server)


def _check_free(cloud: Cloud, server: str, port: PortView) -> None:
    device = _device(cloud, port)
    if device not in (None, server):
        hint = "Detach it there first, or give the port another name."
        raise Conflict(f"server {device} has it", on=f"port {port.name!r}", hint=hint)


def _device(cloud: Cloud, port: PortView) -> str | None:
    """Return the server that Neutron says a port is of; None where it is of none, or gone."""
    return next((p.server_id for p in cloud.network.ports(name=port.name) if p.id == port.id), None)


def _until(look: Callable[[], bool], deadline: float, on: str, what: str) -> None:
    """Wait; a look that gets no answer is one of many."""
    while True:
        error: HostlerError = Timeout(
            f"it is not {what} in time", on=on, hint="See nova-compute's log."
        )
        try:
            if look():
                return
        except HostlerError as failure:
            if not failure.ambiguous:
                raise
            error = failure
        if time.monotonic() > deadline:
            raise error
        time.sleep(POLL)


def _may_pass(error: BaseException) -> bool:
    """Whether a further try may succeed: the server is busy, or its host could not plug it in."""
    busy = isinstance(error, Conflict) and any(word in error.what for word in _BUSY)
    return busy or (isinstance(error, HostlerError) and error.ambiguous)
