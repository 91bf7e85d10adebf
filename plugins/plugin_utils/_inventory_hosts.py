# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes an inventory's GPU hosts of what the SDK read. Pure: rows may come from the cache."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

Row = dict[str, t.Any]
"""A source or a host as hostler.gpu.inventory gives it, or as JSON gave it back."""

FIELDS = {
    "aggregate": "aggregates",
    "gpu": "gpu_type",
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
    groups: list[str]


def entries(sources: Sequence[Row], choices: Choices) -> list[Entry]:
    """Return the inventory's hosts.

    Raises:
        ValueError: no source knows a GPU type that was asked for.
    """
    _check_types(sources, choices.gpu_types)
    hosts = [host for source in sources for host in source["hosts"] if _is_wanted(host, choices)]
    return [Entry(host["hostname"], host, groups_of(host, choices.group_by)) for host in hosts]


def groups_of(host: Row, kinds: Iterable[str]) -> list[str]:
    """Return the groups that a host is in by itself."""
    groups = []
    for kind in kinds:
        value = host[FIELDS[kind]]
        values = value if isinstance(value, list) else [value]
        groups += [f"{kind}_{one}" for one in values if one]
        if kind == "pool" and not values:
            groups.append(UNCLASSIFIED)
    return groups


def _is_wanted(host: Row, choices: Choices) -> bool:
    return (
        (not choices.gpu_types or host["gpu_type"] in choices.gpu_types)
        and (not choices.pools or any(pool in choices.pools for pool in host["pools"]))
        and (not choices.statuses or host["status"] in choices.statuses)
    )


def _check_types(sources: Iterable[Row], wanted: Iterable[str]) -> None:
    known = sorted({name for source in sources for name in source["gpu_types"]})
    for name in wanted:
        if name not in known:
            same = [one for one in known if one.casefold() == name.casefold()]
            near = same or get_close_matches(name, known, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known types: {', '.join(known)}."
            raise ValueError(f"gpu_types: no aggregate has the GPU type {name!r}. {hint}")
