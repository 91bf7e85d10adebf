# SPDX-License-Identifier: Apache-2.0
"""Steps that start, stop, hibernate, restore and restart a VM. Hyperstack acts on GET here."""

from __future__ import annotations

from typing import Literal

from hostler.errors import BackendError
from hostler.hyperstack.steps.base import VmStep
from hostler.hyperstack.watch import nothing, sent, until
from hostler.models.hyperstack import HyperstackVm
from hostler.plan.step import Report, World

Action = Literal["start", "stop", "hibernate", "hibernate-restore"]

BECOMES: dict[Action, str] = {
    "start": "ACTIVE",
    "stop": "SHUTOFF",
    "hibernate": "HIBERNATED",
    "hibernate-restore": "ACTIVE",
}
_BACK: dict[Action, Action] = {
    "start": "stop",
    "stop": "start",
    "hibernate": "hibernate-restore",
    "hibernate-restore": "hibernate",
}
_WORDS = {"hibernate-restore": "restore", "start": "start", "stop": "stop"}
_LOOKS = 3
"""How often a VM is looked at that should restart and does not seem to: it may be done already."""


class PowerVm(VmStep):
    """Bring a VM to another power state.

    Attributes:
        action: what to do.
        retain_ip: keep the public address when hibernating.
        wait: wait until it is there.
    """

    kind = "hyperstack.vm.power"
    action: Action
    retain_ip: bool = True
    wait: bool = True

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"{_WORDS.get(self.action, self.action)} VM {self.name}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        query = f"?retain_ip={str(self.retain_ip).lower()}" if self.action == "hibernate" else ""
        return self.curl("GET", self.path(self.action) + query)

    def apply(self, world: World, report: Report) -> None:
        """Do it, once it is at rest."""
        self._go(world, report, self.action, wait=self.wait)

    def is_done(self, world: World) -> bool:
        """Whether it is there, or on its way."""
        return self.vm(world).becomes == BECOMES[self.action]

    def undo(self, world: World) -> None:
        """Do the contrary."""
        self._go(world, nothing, _BACK[self.action], wait=True)

    def _go(self, world: World, report: Report, action: Action, *, wait: bool) -> None:
        target = BECOMES[action]
        vm = self.resting(world, report, ("ACTIVE", "SHUTOFF", "HIBERNATED", "ERROR"))
        if vm.status == target:
            return
        api, before = self.api(world), vm.status
        sent(
            api,
            lambda: api.vms.power(vm.id, action, retain_ip=self.retain_ip),
            lambda: api.vms.get(vm.id).becomes == target,
        )
        if not wait:
            return

        def look() -> HyperstackVm | None:
            now = api.vms.get(vm.id)
            if now.status == "ERROR" and before != "ERROR":
                raise BackendError(f"it went into ERROR, not {target}", on=self.on)
            return now if now.status == target else None

        every = api.config.poll_interval
        what = f"it is not {target}"
        until(look, what, on=self.on, timeout=self.timeout, every=every, report=report)


class RebootVm(VmStep):
    """Restart a VM hard."""

    kind = "hyperstack.vm.reboot"
    kept = "it runs as it did before"
    wait: bool = True

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"restart VM {self.name}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return self.curl("GET", self.path("hard-reboot"))

    def apply(self, world: World, report: Report) -> None:
        """Restart it."""
        vm = self.resting(world, report, ("ACTIVE", "ERROR"))
        api = self.api(world)
        sent(api, lambda: api.vms.power(vm.id, "hard-reboot"), lambda: self.is_done(world))
        looks = 0

        def look() -> HyperstackVm | None:
            nonlocal looks
            looks += 1
            now = api.vms.get(vm.id)
            began = now.status != vm.status or looks >= _LOOKS
            looks = _LOOKS if began else looks
            if began and now.status == "ERROR":
                raise BackendError("it went into ERROR", on=self.on)
            return now if began and now.status == "ACTIVE" else None

        if self.wait:
            every = api.config.poll_interval
            what = "it does not run again"
            until(look, what, on=self.on, timeout=self.timeout, every=every, report=report)

    def is_done(self, world: World) -> bool:
        """Whether it restarts right now; afterwards that does not show."""
        return self.vm(world).status == "REBOOTING"
