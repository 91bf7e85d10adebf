# SPDX-License-Identifier: Apache-2.0
"""The steps on virtual networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from hostler.networks.live import Command, Section, has_part
from hostler.networks.network_xml import read_network
from hostler.plan.step import Report, Step, World
from hostler.vms.steps import libvirt_of, virsh

if TYPE_CHECKING:
    from hostler.backends.libvirt.networks import FoundNetwork, Networks


class NetworkStep(Step):
    """A step on one network."""

    kind: ClassVar[str]
    uri: str
    name: str

    def networks(self, world: World) -> Networks:
        """Return the networks of the hypervisor."""
        return libvirt_of(world, self.uri).networks

    def found(self, world: World) -> FoundNetwork | None:
        """Return the network as it is; None where there is none."""
        return self.networks(world).find(self.name)


class DefineNetwork(NetworkStep):
    """Define a network; ``before_xml`` is None where it is new."""

    kind = "network.define"
    xml: str
    before_xml: str | None = None

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"{'define' if self.before_xml is None else 'redefine'} network {self.name}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return virsh(self.uri, "net-define", f"{self.name}.xml")

    def apply(self, world: World, report: Report) -> None:
        """Define it."""
        self.networks(world).define(self.xml, self.name)

    def is_done(self, world: World) -> bool:
        """Whether it is defined so."""
        found = self.found(world)
        if found is None or not found.persistent:
            return False
        have = read_network(found.xml)  # libvirt names the bridge of a new one
        return all(have.get(key) == value for key, value in read_network(self.xml).items())

    def undo(self, world: World) -> None:
        """Define it as it was, or forget it."""
        if self.before_xml is None:
            self.networks(world).undefine(self.name)
        else:
            self.networks(world).define(self.before_xml, self.name)


class StartNetwork(NetworkStep):
    """Start a network."""

    kind = "network.start"

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"start network {self.name}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return virsh(self.uri, "net-start", self.name)

    def apply(self, world: World, report: Report) -> None:
        """Start it."""
        self.networks(world).start(self.name)

    def is_done(self, world: World) -> bool:
        """Whether it runs."""
        found = self.found(world)
        return found is not None and found.active

    def undo(self, world: World) -> None:
        """Stop it."""
        self.networks(world).stop(self.name)


class StopNetwork(NetworkStep):
    """Stop a network; ``xml`` is of one that is not defined, and is gone once it stops."""

    kind = "network.stop"
    xml: str | None = None

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"stop network {self.name}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return virsh(self.uri, "net-destroy", self.name)

    def apply(self, world: World, report: Report) -> None:
        """Stop it."""
        self.networks(world).stop(self.name)

    def is_done(self, world: World) -> bool:
        """Whether it runs no more."""
        found = self.found(world)
        return found is None or not found.active

    def undo(self, world: World) -> None:
        """Start it again."""
        if self.xml is not None:
            self.networks(world).define(self.xml, self.name)
        self.networks(world).start(self.name)


class SetNetworkAutostart(NetworkStep):
    """Say whether a network starts with the host."""

    kind = "network.autostart"
    autostart: bool

    @property
    def summary(self) -> str:
        """Say what the step does."""
        verb = "start" if self.autostart else "don't start"
        return f"{verb} network {self.name} with the host"

    @property
    def command(self) -> str:
        """Return the shell command."""
        disable = [] if self.autostart else ["--disable"]
        return virsh(self.uri, "net-autostart", self.name, *disable)

    def apply(self, world: World, report: Report) -> None:
        """Set it."""
        self.networks(world).set_autostart(self.name, self.autostart)

    def is_done(self, world: World) -> bool:
        """Whether it is set so."""
        found = self.found(world)
        return found is not None and found.autostart == self.autostart

    def undo(self, world: World) -> None:
        """Set it as it was."""
        self.networks(world).set_autostart(self.name, not self.autostart)


class UndefineNetwork(NetworkStep):
    """Forget a network that does not run."""

    kind = "network.undefine"
    before_xml: str
    autostart: bool = False

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"remove network {self.name}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return virsh(self.uri, "net-undefine", self.name)

    def apply(self, world: World, report: Report) -> None:
        """Forget it."""
        self.networks(world).undefine(self.name)

    def is_done(self, world: World) -> bool:
        """Whether it is gone."""
        return self.found(world) is None

    def undo(self, world: World) -> None:
        """Define it again."""
        self.networks(world).define(self.before_xml, self.name)
        if self.autostart:
            self.networks(world).set_autostart(self.name, True)


class UpdateNetwork(NetworkStep):
    """Change one part of a network that runs: nothing is restarted."""

    kind = "network.update"
    section: Section
    command_word: Command
    xml: str
    before_xml: str = ""

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"{self.command_word} {self.section} of network {self.name}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        word = "add-last" if self.command_word == "add" else self.command_word
        options = ["--live", "--config"]
        return virsh(self.uri, "net-update", self.name, word, self.section, self.xml, *options)

    def apply(self, world: World, report: Report) -> None:
        """Change it."""
        self.networks(world).update(self.name, self.section, self.command_word, self.xml)

    def is_done(self, world: World) -> bool:
        """Whether the part is there, or gone."""
        found = self.found(world)
        there = found is not None and has_part(found.xml, self.section, self.xml)
        return there != (self.command_word == "delete")

    def undo(self, world: World) -> None:
        """Change it back."""
        back: dict[Command, Command] = {"add": "delete", "delete": "add", "modify": "modify"}
        xml = self.before_xml or self.xml
        self.networks(world).update(self.name, self.section, back[self.command_word], xml)
