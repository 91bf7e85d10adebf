# SPDX-License-Identifier: Apache-2.0
"""What a move leaves that was cut off before its last phase.

The source's guest then stands still, and goes on only when it is told; libvirt leaves that to who
knows whether the target's runs. Source: ``qemuMigrationSrcCleanup`` of libvirt, and the phases of
https://libvirt.org/migration.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import libvirt

from hostler.backends.libvirt.faults import translated
from hostler.errors import NotFound

if TYPE_CHECKING:
    from hostler.backends.libvirt.hypervisor import Hypervisor


def was_cut(hypervisor: Hypervisor, name: str) -> bool:
    """Whether a domain stands still since a move that nobody ended; no for one that is not there.

    It does so for a moment in every move: ask whether one is under way first.
    """
    wanted = [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_MIGRATION]
    try:
        with translated(f"VM {name!r} on {hypervisor.uri}"):
            return bool(hypervisor.read().lookupByName(name).state() == wanted)
    except NotFound:
        return False


def let_go(hypervisor: Hypervisor, name: str) -> None:
    """Remove what is left of a domain that runs elsewhere; its files, NVRAM too, stay."""
    flags = libvirt.VIR_DOMAIN_UNDEFINE_KEEP_NVRAM | libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
    hypervisor.domains.destroy(name)
    try:
        with translated(f"VM {name!r} on {hypervisor.uri}"):
            hypervisor.write().lookupByName(name).undefineFlags(flags)
    except NotFound:
        return  # it was transient
