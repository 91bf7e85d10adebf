# SPDX-License-Identifier: Apache-2.0
"""Examines a host: all that the doctor looks at, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from hostler.doctor import machine
from hostler.doctor.finding import Finding, Fix, fail, ok
from hostler.errors import HostlerError, MissingLibrary

if TYPE_CHECKING:
    from hostler.backends.libvirt import Hypervisor
    from hostler.plan.journal import Journal


def examine(hypervisor: Callable[[], Hypervisor], journal: Journal, uri: str) -> Iterator[Finding]:
    """Look at a host; each finding is given as soon as it is known.

    This machine itself (/dev/kvm, its name, its process 1) is looked at only where the URI names
    it. A host that can't be reached yields that finding, and those that need no connection.

    Args:
        hypervisor: opens the connection.
        journal: the journal that plans are written to.
        uri: the hypervisor's URI.
    """
    here = is_here(uri)
    if here:
        yield machine.host_name()
        yield machine.reaping()
    yield _journal(journal)
    try:
        host = hypervisor()
        host.read()
    except (HostlerError, ImportError) as error:
        yield _unreachable(error, uri, machine.start_libvirt() if here else None)
        return
    yield ok("libvirt", f"answers at {uri}")
    yield from _asked(host, here=here)


def is_here(uri: str) -> bool:
    """Whether a URI names a QEMU of this machine: no transport, no host."""
    scheme, _, rest = uri.partition("://")
    return scheme == "qemu" and rest.startswith("/")


def _asked(host: Hypervisor, *, here: bool) -> Iterator[Finding]:
    """Ask a libvirt that answers; an answer that fails is a finding too."""
    from hostler.doctor import hypervisor as ask

    connection = host.read()
    yield from _guarded("versions", lambda: [ask.versions(connection)])
    if host.facts.driver == "QEMU":
        qemu = ask.qemu_of(connection.getCapabilities())
        if here:
            yield from _guarded("KVM device", lambda: [machine.kvm_device(qemu.user, qemu.group)])
            yield from _guarded("KVM guests", lambda: [machine.kvm_guests(qemu.emulator)])
        yield from _guarded("UEFI and TPM", lambda: ask.firmware_and_tpm(_capabilities(host)))
    yield from _guarded("network", lambda: [ask.network(connection, host.uri)])
    yield from _guarded("pool", lambda: [ask.pool(connection, host.uri)])
    yield from _guarded("pools", lambda: ask.space(connection))


def _capabilities(host: Hypervisor) -> str:
    """Return the domain capabilities; libvirt refuses them on a read-only connection."""
    return str(host.write().getDomainCapabilities())


def _guarded(name: str, look: Callable[[], list[Finding]]) -> list[Finding]:
    """Look at one thing; what libvirt can't tell is a finding, not the end."""
    from hostler.backends.libvirt.faults import translated

    try:
        with translated(name):
            return look()
    except HostlerError as error:
        return [fail(name, f"could not be looked at: {error.what}", error.hint)]


def _journal(journal: Journal) -> Finding:
    try:
        journal.check()
    except HostlerError as error:
        return fail("journal", error.reason, error.hint)
    return ok("journal", "can be written")


def _unreachable(error: HostlerError | ImportError, uri: str, start: Fix | None) -> Finding:
    if isinstance(error, ImportError | MissingLibrary):
        return fail(
            "libvirt",
            f"libvirt's Python library can't be loaded: {error}",
            "Run: pip install 'hostler[libvirt]'",
        )
    return fail(
        "libvirt", f"{uri} does not answer: {error.what}", error.hint or "Start libvirtd.", start
    )
