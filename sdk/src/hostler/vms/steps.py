# SPDX-License-Identifier: Apache-2.0
"""The steps of changing a domain. They are data; libvirt is reached through the World."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import SecretStr

from hostler.errors import Conflict
from hostler.plan.step import Report, Step, World
from hostler.vms.domain.metadata import NAMESPACE, PREFIX
from hostler.vms.domain.read import document
from hostler.vms.domain.tree import parse

if TYPE_CHECKING:
    from hostler.backends.libvirt import Hypervisor


def libvirt_of(world: World, uri: str) -> Hypervisor:
    """Return the hypervisor at a URI."""
    backend: Hypervisor = world.backend("libvirt", uri)
    return backend


def virsh(uri: str, *words: str) -> str:
    """Return the virsh command line."""
    return shlex.join(["virsh", "-c", uri, *words])


class DomainStep(Step):
    """A step on one domain."""

    kind: ClassVar[str]
    uri: str
    name: str

    def hypervisor(self, world: World) -> Hypervisor:
        """Return the hypervisor that the domain is on."""
        return libvirt_of(world, self.uri)


class DefineDomain(DomainStep):
    """Define a domain in place; ``before_xml`` is None where it is new."""

    kind = "domain.define"
    uuid: str
    xml: str
    before_xml: str | None = None
    password: SecretStr | None = None

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"{'define' if self.before_xml is None else 'redefine'} domain {self.name}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return virsh(self.uri, "define", f"{self.name}.xml")

    def apply(self, world: World, report: Report) -> None:
        """Define it; a domain of that name with another UUID is somebody else's."""
        password = self.password.get_secret_value() if self.password else None
        self.hypervisor(world).domains.define(self.name, self.xml, password=password)

    def is_done(self, world: World) -> bool:
        """Whether the stored definition says what was wanted."""
        domains = self.hypervisor(world).domains
        if not domains.exists(self.name, self.uuid):
            return False
        have = document(parse(domains.xml(self.name)))
        return _without_filled_in(have) == _without_filled_in(document(parse(self.xml)))

    def undo(self, world: World) -> None:
        """Define it as it was; a new one is undefined."""
        domains = self.hypervisor(world).domains
        if not domains.exists(self.name, self.uuid):
            if self.before_xml is None:
                return
            raise Conflict("it is not the domain that was changed", on=f"domain {self.name}")
        if self.before_xml is None:
            domains.undefine(self.name)
        else:
            domains.define(self.name, self.before_xml)


def _without_filled_in(found: dict[str, Any]) -> dict[str, Any]:
    """Leave out what libvirt fills in at define: versioned machine names, default devices."""
    return {k: v for k, v in found.items() if k not in ("machine", "video", "graphics", "watchdog")}


class UndefineDomain(DomainStep):
    """Remove a domain's definition, with NVRAM, managed save and snapshot metadata."""

    kind = "domain.undefine"
    uuid: str
    before_xml: str
    autostart: bool = False

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"undefine domain {self.name}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return virsh(
            self.uri, "undefine", self.name, "--nvram", "--managed-save", "--snapshots-metadata"
        )

    def apply(self, world: World, report: Report) -> None:
        """Undefine it."""
        self.hypervisor(world).domains.undefine(self.name)

    def is_done(self, world: World) -> bool:
        """Whether it is gone."""
        return not self.hypervisor(world).domains.exists(self.name, self.uuid)

    def undo(self, world: World) -> None:
        """Define it again; NVRAM and managed save are gone, as the report says."""
        domains = self.hypervisor(world).domains
        domains.define(self.name, self.before_xml)
        if self.autostart:
            domains.set_autostart(self.name, True)


class StartDomain(DomainStep):
    """Start a domain."""

    kind = "domain.start"
    paused: bool = False

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"start domain {self.name}" + (" paused" if self.paused else "")

    @property
    def command(self) -> str:
        """Return the shell command."""
        return virsh(self.uri, "start", self.name, *(["--paused"] if self.paused else []))

    def apply(self, world: World, report: Report) -> None:
        """Start it."""
        self.hypervisor(world).domains.start(self.name, paused=self.paused)

    def is_done(self, world: World) -> bool:
        """Whether it runs."""
        return self.hypervisor(world).domains.has_started(self.name)

    def undo(self, world: World) -> None:
        """Cut its power: it had not run before."""
        self.hypervisor(world).domains.destroy(self.name)


class StopDomain(DomainStep):
    """Stop a domain: ask the guest and wait; ``hard`` cuts its power at once."""

    kind = "domain.stop"
    timeout: int = 0
    force: bool = False
    hard: bool = False
    was_paused: bool = False

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"{'power off' if self.hard else 'shut down'} domain {self.name}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return virsh(self.uri, "destroy" if self.hard else "shutdown", self.name)

    def apply(self, world: World, report: Report) -> None:
        """Stop it."""
        domains = self.hypervisor(world).domains
        if self.hard:
            domains.destroy(self.name)
        else:
            domains.shutdown(self.name, timeout=self.timeout, force=self.force)

    def is_done(self, world: World) -> bool:
        """Whether it has stopped."""
        return self.hypervisor(world).domains.status(self.name) in ("stopped", "crashed")

    def undo(self, world: World) -> None:
        """Start it again."""
        self.hypervisor(world).domains.start(self.name, paused=self.was_paused)


class PauseDomain(DomainStep):
    """Pause a domain, or (``resume``) let it go on."""

    kind = "domain.pause"
    resume: bool = False

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"{'resume' if self.resume else 'pause'} domain {self.name}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return virsh(self.uri, "resume" if self.resume else "suspend", self.name)

    def apply(self, world: World, report: Report) -> None:
        """Pause it, or let it go on."""
        self._set(world, self.resume)

    def is_done(self, world: World) -> bool:
        """Whether it is paused (runs)."""
        wanted = "running" if self.resume else "paused"
        return self.hypervisor(world).domains.status(self.name) == wanted

    def undo(self, world: World) -> None:
        """Take it back."""
        self._set(world, not self.resume)

    def _set(self, world: World, runs: bool) -> None:
        domains = self.hypervisor(world).domains
        if runs:
            domains.resume(self.name)
        else:
            domains.suspend(self.name)


class ResetDomain(DomainStep):
    """Press a domain's reset button."""

    kind = "domain.reset"
    irreversible = "a reset can't be taken back"

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"reset domain {self.name}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return virsh(self.uri, "reset", self.name)

    def apply(self, world: World, report: Report) -> None:
        """Reset it."""
        self.hypervisor(world).domains.reset(self.name)

    def is_done(self, world: World) -> bool:
        """Say no: a reset leaves no trace."""
        return False


class RenameDomain(DomainStep):
    """Rename a stopped domain."""

    kind = "domain.rename"
    uuid: str
    new_name: str

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"rename domain {self.name} to {self.new_name}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return virsh(self.uri, "domrename", self.name, self.new_name)

    def apply(self, world: World, report: Report) -> None:
        """Rename it."""
        self.hypervisor(world).domains.rename(self.name, self.new_name)

    def is_done(self, world: World) -> bool:
        """Whether it has the new name."""
        return self.hypervisor(world).domains.exists(self.new_name, self.uuid)

    def undo(self, world: World) -> None:
        """Give it its old name."""
        self.hypervisor(world).domains.rename(self.new_name, self.name)


class SetAutostart(DomainStep):
    """Start a domain with its host, or not."""

    kind = "domain.autostart"
    on: bool

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"{'start' if self.on else 'no longer start'} domain {self.name} with its host"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return virsh(self.uri, "autostart", self.name, *([] if self.on else ["--disable"]))

    def apply(self, world: World, report: Report) -> None:
        """Set it."""
        self.hypervisor(world).domains.set_autostart(self.name, self.on)

    def is_done(self, world: World) -> bool:
        """Whether it is set so."""
        found = self.hypervisor(world).domains.read([self.name])
        return self.name in found and found[self.name].autostart == self.on

    def undo(self, world: World) -> None:
        """Set it back."""
        self.hypervisor(world).domains.set_autostart(self.name, not self.on)


LiveKind = Literal[
    "vcpus", "memory", "attach", "detach", "update", "title", "description", "metadata"
]
_WORDS = {
    "vcpus": "set the CPUs of running domain {} to {}",
    "memory": "set the memory of running domain {} to {} bytes",
    "attach": "plug a device into running domain {}",
    "detach": "unplug a device from running domain {}",
    "update": "change a device of running domain {}",
    "title": "set the title of running domain {}",
    "description": "set the description of running domain {}",
    "metadata": "set the labels and metadata of running domain {}",
}
_OPPOSITE: dict[LiveKind, LiveKind] = {"attach": "detach", "detach": "attach"}


class ChangeLive(DomainStep):
    """Change a running domain; ``before`` is what undoes it."""

    kind = "domain.live"
    what: LiveKind
    field: str
    value: str
    before: str = ""

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return _WORDS[self.what].format(self.name, self.value) + f" ({self.field})"

    @property
    def command(self) -> str:
        """Return the shell command."""
        words = {
            "vcpus": ["setvcpus", self.name, self.value],
            "memory": ["setmem", self.name, self.value + "b"],
            "attach": ["attach-device", self.name, "device.xml"],
            "detach": ["detach-device", self.name, "device.xml"],
            "update": ["update-device", self.name, "device.xml"],
            "title": ["desc", self.name, "--title", self.value],
            "description": ["desc", self.name, self.value],
            "metadata": ["metadata", self.name, NAMESPACE, "--key", PREFIX, "--set", self.value],
        }[self.what]
        return virsh(self.uri, *words, "--live")

    def apply(self, world: World, report: Report) -> None:
        """Make the change."""
        self._make(world, self.what, self.value)

    def is_done(self, world: World) -> bool:
        """Ask for what can be asked cheaply; a device change is looked for by its document."""
        tree = parse(self.hypervisor(world).domains.xml(self.name, active=True))
        have = document(tree)
        if self.what == "vcpus":
            return have.get("cpus") == int(self.value)
        if self.what in ("title", "description"):
            return str(have.get(self.what, "")) == self.value
        devices = tree.find("devices")
        wanted = parse(self.value)
        key = _device_key(wanted)
        present = any(_device_key(d) == key for d in devices if d.tag == wanted.tag)
        return present if self.what == "attach" else self.what == "detach" and not present

    def undo(self, world: World) -> None:
        """Make the opposite change."""
        what = _OPPOSITE.get(self.what, self.what)
        self._make(world, what, self.before or self.value)

    def _make(self, world: World, what: LiveKind, value: str) -> None:
        domains = self.hypervisor(world).domains
        if what == "vcpus":
            domains.set_vcpus(self.name, int(value))
        elif what == "memory":
            domains.set_memory(self.name, int(value))
        elif what == "attach":
            domains.attach(self.name, value)
        elif what == "detach":
            domains.detach(self.name, value)
        elif what == "update":
            domains.update_device(self.name, value)
        elif what == "metadata":
            domains.set_metadata(self.name, "element", value, key=PREFIX, uri=NAMESPACE)
        else:
            domains.set_metadata(self.name, what, value)


def _device_key(element: Any) -> tuple[Any, ...]:
    """What tells one device of a kind from another: its target, MAC or host address."""
    target, mac = element.find("target"), element.find("mac")
    source = element.find("source/address")
    return (
        None if target is None else target.get("dev") or target.get("name"),
        None if mac is None else str(mac.get("address")).lower(),
        None if source is None else tuple(sorted(source.attrib.items())),
    )


class SetGraphicsPassword(DomainStep):
    """Change the password of a running domain's graphics servers."""

    kind = "domain.graphics_password"
    irreversible = "the password that was set before is not kept"
    password: SecretStr

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"set the graphics password of running domain {self.name}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return virsh(self.uri, "update-device", self.name, "graphics.xml", "--live")

    def apply(self, world: World, report: Report) -> None:
        """Set it."""
        domains = self.hypervisor(world).domains
        domains.set_graphics_password(self.name, self.password.get_secret_value())

    def is_done(self, world: World) -> bool:
        """Whether it is set so."""
        domains = self.hypervisor(world).domains
        return domains.same_password(self.name, self.password.get_secret_value())
