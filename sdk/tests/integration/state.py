# SPDX-License-Identifier: Apache-2.0
"""The whole state of a libvirt daemon as plain data: equal before and after means untouched."""

from __future__ import annotations

import re
from typing import Any

import libvirt

# What changes by itself: free space, the growth of volumes that guests write to, times of access.
# A pool whose file has no UUID gets another one with every start of libvirtd; QEMU is made owner
# of its disks.
_MOVING = re.compile(
    r"\s*<(capacity|allocation|available|physical|atime|mtime|ctime|uuid|owner|group|label)"
    r"[^>]*>[^<]*</\1>"
)


def dump(uri: str, prefix: str = "") -> dict[str, Any]:
    """Read all networks and pools, and the domains and volumes whose names start so."""
    connection = libvirt.open(uri)  # passwords are part of the state, and need a writing one
    try:
        return {
            "domains": {
                domain.name(): _domain(domain)
                for domain in connection.listAllDomains()
                if domain.name().startswith(prefix)
            },
            "networks": {
                network.name(): (network.XMLDesc(), network.isActive(), network.autostart())
                for network in connection.listAllNetworks()
            },
            "pools": {
                pool.name(): _pool(pool, prefix) for pool in connection.listAllStoragePools()
            },
        }
    finally:
        connection.close()


def _domain(domain: libvirt.virDomain) -> dict[str, Any]:
    secure = libvirt.VIR_DOMAIN_XML_SECURE
    return {
        "state": domain.state()[0],  # a failed start leaves its reason
        "xml": domain.XMLDesc(secure),
        "stored": domain.XMLDesc(secure | libvirt.VIR_DOMAIN_XML_INACTIVE),
        "persistent": domain.isPersistent(),
        "autostart": domain.autostart() if domain.isPersistent() else 0,
        "managed_save": domain.hasManagedSaveImage() if domain.isPersistent() else 0,
        "snapshots": {s.getName(): s.getXMLDesc() for s in domain.listAllSnapshots()},
    }


def _pool(pool: libvirt.virStoragePool, prefix: str) -> dict[str, Any]:
    volumes = pool.listAllVolumes() if pool.isActive() else []
    return {
        "xml": _MOVING.sub("", pool.XMLDesc()),
        "active": pool.isActive(),
        "autostart": pool.autostart(),
        "volumes": {
            volume.name(): (volume.info()[1], _MOVING.sub("", volume.XMLDesc()))
            for volume in volumes
            if volume.name().startswith(prefix)
        },
    }


def sweep(uri: str, prefix: str = "") -> None:
    """Remove the domains and volumes whose names start so, whatever state they are in."""
    connection = libvirt.open(uri)
    try:
        for domain in connection.listAllDomains():
            if domain.name().startswith(prefix):
                _remove(domain, uri)
        for pool in connection.listAllStoragePools(libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE):
            pool.refresh()
            for volume in pool.listAllVolumes():
                if volume.name().startswith(prefix):
                    volume.delete()
    finally:
        connection.close()


def _remove(domain: libvirt.virDomain, uri: str) -> None:
    persistent = domain.isPersistent()
    if domain.isActive():
        domain.destroy()
    flags = (
        libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
    )
    if persistent:
        nvram = 0 if uri.startswith("test") else libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
        domain.undefineFlags(flags | nvram)


def differences(before: Any, after: Any, path: str = "") -> list[str]:
    """Name what differs between two dumps: for people who read a failed test."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = sorted({*before, *after})
        return [d for k in keys for d in differences(before.get(k), after.get(k), f"{path}/{k}")]
    return [] if before == after else [f"{path}: {before!r} became {after!r}"]
