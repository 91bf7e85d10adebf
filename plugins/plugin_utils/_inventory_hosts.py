# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes an inventory's hosts of what the SDK read. Pure: rows may come from the cache."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

Row = dict[str, t.Any]
"""A source or a host as the SDK's inventories give it, or as JSON gave it back."""

FIELDS = {
    "aggregate": "aggregates",
    "gpu": "gpu_types",
    "hypervisor": "hypervisor_type",
    "label": "labels",
    "owner_group": "owner_group",
    "pool": "pools",
    "site": "site",
    "status": "status",
    "tenant": "tenant",
    "variant": "variant",
    "zone": "availability_zone",
}
"""What hosts may be grouped by, and the field that has it."""

UNCLASSIFIED = "unclassified"


@dataclass(frozen=True)
class Choices:
    """The options that say which hosts there are; named and documented as the plugin's."""

    gpu_types: Sequence[str] = ()
    pools: Sequence[str] = ()
    statuses: Sequence[str] = ()
    group_by: Sequence[str] = ()


class Entry(t.NamedTuple):
    """A host of the inventory; ``groups`` are not yet made safe."""

    name: str
    host: Row
    connect: Row
    groups: list[str]


def entries(sources: Sequence[Row], choices: Choices) -> list[Entry]:
    """Return the inventory's hosts.

    Raises:
        ValueError: no source knows a GPU type that was asked for.
    """
    _check_types(sources, choices.gpu_types)
    hosts = [host for source in sources for host in source["hosts"] if _is_wanted(host, choices)]
    return [Entry(*_named(host), groups_of(host, choices.group_by)) for host in hosts]


def _named(host: Row) -> tuple[str, Row, Row]:
    """Return a host's name, itself, and what Ansible connects to a hypervisor by."""
    if "connect" in host:
        return host["id"], {k: v for k, v in host.items() if k != "connect"}, host["connect"]
    return host["hostname"], host, {}


def groups_of(host: Row, kinds: Iterable[str]) -> list[str]:
    """Return the groups that a host is in by itself."""
    groups = []
    for kind in kinds:
        values = _values(host, FIELDS[kind])
        groups += [f"{kind}_{one}" for one in values]
        if kind == "pool" and not values and "aggregates" in host:
            groups.append(UNCLASSIFIED)
    return groups


def _values(host: Row, field: str) -> list[t.Any]:
    """Return what a host has of a field: one value, some, or key and value of each label."""
    value = host.get(field)
    if field == "gpu_types" and value is None:
        value = host.get("gpu_type")
    if isinstance(value, dict):
        return [f"{key}_{item}" for key, item in value.items()]
    return [one for one in (value if isinstance(value, list) else [value]) if one]


def _is_wanted(host: Row, choices: Choices) -> bool:
    return (
        (
            not choices.gpu_types
            or any(one in choices.gpu_types for one in _values(host, "gpu_types"))
        )
        and (not choices.pools or any(pool in choices.pools for pool in _values(host, "pools")))
        and (not choices.statuses or host["status"] in choices.statuses)
    )


def _check_types(sources: Iterable[Row], wanted: Iterable[str]) -> None:
    known = sorted({name for source in sources for name in source["gpu_types"]})
    for name in wanted:
        if name not in known:
            same = [one for one in known if one.casefold() == name.casefold()]
            near = same or get_close_matches(name, known, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known types: {', '.join(known)}."
            raise ValueError(f"gpu_types: nothing has the GPU type {name!r}. {hint}")
