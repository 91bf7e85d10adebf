# SPDX-License-Identifier: Apache-2.0
"""What is done to a port: made, attached, detached, deleted; each so that it may be repeated."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tenacity import (
    Retrying,
    retry_if_exception,
    retry_if_result,
    stop_after_attempt,
    stop_after_delay,
    wait_exponential,
    wait_random,
)

from hostler.errors import Conflict, HostlerError, NotFound, Timeout
from hostler.models.network import PortView

if TYPE_CHECKING:
    from hostler.backends.openstack import Cloud

POLL = 0.5
_BUSY = ("in task_state", "in vm_state building")
"""In a 409 of Nova's: it passes. Other states do not."""
_TRIES = 5
_LATE = (
    "If Neutron makes the port yet, no server has it: the next run attaches it, and state: absent"
    " ('hostler openstack port detach') deletes it."
)


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
    """Make a port, unless there is one of that name in the network.

    Raises:
        Conflict: somebody else makes it too, at the same time, again and again.
    """
    tries = Retrying(
        retry=retry_if_result(lambda alone: not alone),
        stop=stop_after_attempt(_TRIES),
        wait=wait_random(0, 1),
        retry_error_callback=lambda _: False,
    )
    if not tries(_made_alone, cloud, body):
        hint = "Run again."
        raise Conflict("somebody else makes it too", on=f"port {body['name']!r}", hint=hint)


def _made_alone(cloud: Cloud, body: dict[str, Any]) -> bool:
    """Make a port; who finds another's beside his own, takes his own back."""
    name, network = body["name"], body["network_id"]
    if ours(cloud, name, network) is not None:
        return True
    try:
        mine = cloud.network.create_port(body)
    except HostlerError as error:
        if error.ambiguous:
            error.hint = f"{error.hint} {_LATE}".strip()
        raise
    if len([one for one in cloud.network.ports(name=name) if one.network_id == network]) < 2:
        return True
    cloud.network.delete_port(mine)
    return False


def attach(cloud: Cloud, server: str, port: PortView, timeout: float) -> None:
    """Attach a port, and wait until it is; Neutron is asked before each further try.

    Raises:
        Conflict: the port is another server's, or the server stays busy.
        NotFound: the port is gone.
        Timeout: it takes too long.
        HostlerError: Nova can't.
    """

    def once() -> None:
        now = _free(cloud, server, port)
        if now.attached_to(server):
            return
        if now.broken:
            cloud.network.release_port(port.id)
        cloud.compute.attach_port(server, port.id)

    deadline = time.monotonic() + timeout
    try:
        _tried(once, timeout)
    except HostlerError:
        with suppress(HostlerError):
            if _free(cloud, server, port).broken:
                cloud.network.release_port(port.id)
        raise
    there = f"port {port.name!r}"
    _until(lambda: _free(cloud, server, port).attached_to(server), deadline, there, "attached")


def detach(cloud: Cloud, server: str, port: PortView, timeout: float) -> None:
    """Detach a port, where it is attached, and wait until it is not."""

    def once() -> None:
        now = _seen(cloud, port)
        if now is None or now.server_id != server:
            return
        with suppress(NotFound):  # gone with its server
            if now.broken:
                cloud.network.release_port(port.id)
            else:
                cloud.compute.detach_port(server, port.id)

    def is_off() -> bool:
        now = _seen(cloud, port)
        return now is None or now.server_id != server

    deadline = time.monotonic() + timeout
    _tried(once, timeout)
    _until(is_off, deadline, f"port {port.name!r}", "detached")


def delete(cloud: Cloud, port: PortView) -> None:
    """Delete a port, where it is there.

    Raises:
        Conflict: a server has it.
    """
    now = _seen(cloud, port)
    if now is not None and now.server_id and not now.broken:
        hint = "Detach it there first."
        raise Conflict(f"server {now.server_id} has it", on=f"port {port.name!r}", hint=hint)
    with suppress(NotFound):
        cloud.network.delete_port(port.id)


def _seen(cloud: Cloud, port: PortView) -> PortView | None:
    """Return a port as it is now; None where it is gone."""
    return next((now for now in cloud.network.ports(name=port.name) if now.id == port.id), None)


def _free(cloud: Cloud, server: str, port: PortView) -> PortView:
    """Return a port as it is now, which is this server's or nobody's."""
    now = _seen(cloud, port)
    if now is None:
        raise NotFound("it is gone", on=f"port {port.name!r}")
    if now.server_id not in (None, server):
        hint = "Detach it there first, or give the port another name."
        raise Conflict(f"server {now.server_id} has it", on=f"port {port.name!r}", hint=hint)
    return now


def _tried(once: Callable[[], None], timeout: float) -> None:
    """Do something that may be repeated, until it succeeds or the time is over."""
    for attempt in Retrying(
        retry=retry_if_exception(_may_pass),
        stop=stop_after_delay(timeout),
        wait=wait_exponential(POLL, max=5),
        reraise=True,
    ):
        with attempt:
            once()


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
