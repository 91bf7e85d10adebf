# SPDX-License-Identifier: Apache-2.0
"""Snapshots of domains: what is there, and every change of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libvirt

from hostler.backends.libvirt.faults import translated
from hostler.errors import NotFound

if TYPE_CHECKING:
    from hostler.backends.libvirt.hypervisor import Hypervisor


class DomainSnapshots:
    """The snapshots of one hypervisor's domains."""

    def __init__(self, hypervisor: Hypervisor) -> None:
        self._hypervisor = hypervisor

    def _on(self, domain: str, name: str) -> str:
        return f"snapshot {name!r} of VM {domain!r} on {self._hypervisor.uri}"

    def read(self, domain: str) -> list[tuple[str, bool]]:
        """Return the XML of every snapshot of a domain, and whether it is the current one.

        Raises:
            NotFound: there is no domain of that name.
        """
        with translated(f"VM {domain!r} on {self._hypervisor.uri}"):
            found = self._hypervisor.read().lookupByName(domain).listAllSnapshots()
            return [(s.getXMLDesc(), bool(s.isCurrent())) for s in found]

    def exists(self, domain: str, name: str) -> bool:
        """Whether a domain has a snapshot of that name."""
        try:
            with translated(self._on(domain, name)):
                self._hypervisor.read().lookupByName(domain).snapshotLookupByName(name)
                return True
        except NotFound:
            return False

    def create(
        self, domain: str, xml: str, *, external: bool, disk_only: bool, quiesce: bool
    ) -> None:
        """Make a snapshot."""
        flags = libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC if external else 0
        if disk_only:
            flags |= libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY
        if quiesce:
            flags |= libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE
        with translated(f"VM {domain!r} on {self._hypervisor.uri}"):
            self._hypervisor.write().lookupByName(domain).snapshotCreateXML(xml, flags)

    def delete(self, domain: str, name: str, *, children: bool) -> None:
        """Remove a snapshot; its disk content stays in what comes after it."""
        flags = libvirt.VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN if children else 0
        with translated(self._on(domain, name)):
            owner = self._hypervisor.write().lookupByName(domain)
            owner.snapshotLookupByName(name).delete(flags)

    def revert(self, domain: str, name: str, *, running: bool | None) -> None:
        """Go back to a snapshot; ``running`` None: as it was saved."""
        flags = {
            None: 0,
            True: libvirt.VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING,
            False: 0,
        }[running]
        with translated(self._on(domain, name)):
            owner = self._hypervisor.write().lookupByName(domain)
            owner.revertToSnapshot(owner.snapshotLookupByName(name), flags)
            if running is False and owner.isActive():
                owner.destroy()
