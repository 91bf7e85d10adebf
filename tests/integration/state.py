# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole state of a libvirt daemon as plain data: equal before and after means untouched."""

from __future__ import annotations

import re
from typing import Any

import libvirt

# What changes by itself: free space, the growth of volumes that guests write to.
_MOVING = re.compile(r"\s*<(capacity|allocation|available|physical)[^>]*>[^<]*</\1>")


def dump(uri: str) -> dict[str, Any]:
    """Read all domains, networks, pools and volumes."""
    connection = libvirt.openReadOnly(uri)
    try:
        return {
            "domains": {domain.name(): _domain(domain) for domain in connection.listAllDomains()},
            "networks": {
                network.name(): (network.XMLDesc(), network.isActive(), network.autostart())
                for network in connection.listAllNetworks()
            },
            "pools": {pool.name(): _pool(pool) for pool in connection.listAllStoragePools()},
        }
    finally:
        connection.close()


def _domain(domain: libvirt.virDomain) -> dict[str, Any]:
    return {
        "state": domain.state(),
        "xml": domain.XMLDesc(),
        "stored": domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE),
        "persistent": domain.isPersistent(),
        "autostart": domain.autostart(),
        "managed_save": domain.hasManagedSaveImage(),
        "snapshots": {s.getName(): s.getXMLDesc() for s in domain.listAllSnapshots()},
        "checkpoints": sorted(c.getName() for c in domain.listAllCheckpoints()),
    }


def _pool(pool: libvirt.virStoragePool) -> dict[str, Any]:
    volumes = pool.listAllVolumes() if pool.isActive() else []
    return {
        "xml": _MOVING.sub("", pool.XMLDesc()),
        "active": pool.isActive(),
        "autostart": pool.autostart(),
        "volumes": {
            volume.name(): (volume.info()[1], _MOVING.sub("", volume.XMLDesc()))
            for volume in volumes
        },
    }
