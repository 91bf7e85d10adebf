# SPDX-License-Identifier: Apache-2.0
"""Rows of an inventory: plain data that JSON can hold, made from a domain's XML."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from hostler.backends.libvirt.bulk import Listed
from hostler.vms.addresses import Source
from hostler.vms.domain.basics import cpus_of
from hostler.vms.domain.metadata import Notes, read_notes
from hostler.vms.domain.tree import AGENT, Element, memory_of


class VmRow(TypedDict):
    """A VM. Fields are those of hostler.Vm of the same name; what is not known is left out.

    Lean on purpose: Ansible copies every value several times, at some 15 microseconds each, and
    ``hostler.fleet.vm_info`` tells the rest.

    Attributes:
        crashed: it is off as its QEMU died; left out where that is not so.
        interfaces: the network, bridge or device of each card, by its MAC address.
        disks: the file, device or volume of each disk, by its target; None for an empty drive.
        addresses: a list for each source that was asked, None where it could not tell.
    """

    name: str
    uuid: str
    status: str
    uri: str
    host: str
    cpu_cores: int
    memory_mb: int
    autostart: bool
    crashed: NotRequired[bool]
    title: NotRequired[str]
    description: NotRequired[str]
    os_type: NotRequired[str]
    os_version: NotRequired[str]
    os_id: NotRequired[str]
    labels: NotRequired[dict[str, str]]
    metadata: NotRequired[dict[str, str]]
    interfaces: NotRequired[dict[str, str | None]]
    disks: NotRequired[dict[str, str | None]]
    agent_connected: NotRequired[bool]
    addresses: NotRequired[dict[Source, list[str] | None]]
    xml: NotRequired[str]


class HostRow(TypedDict):
    """A hypervisor and its VMs; ``error`` says why there are none to tell of.

    ``notes`` are sentences on what could not be found out, for example that an agent hangs.
    """

    uri: str
    host: str | None
    error: str | None
    notes: list[str]
    vms: list[VmRow]


def vm_row(domain: Listed, tree: Element, *, uri: str, host: str) -> VmRow:
    """Return the row of a domain; its addresses are not in the XML and stay to be filled in."""
    notes = Notes() if tree.find("metadata") is None else read_notes(tree)
    memory = memory_of(tree, "currentMemory") or memory_of(tree, "memory") or 0
    row = VmRow(
        name=domain.name,
        uuid=domain.uuid,
        status=domain.status,
        uri=uri,
        host=host,
        cpu_cores=cpus_of(tree)[0],
        memory_mb=memory // 1024**2,
        autostart=domain.autostart,
    )
    known = {
        "crashed": domain.crashed,
        "title": tree.findtext("title"),
        "description": tree.findtext("description"),
        "os_type": notes.os_type,
        "os_version": notes.os_version,
        "os_id": notes.os_id,
        "labels": notes.labels,
        "metadata": notes.metadata,
        **_devices(tree.find("devices")),
    }
    row.update({key: value for key, value in known.items() if value})  # type: ignore[typeddict-item]
    return row


def _devices(devices: Element) -> dict[str, object]:
    interfaces, disks, agent = {}, {}, False
    for device in () if devices is None else devices:
        if device.tag == "interface":
            mac = device.find("mac")
            if mac is not None:
                interfaces[mac.get("address").lower()] = _source(device, "network", "bridge", "dev")
        elif device.tag == "disk":
            disks[device.find("target").get("dev")] = _source(
                device, "file", "dev", "volume", "name", "dir"
            )
        elif device.tag == "channel":
            target = device.find("target")
            ours = target is not None and target.get("name") == AGENT
            agent = agent or (ours and target.get("state") == "connected")
    return {"interfaces": interfaces, "disks": disks, "agent_connected": agent}


def _source(device: Element, *names: str) -> str | None:
    source = device.find("source")
    if source is None:
        return None
    given = source.attrib
    return next((given[name] for name in names if name in given), None)
