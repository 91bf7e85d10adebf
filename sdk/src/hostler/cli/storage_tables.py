# SPDX-License-Identifier: Apache-2.0
"""Tables of pools, volumes and networks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from hostler.cli import render

if TYPE_CHECKING:
    from hostler.models.libvirt_network import LibvirtNetwork
    from hostler.models.storage import StoragePool, StorageVolume


def pools(found: Iterable[StoragePool]) -> Table:
    """Return the table of pools."""
    rows = [
        (
            one.name,
            _status(one.active),
            one.type,
            size(one.capacity),
            size(one.available),
            "" if one.volumes is None else str(one.volumes),
            one.path or one.source_name or "",
        )
        for one in found
    ]
    columns = ("pool", "status", "type", "size", "free", "volumes", "path")
    return render.table(*columns, rows=rows, wide="path")


def pool(one: StoragePool) -> Table:
    """Return a pool's page."""
    source = [one.source_host, one.source_path, one.source_name, *one.source_devices]
    return render.facts(
        [
            ("Pool", one.name),
            ("Status", _status(one.active)),
            ("Autostart", _yes(one.autostart)),
            ("Type", one.type),
            ("Path", one.path),
            ("Source", " ".join(part for part in source if part)),
            ("Format", one.source_format),
            ("Size", size(one.capacity)),
            ("Allocated", size(one.allocation)),
            ("Free", size(one.available)),
            ("Volumes", None if one.volumes is None else str(one.volumes)),
            ("UUID", one.uuid),
        ]
    )


def volumes(found: Iterable[StorageVolume]) -> Table:
    """Return the table of volumes."""
    rows = [
        (one.name, one.format or "", size(one.capacity), size(one.allocation), one.backing or "")
        for one in found
    ]
    columns = ("volume", "format", "size", "takes", "clone of")
    return render.table(*columns, rows=rows, wide="clone of")


def volume(one: StorageVolume) -> Table:
    """Return a volume's page."""
    return render.facts(
        [
            ("Volume", one.name),
            ("Pool", one.pool),
            ("Path", one.path),
            ("Format", one.format),
            ("Size", size(one.capacity)),
            ("Takes", size(one.allocation)),
            ("Clone of", one.backing),
        ]
    )


def networks(found: Iterable[LibvirtNetwork]) -> Table:
    """Return the table of networks."""
    rows = [
        (
            one.name,
            _status(one.active),
            one.mode,
            one.bridge or "",
            one.address or "",
            ", ".join(f"{part['start']}-{part['end']}" for part in one.dhcp_ranges),
        )
        for one in found
    ]
    columns = ("network", "status", "mode", "bridge", "address", "dhcp")
    return render.table(*columns, rows=rows, wide="dhcp")


def network(one: LibvirtNetwork) -> Iterable[tuple[Any, ...]]:
    """Return the parts of a network's page."""
    facts: list[tuple[str, str | Text | None]] = [
        ("Network", one.name),
        ("Status", _status(one.active)),
        ("Autostart", _yes(one.autostart)),
        ("Mode", one.mode),
        ("Bridge", one.bridge),
        ("Address", one.address),
        ("Domain", one.domain),
        ("MTU", str(one.mtu) if one.mtu else None),
        ("DHCP", ", ".join(f"{part['start']}-{part['end']}" for part in one.dhcp_ranges)),
        ("VLANs", _vlans(one.vlans)),
        ("UUID", one.uuid),
    ]
    yield (render.facts(facts),)
    if one.dhcp_hosts:
        columns = ("mac", "address", "name")
        hosts = [tuple(str(host.get(key) or "") for key in columns) for host in one.dhcp_hosts]
        yield "", render.table(*columns, rows=hosts)
    if one.portgroups:
        groups = [
            (str(group["name"]), "default" if group["default"] else "", _vlans(group["vlans"]))
            for group in one.portgroups
        ]
        yield "", render.table("portgroup", "default", "vlans", rows=groups)


def size(count: int | None) -> str:
    """Write a number of bytes, in the largest unit that leaves a number before the point."""
    if count is None:
        return ""
    value, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB", "PiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{value:.1f} {unit}".replace(".0 ", " ")


def _status(active: bool) -> Text:
    return render.word("active" if active else "stopped")


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _vlans(vlans: Iterable[int]) -> str:
    return ", ".join(map(str, vlans))
