# SPDX-License-Identifier: Apache-2.0
"""What is seen of both hosts before a VM is moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
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

    @property
    def folder(self) -> str:
        """The folder that it is in."""
        return str(PurePosixPath(self.path).parent)


@dataclass(frozen=True)
class Target:
    """What the host that it goes to has.

    Attributes:
        domain: the domain of that name; None where there is none.
        twin: the name of the domain with the VM's UUID.
        free_memory: bytes; None where unknown.
        pools: names of running pools by the folder that they hold.
        space: bytes that are free in each of these folders.
        volumes: those at the paths of the VM's drives, and of their backing files.
        networks: names of running networks.
        cpu_fits: None where libvirt can't tell.
    """

    uri: str
    uuid: str | None
    domain: DomainState | None = None
    twin: str | None = None
    free_memory: int | None = None
    pools: Mapping[str, str] = field(default_factory=dict)
    space: Mapping[str, int] = field(default_factory=dict)
    volumes: Mapping[str, VolumeState] = field(default_factory=dict)
    networks: frozenset[str] = frozenset()
    cpu_fits: bool | None = True


@dataclass(frozen=True)
class Source:
    """The host that it is on.

    Attributes:
        domain: the VM; None where there is none of that name.
        volumes: those at the paths of its drives.
        moves: it is being moved right now, by whomever.
    """

    uri: str
    uuid: str | None
    domain: DomainState | None
    volumes: Mapping[str, VolumeState] = field(default_factory=dict)
    moves: bool = False


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
