# SPDX-License-Identifier: Apache-2.0
"""What is seen of both hosts before a VM is moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hostler.vms.domain.tree import Element, attr, devices, parse

if TYPE_CHECKING:
    from hostler.backends.libvirt.domains import DomainState
    from hostler.backends.libvirt.volumes import VolumeState


@dataclass(frozen=True)
class Drive:
    """A file of a domain: ``writable`` disks are copied by QEMU, the others are only read."""

    target: str
    path: str
    device: str
    writable: bool


@dataclass(frozen=True)
class Target:
    """What the host that it goes to has.

    Attributes:
        domain: the domain of that name; None where there is none.
        twin: the name of the domain with the VM's UUID.
        free_memory: bytes; None where unknown.
        pools: names of running pools by the folder that they hold.
        volumes: those at the paths of the VM's drives.
        networks: names of running networks.
        cpu_fits: None where libvirt can't tell.
    """

    uri: str
    uuid: str | None
    domain: DomainState | None = None
    twin: str | None = None
    free_memory: int | None = None
    pools: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, VolumeState] = field(default_factory=dict)
    networks: frozenset[str] = frozenset()
    cpu_fits: bool | None = True


@dataclass(frozen=True)
class Source:
    """The host that it is on; ``volumes`` are those at the paths of its drives."""

    uri: str
    uuid: str | None
    domain: DomainState | None
    volumes: Mapping[str, VolumeState] = field(default_factory=dict)


def tree_of(domain: DomainState) -> Element:
    """Return a domain's XML: as it runs, else as it is defined."""
    return parse(domain.active_xml or domain.inactive_xml)


def drives_of(tree: Element) -> list[Drive]:
    """Return the files of a domain."""
    found = []
    for disk in devices(tree).iterfind("disk"):
        path = attr(disk, "source", "file")
        if path:
            read_only = disk.find("readonly") is not None
            device = disk.get("device") or "disk"
            writable = device == "disk" and not read_only
            found.append(Drive(attr(disk, "target", "dev") or "", path, device, writable))
    return found
