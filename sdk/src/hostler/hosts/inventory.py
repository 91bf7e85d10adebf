# SPDX-License-Identifier: Apache-2.0
"""Reads the hypervisors of the pool as plain data, for inventories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict
from urllib.parse import urlsplit

from hostler.hosts.facts import gpu_name
from hostler.models.host_view import HostInfo

if TYPE_CHECKING:
    from hostler.fleet import Fleet

TIMEOUT = 30.0


class SourceRow(TypedDict):
    """What the pool has told.

    Keys:
        source: libvirt.
        name: pool.
        error: None; a host that did not answer says so itself.
        notes: what could not be read.
        gpu_types: all that hosts have.
        hosts: each with the fields of a HostInfo (its pools are ``storage_pools``), ``source``,
            ``gpu_types`` and ``connect``: what Ansible is to connect by.
    """

    source: str
    name: str
    error: str | None
    notes: list[str]
    gpu_types: list[str]
    hosts: list[dict[str, Any]]


def libvirt(fleet: Fleet, *, timeout: float = TIMEOUT) -> SourceRow:
    """Read all registered hosts; each gets ``timeout`` seconds."""
    found = fleet.hosts.info(timeout=timeout)
    notes = [note for info in found for note in info.notes]
    notes += [f"{info.id}: {info.reason}" for info in found if info.reason]
    hosts = [_row(info) for info in found]
    types = sorted({name for host in hosts for name in host["gpu_types"]})
    return SourceRow(
        source="libvirt", name="pool", error=None, notes=notes, gpu_types=types, hosts=hosts
    )


def _row(info: HostInfo) -> dict[str, Any]:
    fields = info.model_dump(mode="json", exclude={"capabilities", "devices", "load", "vms"})
    return {
        "storage_pools": fields.pop("pools"),
        **fields,
        "source": "libvirt",
        "gpu_types": sorted({gpu_name(gpu) for gpu in info.gpus or ()}),
        "connect": connection(info.uri),
    }


def connection(uri: str) -> dict[str, Any]:
    """Return Ansible's variables for the machine at a URI: its address; by ssh, user and port.

    >>> connection("qemu+ssh://root@kvm1:2222/system")
    {'ansible_host': 'kvm1', 'ansible_user': 'root', 'ansible_port': 2222}
    """
    parts = urlsplit(uri)
    if not parts.hostname:
        return {"ansible_connection": "local"} if parts.scheme != "test" else {}
    found: dict[str, Any] = {"ansible_host": parts.hostname}
    if "ssh" in parts.scheme:
        found |= {"ansible_user": parts.username} if parts.username else {}
        found |= {"ansible_port": parts.port} if parts.port else {}
    return found
