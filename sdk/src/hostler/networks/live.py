# SPDX-License-Identifier: Apache-2.0
"""Which parts of a network can change while it runs, and how. Pure.

Source: https://libvirt.org/html/libvirt-libvirt-network.html#virNetworkUpdate
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lxml import etree

from hostler.networks.network_xml import Element, parse

Section = Literal["ip-dhcp-range", "ip-dhcp-host", "portgroup"]
Command = Literal["add", "delete", "modify"]

PLACES: dict[Section, str] = {
    "portgroup": "portgroup",
    "ip-dhcp-range": "ip/dhcp/range",
    "ip-dhcp-host": "ip/dhcp/host",
}


@dataclass(frozen=True)
class Update:
    """One change of one part."""

    section: Section
    command: Command
    xml: str
    before_xml: str = ""


def updates(before: str, after: str) -> list[Update] | None:
    """Return the changes that lead from one definition to another; None where it must restart."""
    old, new = parse(before), parse(after)
    if _rest(before) != _rest(after):
        return None
    found: list[Update] = []
    for section, place in PLACES.items():
        there, wanted = _by_key(old, section, place), _by_key(new, section, place)
        for key, xml in there.items():
            if key not in wanted:
                found.append(Update(section, "delete", xml))
        for key, xml in wanted.items():
            if key not in there:
                found.append(Update(section, "add", xml))
            elif there[key] != xml:
                found.append(Update(section, "modify", xml, there[key]))
    return found


def has_part(xml: str, section: Section, part: str) -> bool:
    """Whether a definition has a part."""
    return part in _by_key(parse(xml), section, PLACES[section]).values()


def _by_key(tree: Element, section: Section, place: str) -> dict[str, str]:
    """Return parts by what tells them apart; only portgroups can be changed in place."""
    texts = [(part, etree.tostring(part, method="c14n").decode()) for part in tree.findall(place)]
    return {str(part.get("name")) if section == "portgroup" else text: text for part, text in texts}


def _rest(xml: str) -> bytes:
    """Return a definition without the parts that can change while it runs."""
    tree = parse(xml)
    for place in (*PLACES.values(), "ip/dhcp"):
        for part in tree.findall(place):
            parent = part.getparent()
            if parent is not None and (part.tag != "dhcp" or not len(part)):
                parent.remove(part)
    return etree.tostring(tree, method="c14n")
