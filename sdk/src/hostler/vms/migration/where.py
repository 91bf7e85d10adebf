# SPDX-License-Identifier: Apache-2.0
"""Asks both hosts where a VM is, whatever became of its move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hostler.errors import BackendError, Conflict, HostlerError

if TYPE_CHECKING:
    from hostler.backends.libvirt import Hypervisor
    from hostler.backends.libvirt.domains import DomainState

Place = Literal["source", "target"]


@dataclass(frozen=True)
class Whereabouts:
    """A VM as both hosts have it; an error in place of a host that can't be asked."""

    source: DomainState | HostlerError | None
    target: DomainState | HostlerError | None

    @property
    def place(self) -> Place | None:
        """Where it runs, or is defined where it does not run; None where nobody can tell.

        A source where it runs has taken it back: libvirt lets the target's go on only after the
        source's stands still.
        """
        if _runs(self.source):
            return "source"
        if _runs(self.target):
            return "target"
        if isinstance(self.source, HostlerError) or isinstance(self.target, HostlerError):
            return None
        here, there = _active(self.source), _active(self.target)
        if here != there:
            return "source" if here else "target"
        if here or (self.source is None and self.target is None):
            return None
        return "target" if self.target else "source"  # only a definition, which came last

    @property
    def is_twice(self) -> bool:
        """Whether it is active on both hosts."""
        return _active(self.source) and _active(self.target)


def whereabouts(
    name: str, uuid: str, source: Hypervisor, target: Hypervisor, *, both: bool = True
) -> Whereabouts:
    """Ask both hosts; never raises for one that does not answer.

    Without ``both`` the target is asked only where its answer changes the VM's place.
    """
    here = _ask(name, uuid, source)
    if not both and _runs(here):
        return Whereabouts(here, None)
    return Whereabouts(here, _ask(name, uuid, target))


def unclear(name: str, uri: str, target_uri: str) -> BackendError:
    """Return the error of a VM of which nobody can tell where it is."""
    return BackendError(
        "where it runs could not be found out",
        on=f"VM {name!r}",
        hint=f"Look at both: {uri} and {target_uri}, before anything is done.",
    )


def broken_off(name: str, uri: str) -> BackendError:
    """Return the error of a VM whose memory is on two hosts, or lost with one of them."""
    return BackendError(
        "its move broke off in post-copy: neither host has all of its memory",
        on=f"VM {name!r} on {uri}",
        hint="Where both have it still, 'virsh migrate --postcopy --postcopy-resume' goes on;"
        " else it can only be destroyed and started anew, with its disk as the target has it.",
    )


def is_moving(name: str, uri: str) -> Conflict:
    """Return the error of a VM that is being moved by somebody else, or goes on without us."""
    return Conflict(
        "it is being moved right now",
        on=f"VM {name!r} on {uri}",
        hint="Wait for its end, or give it up: hostler vm migrate --abort.",
    )


def _ask(name: str, uuid: str, host: Hypervisor) -> DomainState | HostlerError | None:
    try:
        found = host.domains.read([name]).get(name)
    except HostlerError as error:
        return error
    return found if found and found.uuid == uuid else None


def _active(state: DomainState | HostlerError | None) -> bool:
    return state is not None and not isinstance(state, HostlerError) and bool(state.active_xml)


def _runs(state: DomainState | HostlerError | None) -> bool:
    return state is not None and not isinstance(state, HostlerError) and state.status == "running"
