# SPDX-License-Identifier: Apache-2.0
"""The step that changes which firewalls a VM has, and nobody else's.

Hyperstack makes what it is sent the whole set of a VM's firewalls, later. So all firewalls are read
first, and nothing is written after a read that failed; the VM's own set is sent with the change in
it; then they are read until it is in effect, and whatever another VM has lost is put back, once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hostler.errors import BackendError
from hostler.hyperstack.steps.base import VmStep
from hostler.hyperstack.watch import nothing, sent, until
from hostler.models.hyperstack import Firewall
from hostler.plan.step import Report, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostler.backends.hyperstack import HyperstackApi

Pairs = set[tuple[int, int]]
"""Attachments: firewall's id, VM's id."""

IN_EFFECT = "SUCCESS"

_writing: dict[str, threading.Lock] = {}
_guard = threading.Lock()


class AttachFirewalls(VmStep):
    """Attach firewalls to a VM or detach them; those that it has besides stay.

    Attributes:
        attach, detach: ids of firewalls.
        words: their names, for people.
    """

    kind = "hyperstack.vm.firewalls"
    attach: tuple[int, ...] = ()
    detach: tuple[int, ...] = ()
    words: str = ""
    shown: tuple[int, ...] = ()

    @property
    def summary(self) -> str:
        """Say what the step does."""
        verb, way = ("attach", "to") if self.attach else ("detach", "from")
        return f"{verb} firewall {self.words} {way} VM {self.name}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        body = {"firewalls": list(self.shown)}
        return self.curl("POST", self.path("attach-firewalls"), body)

    def apply(self, world: World, report: Report) -> None:
        """Bring it into effect.

        Raises:
            BackendError: it has no effect, or others have lost theirs and did not get it back.
        """
        self._change(world, report, self.attach, self.detach)

    def is_done(self, world: World) -> bool:
        """Whether it is in effect, or is about to be."""
        number = self.vm(world).id
        have = {f for f, vm in pairs(self.api(world).firewalls.list()) if vm == number}
        return set(self.attach) <= have and not set(self.detach) & have

    def undo(self, world: World) -> None:
        """Do the contrary."""
        self._change(world, nothing, self.detach, self.attach)

    def _change(
        self, world: World, report: Report, attach: Iterable[int], detach: Iterable[int]
    ) -> None:
        api, number = self.api(world), self.vm(world).id
        with _alone(self.url):
            before = pairs(api.firewalls.list())
            mine = {f for f, vm in before if vm == number}
            wanted = (mine | set(attach)) - set(detach)
            if wanted == mine and self._in_effect(api, number, wanted):
                return
            self.resting(world, report)
            self._write(api, number, wanted)
            self._wait(api, number, wanted, report)
            ours = {pair for pair in before if pair[0] in mine | wanted and pair[1] != number}
            self._put_back(api, ours)

    def _write(self, api: HyperstackApi, number: int, wanted: set[int]) -> None:
        """Send a VM's firewalls; where the answer is lost, look whether it takes effect."""
        sent(
            api,
            lambda: api.vms.attach_firewalls(number, wanted),
            lambda: {f for f, vm in pairs(api.firewalls.list()) if vm == number} == wanted,
        )

    def _in_effect(self, api: HyperstackApi, number: int, wanted: set[int]) -> bool:
        """Whether the VM has exactly these firewalls, and all of them work."""
        have: dict[int, str | None] = {}
        for firewall in api.firewalls.list():
            for attachment in firewall.attachments:
                if attachment.vm.id == number:
                    have[firewall.id] = attachment.status
        return set(have) == wanted and all(status in (None, IN_EFFECT) for status in have.values())

    def _wait(self, api: HyperstackApi, number: int, wanted: set[int], report: Report) -> None:
        every, what = api.config.poll_interval, "the change of its firewalls is not in effect"

        def look() -> bool | None:
            return True if self._in_effect(api, number, wanted) else None

        until(look, what, on=self.on, timeout=self.timeout, every=every, report=report)

    def _put_back(self, api: HyperstackApi, before: Pairs) -> None:
        """Give other VMs back what they have lost, once; one that is gone needs nothing."""
        lost = _lost(api, before)
        for vm in sorted({vm for _, vm in lost}):
            have = {f for f, other in pairs(api.firewalls.list()) if other == vm}
            wanted = have | {f for f, other in lost if other == vm}
            self._write(api, vm, wanted)
            self._wait(api, vm, wanted, nothing)
        still = _lost(api, before) if lost else set()
        if still:
            words = ", ".join(f"firewall {f} from VM {vm}" for f, vm in sorted(still))
            raise BackendError(
                f"Hyperstack took firewalls from other VMs, and does not give them back: {words}",
                on=self.on,
                hint="Attach them with 'hostler hyperstack firewall attach'.",
            )


def _lost(api: HyperstackApi, before: Pairs) -> Pairs:
    """Return attachments that were there before and are no more, though their VM is there."""
    missing = before - pairs(api.firewalls.list())
    return {pair for pair in missing if api.vms.find(pair[1]) is not None}


def pairs(firewalls: Iterable[Firewall]) -> Pairs:
    """Return all attachments of firewalls."""
    return {(firewall.id, vm) for firewall in firewalls for vm in firewall.vm_ids}


@contextmanager
def _alone(url: str) -> Iterator[None]:
    """Let one thread of this process at a time change firewalls: each writes what it has read."""
    with _guard:
        lock = _writing.setdefault(url, threading.Lock())
    with lock:
        yield
