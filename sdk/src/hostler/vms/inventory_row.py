# SPDX-License-Identifier: Apache-2.0
"""Rows of an inventory: plain data that JSON can hold, made from a domain's XML."""

from __future__ import annotations

from typing import Literal, TypedDict

from hostler.vms.domain.basics import cpus_of
from hostler.vms.domain.metadata import read_notes
from hostler.vms.domain.tree import Element, attr, memory_of

Source = Literal["agent", "lease", "arp"]

AGENT_CHANNEL = "devices/channel/target[@name='org.qemu.guest_agent.0']"


class InterfaceRow(TypedDict):
    """A network card; ``source`` is its network, bridge or device."""

    mac: str
    type: str
    source: str | None
    model: str | None


class DiskRow(TypedDict):
    """A disk or CD-ROM drive; ``source`` is its file, device or volume."""

    target: str
    device: str
    bus: str | None
    type: str | None
    source: str | None
    pool: str | None
    format: str | None


class VmRow(TypedDict):
    """A VM; fields are those of hostler.Vm of the same name.

    ``addresses`` has a list for each source that was asked, None where it could not tell.
    ``xml`` is None unless it was asked for.
    """

    name: str
    uuid: str
    status: str
    uri: str
    host: str
    title: str | None
    description: str | None
    os_type: str | None
    os_version: str | None
    os_id: str | None
    cpu_cores: int
    memory_mb: int
    autostart: bool
    agent_connected: bool | None
    labels: dict[str, str]
    metadata: dict[str, str]
    interfaces: list[InterfaceRow]
    disks: list[DiskRow]
    addresses: dict[Source, list[str] | None]
    xml: str | None


class HostRow(TypedDict):
    """A hypervisor and its VMs; ``error`` says why there are none to tell of.

    ``notes`` are sentences on what could not be found out, for example that an agent hangs.
    """

    uri: str
    host: str | None
    error: str | None
    notes: list[str]
    vms: list[VmRow]


def vm_row(tree: Element, *, uri: str, host: str, status: str, autostart: bool) -> VmRow:
    """Return the row of a domain; its addresses are not in the XML and stay to be filled in."""
    notes = read_notes(tree)
    memory = memory_of(tree, "currentMemory") or memory_of(tree, "memory") or 0
    return VmRow(
        name=tree.findtext("name"),
        uuid=tree.findtext("uuid"),
        status=status,
        uri=uri,
        host=host,
        title=tree.findtext("title"),
        description=tree.findtext("description"),
        os_type=notes.os_type,
        os_version=notes.os_version,
        os_id=notes.os_id,
        cpu_cores=cpus_of(tree)[0],
        memory_mb=memory // 1024**2,
        autostart=autostart,
        agent_connected=_agent_connected(tree),
        labels=notes.labels,
        metadata=notes.metadata,
        interfaces=[_interface(e) for e in tree.iterfind("devices/interface")],
        disks=[_disk(e) for e in tree.iterfind("devices/disk")],
        addresses={},
        xml=None,
    )


def _agent_connected(tree: Element) -> bool | None:
    """Whether libvirt sees an agent; None where the VM has no channel for one."""
    target = tree.find(AGENT_CHANNEL)
    return None if target is None else target.get("state") == "connected"


def _interface(element: Element) -> InterfaceRow:
    source = element.find("source")
    return InterfaceRow(
        mac=(attr(element, "mac", "address") or "").lower(),
        type=element.get("type"),
        source=None
        if source is None
        else source.get("network") or source.get("bridge") or source.get("dev"),
        model=attr(element, "model", "type"),
    )


def _disk(element: Element) -> DiskRow:
    source = element.find("source")
    keys = ("file", "dev", "volume", "name", "dir")
    given = {} if source is None else source.attrib
    return DiskRow(
        target=attr(element, "target", "dev") or "",
        device=element.get("device", "disk"),
        bus=attr(element, "target", "bus"),
        type=element.get("type"),
        source=next((given[key] for key in keys if key in given), None),
        pool=given.get("pool"),
        format=attr(element, "driver", "type"),
    )
