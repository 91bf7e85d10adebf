# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes an inventory's hosts of what the SDK read. Pure: rows come from libvirt or the cache."""

from __future__ import annotations

import ipaddress
import typing as t
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

Row = dict[str, t.Any]
"""A VM or a hypervisor as hostler.vms.inventory gives it, or as JSON gave it back."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Choices:
    """The options that say what becomes of the VMs; named and documented as the plugin's."""

    hostnames: Sequence[str] = ("name",)
    exclude_names: Sequence[str] = ()
    labels: dict[str, str] = field(default_factory=dict)
    exclude_labels: dict[str, str] = field(default_factory=dict)
    group_by: Sequence[str] = ()
    address_sources: Sequence[str] = ("agent", "lease", "arp", "floating")
    address_family: str = "any"
    address_networks: Sequence[Network] = ()


@dataclass(frozen=True)
class Entry:
    """A host of the inventory; ``groups`` are not yet made safe."""

    name: str
    vm: Row
    address: str | None
    groups: list[str]


def parse_networks(texts: Iterable[str]) -> list[Network]:
    """Check CIDRs.

    Raises:
        ValueError: names the one that is none.
    """
    try:
        return [ipaddress.ip_network(text) for text in texts]
    except ValueError as error:
        raise ValueError(f"address_networks: {error}") from error


def check_hostnames(preferences: Iterable[str]) -> None:
    """Check what hosts shall be named by.

    Raises:
        ValueError: names the one that is unknown.
    """
    for preference in preferences:
        kind, label = _kind_and_label(preference)
        if kind != "label" if label else kind not in ("name", "uuid", "title"):
            raise ValueError(
                f"hostnames: {preference!r} is none of name, uuid, title and label:NAME"
            )


def _kind_and_label(preference: str) -> tuple[str, str]:
    kind, *label = preference.split(":", 1)
    return kind, "".join(label)


def entries(hosts: Iterable[Row], choices: Choices) -> tuple[list[Entry], list[str]]:
    """Return the inventory's hosts, and warnings about names that several VMs have."""
    vms = [vm for host in hosts for vm in host["vms"] if _is_wanted(vm, choices)]
    names = [hostname(vm, choices.hostnames) for vm in vms]
    unique = unique_names(names, vms)
    made = [
        Entry(name, vm, pick_address(vm, choices), groups_of(vm, choices.group_by))
        for name, vm in zip(unique, vms, strict=True)
    ]
    return made, [
        f"{count} VMs have the name {name!r}: they are named by their hosts too, as in"
        f" {unique[names.index(name)]!r}"
        for name, count in Counter(names).items()
        if count > 1
    ]


def _is_wanted(vm: Row, choices: Choices) -> bool:
    if any(fnmatchcase(vm["name"], glob) for glob in choices.exclude_names):
        return False
    has = vm.get("labels", {})
    if any(_carries(has, *label) for label in choices.exclude_labels.items()):
        return False
    return all(_carries(has, *label) for label in choices.labels.items())


def _carries(labels: dict[str, str], name: str, value: str) -> bool:
    return name in labels and value in ("*", labels[name])


def hostname(vm: Row, preferences: Sequence[str]) -> str:
    """Return the first of the preferred names that a VM has; its own name where it has none."""
    for preference in preferences:
        kind, label = _kind_and_label(preference)
        value = vm.get("labels", {}).get(label) if kind == "label" else vm.get(kind)
        if value:
            return str(value)
    return str(vm["name"])


def unique_names(names: Sequence[str], vms: Sequence[Row]) -> list[str]:
    """Tell VMs of the same name apart: by host, then by UUID, then by URI.

    All of them get the suffix, so that a name never means another VM when a host is away.
    """
    unique = list(names)
    for key in ("host", "uuid", "uri"):
        counts = Counter(unique)
        unique = [
            f"{name}@{vm[key]}" if counts[old] > 1 else old
            for name, old, vm in zip(names, unique, vms, strict=True)
        ]
    return unique


def pick_address(vm: Row, choices: Choices) -> str | None:
    """Return the address to connect to: by network, then family, then source, then as listed."""
    ranked = [
        rank
        for place, source in enumerate(choices.address_sources)
        for text in vm.get("addresses", {}).get(source) or ()
        if (rank := _rank(text, place, choices)) is not None
    ]
    return min(ranked, key=lambda rank: rank[:3])[3] if ranked else None


def _rank(text: str, place: int, choices: Choices) -> tuple[int, int, int, str] | None:
    address = ipaddress.ip_address(text)
    if choices.address_family not in ("any", f"ipv{address.version}"):
        return None
    if not choices.address_networks:
        return 0, address.version, place, str(address)
    for order, network in enumerate(choices.address_networks):
        if address in network:
            return order, address.version, place, str(address)
    return None


def groups_of(vm: Row, kinds: Sequence[str]) -> list[str]:
    """Return the groups that a VM is in by itself."""
    groups = [f"{kind}_{vm[kind]}" for kind in kinds if kind != "labels" and vm.get(kind)]
    if "labels" in kinds:
        labels = vm.get("labels", {}).items()
        groups += [f"label_{name}_{value}" if value else f"label_{name}" for name, value in labels]
    return groups
