# SPDX-License-Identifier: Apache-2.0
"""Domains: what is there, and every change of one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import libvirt
from lxml import etree

from hostler.backends.libvirt.connection import bounded
from hostler.backends.libvirt.faults import translated
from hostler.errors import BackendError, NotFound, Timeout

if TYPE_CHECKING:
    from hostler.backends.libvirt.hypervisor import Hypervisor

T = TypeVar("T")

_NO_ANSWER = "It may still be made: look before you repeat it. Is the host's storage stuck?"
_STUCK = "Its QEMU may be stuck; 'virsh domjobinfo' tells, 'force: true' cuts its power."
READ_SECONDS = 5
LIVE_SECONDS = 60
"""For one call that asks a running QEMU: one that is stuck must not hold up the rest."""
CALL_SECONDS = 120
"""For one call that changes a definition: a libvirtd that has to ask every QEMU anew took 50."""
START_SECONDS = 600
"""For a start: memory that is locked for a host device is filled first, which takes minutes."""
ASK_AGAIN_SECONDS = 10
"""Between two requests to shut down, as Nova does (``shutdown_retry_interval``)."""
STATES = {
    libvirt.VIR_DOMAIN_NOSTATE: "running",
    libvirt.VIR_DOMAIN_RUNNING: "running",
    libvirt.VIR_DOMAIN_BLOCKED: "running",
    libvirt.VIR_DOMAIN_PAUSED: "paused",
    libvirt.VIR_DOMAIN_SHUTDOWN: "stopping",
    libvirt.VIR_DOMAIN_SHUTOFF: "stopped",
    libvirt.VIR_DOMAIN_CRASHED: "crashed",
    libvirt.VIR_DOMAIN_PMSUSPENDED: "suspended",
}


@dataclass(frozen=True)
class DomainState:
    """A domain as libvirt has it. ``active_xml`` is None when it does not run.

    ``handle`` is libvirt's own object, on the connection that it was read by.
    """

    name: str
    uuid: str
    status: str
    persistent: bool
    inactive_xml: str
    active_xml: str | None
    autostart: bool
    managed_save: bool
    handle: Any = field(default=None, compare=False, repr=False)


class Domains:
    """The domains of one hypervisor."""

    def __init__(self, hypervisor: Hypervisor) -> None:
        self._hypervisor = hypervisor

    def _on(self, name: str) -> str:
        return f"VM {name!r} on {self._hypervisor.uri}"

    # -- reads, over the read-only connection

    def names(self) -> dict[str, str]:
        """Return the UUID of every domain by its name: one call."""
        with translated(f"hypervisor {self._hypervisor.uri}"):
            return {d.name(): d.UUIDString() for d in self._hypervisor.read().listAllDomains()}

    def read(self, names: Iterable[str]) -> dict[str, DomainState]:
        """Read domains by name, side by side; those that are not there are left out."""
        wanted = set(names)
        return self.read_where(lambda name: name in wanted)

    def read_where(self, matches: Callable[[str], bool]) -> dict[str, DomainState]:
        """Read the domains whose names match, side by side."""
        connection = self._hypervisor.read()
        with translated(f"hypervisor {self._hypervisor.uri}"):
            found = [d for d in connection.listAllDomains() if matches(d.name())]
        states = self._hypervisor.pipeline(self._read_one, found)
        return {s.name: s for s in states if s is not None}

    def _read_one(self, domain: libvirt.virDomain) -> DomainState | None:
        try:
            with translated(self._on(domain.name())):
                status = STATES[domain.state()[0]]
                active = status != "stopped" and domain.ID() != -1  # one that crashed may be kept
                persistent = bool(domain.isPersistent())
                inactive = libvirt.VIR_DOMAIN_XML_INACTIVE if persistent else 0
                return DomainState(
                    name=domain.name(),
                    uuid=domain.UUIDString(),
                    status=status,
                    persistent=persistent,
                    inactive_xml=domain.XMLDesc(inactive),
                    active_xml=domain.XMLDesc() if active else None,
                    autostart=bool(domain.autostart()) if persistent else False,
                    managed_save=persistent and not active and bool(domain.hasManagedSaveImage()),
                    handle=domain,
                )
        except NotFound:
            return None  # it went away between the list and the look

    def status(self, name: str) -> str:
        """Return a domain's state.

        Raises:
            NotFound: there is none of that name.
        """
        with translated(self._on(name)):
            return STATES[self._hypervisor.read().lookupByName(name).state()[0]]

    def has_started(self, name: str) -> bool:
        """Whether a domain runs, or is paused after it was started.

        Raises:
            Timeout: libvirt is still starting it.
        """
        with translated(self._on(name)):
            state, reason = self._hypervisor.read().lookupByName(name).state()[:2]
        if (state, reason) == (libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_STARTING_UP):
            raise Timeout("it is still starting", on=self._on(name))
        return STATES[state] in ("running", "paused")

    def exists(self, name: str, uuid: str | None = None) -> bool:
        """Whether there is a domain of that name (and UUID)."""
        try:
            with translated(self._on(name)):
                domain = self._hypervisor.read().lookupByName(name)
                return uuid is None or bool(domain.UUIDString() == uuid)
        except NotFound:
            return False

    def xml(self, name: str, *, active: bool = False, secure: bool = False) -> str:
        """Return a domain's XML; ``secure`` (with passwords) needs the writing connection."""
        flags = 0 if active else libvirt.VIR_DOMAIN_XML_INACTIVE
        connection = self._hypervisor.write() if secure else self._hypervisor.read()
        with translated(self._on(name)):
            domain = connection.lookupByName(name)
            return str(domain.XMLDesc(flags | (libvirt.VIR_DOMAIN_XML_SECURE if secure else 0)))

    # -- writes

    def _get(self, name: str) -> libvirt.virDomain:
        return self._hypervisor.write().lookupByName(name)

    def _live(
        self, name: str, call: Callable[[libvirt.virDomain], T], seconds: float = LIVE_SECONDS
    ) -> T:
        """Ask something of a running domain's QEMU, and don't wait for ever.

        Raises:
            Timeout: no answer; libvirt may still make the change once QEMU goes on.
        """
        with translated(self._on(name)):
            domain = self._get(name)
            return bounded(lambda: call(domain), seconds, self._on(name), hint=_STUCK)

    def define(self, name: str, xml: str, *, password: str | None = None) -> None:
        """Define in place: UUID and MACs are in the XML; passwords that are there stay."""
        tree = etree.fromstring(xml.encode())
        kept = self._passwords(name)
        for graphics in tree.iterfind("devices/graphics"):
            secret = password or kept.get(str(graphics.get("type")))
            if secret and graphics.get("type") in ("vnc", "spice"):
                graphics.set("passwd", secret)
        connection, text = self._hypervisor.write(), etree.tostring(tree, encoding="unicode")
        self._bounded(name, lambda: connection.defineXML(text))

    def _bounded(self, name: str, call: Callable[[], T], seconds: float | None = None) -> T:
        """Make a change, and don't wait for ever.

        Raises:
            Timeout: no answer; libvirt may still make it.
        """
        with translated(self._on(name)):
            return bounded(call, seconds or CALL_SECONDS, self._on(name), hint=_NO_ANSWER)

    def _passwords(self, name: str) -> dict[str, str]:
        """Return the graphics passwords of a domain; none where it does not exist."""
        try:
            tree = etree.fromstring(self.xml(name, secure=True).encode())
        except NotFound:
            return {}
        found = tree.iterfind("devices/graphics[@passwd]")
        return {str(g.get("type")): str(g.get("passwd")) for g in found}

    def same_password(self, name: str, password: str) -> bool:
        """Whether every graphics server of a domain has this password."""
        tree = etree.fromstring(self.xml(name, secure=True).encode())
        servers = list(tree.iterfind("devices/graphics"))
        return all(g.get("passwd") == password for g in servers) and bool(servers)

    def undefine(self, name: str) -> None:
        """Remove a definition with its NVRAM, managed save, snapshot and checkpoint metadata."""
        flags = (
            libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
            | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
            | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
        )
        with translated(self._on(name)):
            domain = self._get(name)
            if self._hypervisor.facts.driver == "QEMU":
                flags |= libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
            else:
                flags &= ~libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
        self._bounded(name, lambda: domain.undefineFlags(flags))

    def start(self, name: str, *, paused: bool = False) -> None:
        """Start a domain; one that was started meanwhile is fine."""
        with translated(self._on(name)):
            domain = self._get(name)
            if domain.isActive():
                return
        flags = libvirt.VIR_DOMAIN_START_PAUSED if paused else 0
        with self._meanwhile(domain, active=True):
            self._bounded(name, lambda: domain.createWithFlags(flags), START_SECONDS)

    @contextmanager
    def _meanwhile(self, domain: libvirt.virDomain, *, active: bool) -> Iterator[None]:
        """A refusal is fine where the domain is as wanted: somebody else was quicker."""
        try:
            yield
        except Timeout:
            raise
        except BackendError:
            with translated(self._on(domain.name())):
                if bool(domain.isActive()) != active:
                    raise

    def shutdown(self, name: str, *, timeout: float, force: bool) -> None:
        """Ask the guest to shut down and wait until it has; ACPI, and the agent where it answers.

        Raises:
            Timeout: it still runs after ``timeout`` seconds, and ``force`` is off.
        """
        with translated(self._on(name)):
            domain = self._get(name)
            if not domain.isActive():
                return
            if domain.state()[0] == libvirt.VIR_DOMAIN_PAUSED:
                domain.resume()
        if self._stopped_within(domain, timeout):
            return
        if not force:
            raise Timeout(
                f"the guest has not shut down in {timeout:g} s",
                on=self._on(name),
                hint="Give it a longer 'timeout', or 'force: true' to cut its power.",
            )
        self.destroy(name)

    def _ask_to_stop(self, domain: libvirt.virDomain) -> None:
        try:
            flag = libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN
            bounded(lambda: domain.shutdownFlags(flag), READ_SECONDS, self._on(domain.name()))
        except Timeout:
            return  # it is stuck, so it does not stop either
        except libvirt.libvirtError as error:
            if error.get_error_code() not in (
                libvirt.VIR_ERR_NO_SUPPORT,
                libvirt.VIR_ERR_INVALID_ARG,
                libvirt.VIR_ERR_OPERATION_INVALID,
                libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED,
            ):
                raise
            if domain.isActive():
                domain.shutdown()

    def _stopped_within(self, domain: libvirt.virDomain, timeout: float) -> bool:
        """Ask again from time to time: a guest that is still booting does not hear it."""
        began = asked = time.monotonic()
        pause = 0.05
        with translated(self._on(domain.name())):
            self._ask_to_stop(domain)
            while domain.isActive():
                now = time.monotonic()
                if now - began >= timeout:
                    return False
                if now - asked >= ASK_AGAIN_SECONDS:
                    asked = now
                    self._ask_to_stop(domain)
                time.sleep(min(pause, max(0.0, began + timeout - now)))
                pause = min(pause * 1.5, 1.0)
        return True

    def destroy(self, name: str) -> None:
        """Cut a domain's power; one that does not run is fine."""
        with translated(self._on(name)):
            domain = self._get(name)
            if not domain.isActive():
                return
        with self._meanwhile(domain, active=False):
            self._bounded(name, domain.destroy)

    def suspend(self, name: str) -> None:
        """Pause a domain."""
        self._live(name, lambda domain: domain.suspend())

    def resume(self, name: str) -> None:
        """Let a paused or sleeping domain go on."""
        sleeps = self.status(name) == "suspended"
        self._live(name, lambda domain: domain.pMWakeup(0) if sleeps else domain.resume())

    def reset(self, name: str) -> None:
        """Press a domain's reset button."""
        self._live(name, lambda domain: domain.reset(0))

    def rename(self, name: str, new_name: str) -> None:
        """Rename a stopped domain."""
        with translated(self._on(name)):
            domain = self._get(name)
        self._bounded(name, lambda: domain.rename(new_name, 0))

    def set_autostart(self, name: str, on: bool) -> None:
        """Start a domain with its host, or not."""
        with translated(self._on(name)):
            domain = self._get(name)
        self._bounded(name, lambda: domain.setAutostart(int(on)))

    def set_vcpus(self, name: str, count: int) -> None:
        """Change the CPUs of a running domain."""
        live = libvirt.VIR_DOMAIN_AFFECT_LIVE
        self._live(name, lambda domain: domain.setVcpusFlags(count, live))

    def set_memory(self, name: str, size: int, *, wait: float = 10) -> int:
        """Change the memory of a running domain by its balloon; returns bytes reached in time.

        Waits only for a guest whose balloon driver answers; another one follows when it is up.
        """
        live = libvirt.VIR_DOMAIN_AFFECT_LIVE
        self._live(name, lambda domain: domain.setMemoryFlags(size // 1024, live))
        end = time.monotonic() + (wait if self.balloon_answers(name) else 0)
        with translated(self._on(name)):
            domain = self._get(name)
            while (reached := int(domain.info()[2])) != size // 1024:
                if time.monotonic() > end:
                    break
                time.sleep(0.1)
            return reached * 1024

    def balloon_answers(self, name: str) -> bool:
        """Whether a running guest's balloon driver has ever told of its memory."""
        with translated(self._on(name)):
            domain = self._hypervisor.read().lookupByName(name)
            stats = bounded(domain.memoryStats, READ_SECONDS, self._on(name), hint=_STUCK)
        return int(stats.get("last_update", 0)) > 0

    def attach(self, name: str, xml: str) -> None:
        """Plug a device into a running domain."""
        live = libvirt.VIR_DOMAIN_AFFECT_LIVE
        self._live(name, lambda domain: domain.attachDeviceFlags(xml, live))

    def detach(self, name: str, xml: str, *, timeout: float = 20) -> None:
        """Unplug a device from a running domain and wait until the guest has let it go.

        Raises:
            Timeout: the guest keeps it.
        """
        with translated(self._on(name)):
            domain = self._get(name)
            before = _device_count(domain.XMLDesc())
            live = libvirt.VIR_DOMAIN_AFFECT_LIVE
            self._live(name, lambda domain: domain.detachDeviceFlags(xml, live))
            end = time.monotonic() + timeout
            while _device_count(domain.XMLDesc()) >= before:
                if time.monotonic() > end:
                    raise Timeout(
                        f"the guest has not let the device go in {timeout:g} s",
                        on=self._on(name),
                        hint="Unmount it in the guest, or restart the VM.",
                    )
                time.sleep(0.1)

    def update_device(self, name: str, xml: str) -> None:
        """Change a device of a running domain."""
        live = libvirt.VIR_DOMAIN_AFFECT_LIVE
        self._live(name, lambda domain: domain.updateDeviceFlags(xml, live))

    def set_graphics_password(self, name: str, password: str) -> None:
        """Change the password of a running domain's graphics servers."""
        tree = etree.fromstring(self.xml(name, active=True, secure=True).encode())
        for graphics in tree.iterfind("devices/graphics"):
            if graphics.get("type") in ("vnc", "spice"):
                graphics.set("passwd", password)
                self.update_device(name, etree.tostring(graphics, encoding="unicode"))

    def block_resize(self, name: str, target: str, size: int) -> None:
        """Grow a disk of a running domain; the guest sees it at once."""
        flags = libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES
        self._live(name, lambda domain: domain.blockResize(target, size, flags))

    def block_capacity(self, name: str, target: str) -> int:
        """Return the size in bytes that a domain sees of a disk."""
        with translated(self._on(name)):
            domain = self._hypervisor.read().lookupByName(name)
            ask = partial(domain.blockInfo, target)
            return int(bounded(ask, READ_SECONDS, self._on(name), hint=_STUCK)[0])

    def set_metadata(
        self, name: str, kind: Literal["title", "description", "element"], value: str, **ns: Any
    ) -> None:
        """Change the title, description or an XML element (``key``, ``uri``) of a running one."""
        kinds = {
            "title": libvirt.VIR_DOMAIN_METADATA_TITLE,
            "description": libvirt.VIR_DOMAIN_METADATA_DESCRIPTION,
            "element": libvirt.VIR_DOMAIN_METADATA_ELEMENT,
        }
        what = (kinds[kind], value or None, ns.get("key"), ns.get("uri"))
        live = libvirt.VIR_DOMAIN_AFFECT_LIVE
        self._live(name, lambda domain: domain.setMetadata(*what, live))


def _device_count(xml: str) -> int:
    devices = etree.fromstring(xml.encode()).find("devices")
    if devices is None:
        raise BackendError("the domain's XML has no devices")
    return sum(1 for d in devices if d.tag not in ("controller", "console", "input"))
