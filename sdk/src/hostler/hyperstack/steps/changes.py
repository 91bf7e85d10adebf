# SPDX-License-Identifier: Apache-2.0
"""Steps that change a VM in place: labels, public address, volumes, callback."""

from __future__ import annotations

from hostler.errors import BackendError
from hostler.hyperstack.steps.base import VmStep
from hostler.hyperstack.watch import nothing, sent, until
from hostler.plan.step import Report, World


class SetLabels(VmStep):
    """Give a VM its labels."""

    kind = "hyperstack.vm.labels"
    labels: tuple[str, ...]
    before: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"label VM {self.name}: {', '.join(self.labels) or 'nothing'}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return self.curl("PUT", self.path("label"), {"labels": list(self.labels)})

    def apply(self, world: World, report: Report) -> None:
        """Set them, and read them again: whether others go is not documented."""
        self._set(world, self.labels)

    def is_done(self, world: World) -> bool:
        """Whether it has these and no others."""
        return set(self.vm(world).labels) == set(self.labels)

    def undo(self, world: World) -> None:
        """Set those from before."""
        self._set(world, self.before)

    def _set(self, world: World, labels: tuple[str, ...]) -> None:
        vm, api = self.vm(world), self.api(world)
        sent(
            api,
            lambda: api.vms.set_labels(vm.id, labels),
            lambda: set(api.vms.get(vm.id).labels) == set(labels),
        )
        now = set(api.vms.get(vm.id).labels)
        if now != set(labels):
            words = ", ".join(sorted(now)) or "none"
            raise BackendError(f"Hyperstack took the labels and shows {words}", on=self.on)


class FloatingIpStep(VmStep):
    """A step on a VM's public address."""

    def change(self, world: World, report: Report, *, attached: bool) -> None:
        """Attach one or detach it, and wait until that shows."""
        vm = self.resting(world, report)
        if (vm.floating_ip is not None) == attached:
            return
        api = self.api(world)
        act = api.vms.attach_floating_ip if attached else api.vms.detach_floating_ip
        on_its_way = "ATTACHING" if attached else "DETACHING"

        def took_effect() -> bool:
            now = api.vms.get(vm.id)
            there = now.floating_ip is not None
            return there == attached or now.floating_ip_status == on_its_way

        sent(api, lambda: act(vm.id), took_effect)
        what = f"it still has {'no' if attached else 'its'} public address"

        def look() -> bool | None:
            return True if (api.vms.get(vm.id).floating_ip is not None) == attached else None

        every = api.config.poll_interval
        until(look, what, on=self.on, timeout=self.timeout, every=every, report=report)


class AttachFloatingIp(FloatingIpStep):
    """Give a VM a public address."""

    kind = "hyperstack.vm.ip.attach"

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"give VM {self.name} a public address"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return self.curl("POST", self.path("attach-floatingip"))

    def apply(self, world: World, report: Report) -> None:
        """Give it one."""
        self.change(world, report, attached=True)

    def is_done(self, world: World) -> bool:
        """Whether it has one, or is about to."""
        vm = self.vm(world)
        return vm.floating_ip is not None or vm.floating_ip_status == "ATTACHING"

    def undo(self, world: World) -> None:
        """Take it away."""
        self.change(world, nothing, attached=False)


class DetachFloatingIp(FloatingIpStep):
    """Take a VM's public address away."""

    kind = "hyperstack.vm.ip.detach"
    irreversible = "the address may be somebody else's by now"

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"take the public address of VM {self.name} away"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return self.curl("POST", self.path("detach-floatingip"))

    def apply(self, world: World, report: Report) -> None:
        """Take it away."""
        self.change(world, report, attached=False)

    def is_done(self, world: World) -> bool:
        """Whether it has none, or is losing it."""
        vm = self.vm(world)
        return vm.floating_ip is None or vm.floating_ip_status == "DETACHING"


class VolumesStep(VmStep):
    """A step on volumes of a VM.

    Attributes:
        volumes: names of volumes, and their ids beside them.
        ids: as above.
    """

    volumes: tuple[str, ...]
    ids: tuple[int, ...]

    def have(self, world: World) -> set[int]:
        """Ids of volumes that it has."""
        return {a.volume.id for a in self.vm(world).volume_attachments if a.volume.id is not None}

    def change(self, world: World, report: Report, *, attached: bool) -> None:
        """Attach those that are missing or detach those that are there, and wait for it."""
        vm, api = self.resting(world, report), self.api(world)
        have = self.have(world)
        todo = [number for number in self.ids if (number in have) != attached]
        if not todo:
            return
        act = api.vms.attach_volumes if attached else api.vms.detach_volumes

        def as_wanted() -> bool:
            now = self.have(world)
            return all((number in now) == attached for number in todo)

        sent(api, lambda: act(vm.id, todo), as_wanted)

        def look() -> bool | None:
            return True if as_wanted() else None

        every = api.config.poll_interval
        what = f"its volumes are not {'attached' if attached else 'detached'}"
        until(look, what, on=self.on, timeout=self.timeout, every=every, report=report)


class AttachVolumes(VolumesStep):
    """Attach volumes to a VM."""

    kind = "hyperstack.vm.volumes.attach"

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"attach {', '.join(self.volumes)} to VM {self.name}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return self.curl("POST", self.path("attach-volumes"), {"volume_ids": list(self.ids)})

    def apply(self, world: World, report: Report) -> None:
        """Attach them."""
        self.change(world, report, attached=True)

    def is_done(self, world: World) -> bool:
        """Whether it has all of them."""
        return set(self.ids) <= self.have(world)

    def undo(self, world: World) -> None:
        """Detach them."""
        self.change(world, nothing, attached=False)


class DetachVolumes(VolumesStep):
    """Detach volumes from a VM."""

    kind = "hyperstack.vm.volumes.detach"

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"detach {', '.join(self.volumes)} from VM {self.name}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return self.curl("POST", self.path("detach-volumes"), {"volume_ids": list(self.ids)})

    def apply(self, world: World, report: Report) -> None:
        """Detach them."""
        self.change(world, report, attached=False)

    def is_done(self, world: World) -> bool:
        """Whether it has none of them."""
        return not set(self.ids) & self.have(world)

    def undo(self, world: World) -> None:
        """Attach them."""
        self.change(world, nothing, attached=True)


class SetCallback(VmStep):
    """Say whom Hyperstack tells of a VM's events."""

    kind = "hyperstack.vm.callback"
    callback_url: str | None = None
    before: str | None = None

    @property
    def summary(self) -> str:
        """Say what the step does."""
        goal = f"to {self.callback_url}" if self.callback_url else "to nobody"
        return f"send the events of VM {self.name} {goal}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        if self.callback_url is None:
            return self.curl("DELETE", self.path("delete-callback"))
        body = {"url": self.callback_url}
        if self.before:
            return self.curl("PUT", self.path("update-callback"), body)
        return self.curl("POST", self.path("attach-callback"), body)

    def apply(self, world: World, report: Report) -> None:
        """Set it."""
        self._set(world, self.callback_url)

    def is_done(self, world: World) -> bool:
        """Whether it is set."""
        return self.vm(world).callback_url == self.callback_url

    def undo(self, world: World) -> None:
        """Set the one from before."""
        self._set(world, self.before)

    def _set(self, world: World, url: str | None) -> None:
        vm = self.vm(world)
        if vm.callback_url != url:
            self.api(world).vms.set_callback(vm.id, url, has=vm.callback_url is not None)
