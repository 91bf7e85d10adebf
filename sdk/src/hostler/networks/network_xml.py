# SPDX-License-Identifier: Apache-2.0
"""A network's XML, read and edited in place: what is not modelled stays. Pure.

Source of the elements: https://libvirt.org/formatnetwork.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import IPv4Interface
from typing import Any

from lxml import etree

Element = etree._Element  # noqa: SLF001 - lxml has no public name for its type
Settings = dict[str, Any]

_FORWARD = {"nat": "nat", "routed": "route", "bridge": "bridge", "openvswitch": "bridge"}


def parse(xml: str) -> Element:
    """Return the tree of a definition, without the spaces between its elements."""
    return etree.fromstring(xml.encode(), etree.XMLParser(remove_blank_text=True))


def read_network(xml: str) -> Settings:
    """Return the settings that a definition has; lists are always there."""
    tree = parse(xml)
    bridge, domain, mtu = tree.find("bridge"), tree.find("domain"), tree.find("mtu")
    found = {
        "mode": _mode(tree),
        "bridge": None if bridge is None else bridge.get("name"),
        "domain": None if domain is None else domain.get("name"),
        "mtu": None if mtu is None else int(str(mtu.get("size"))),
        "address": _address(tree),
        "dhcp_ranges": [_range(one) for one in _dhcp(tree, "range")],
        "dhcp_hosts": [_host(one) for one in _dhcp(tree, "host")],
        "vlans": _vlans(tree),
        "portgroups": [_portgroup(one) for one in tree.findall("portgroup")],
    }
    return {field: value for field, value in found.items() if value is not None}


def network_uuid(xml: str) -> str:
    """Return the UUID of a network that libvirt has."""
    return str(parse(xml).findtext("uuid"))


def edit_network(xml: str | None, name: str, wanted: Settings) -> str:
    """Return a definition with these settings; a new one where there is no ``xml``."""
    tree = etree.Element("network") if xml is None else parse(xml)
    if xml is None:
        etree.SubElement(tree, "name").text = name
    have = read_network(xml) if xml else {}
    for field, value in wanted.items():
        if have.get(field) != value:
            _EDITORS[field](tree, value)
    return etree.tostring(tree, encoding="unicode")


def _mode(tree: Element) -> str:
    forward = tree.find("forward")
    if forward is None:
        return "isolated"
    mode, port = forward.get("mode", "nat"), tree.find("virtualport")
    if mode == "bridge" and port is not None and port.get("type") == "openvswitch":
        return "openvswitch"
    return "routed" if mode == "route" else str(mode)


def _ip(tree: Element) -> Element | None:
    return next((ip for ip in tree.findall("ip") if ip.get("family", "ipv4") == "ipv4"), None)


def _address(tree: Element) -> str | None:
    ip = _ip(tree)
    if ip is None:
        return None
    return str(IPv4Interface(f"{ip.get('address')}/{ip.get('prefix') or ip.get('netmask') or 24}"))


def _dhcp(tree: Element, kind: str) -> list[Element]:
    ip = _ip(tree)
    return [] if ip is None else ip.findall(f"dhcp/{kind}")


def _range(one: Element) -> Settings:
    return {"start": one.get("start"), "end": one.get("end")}


def _host(one: Element) -> Settings:
    found = {"mac": one.get("mac"), "address": one.get("ip"), "name": one.get("name")}
    return {key: value for key, value in found.items() if value is not None}


def _vlans(tree: Element) -> list[int]:
    return [int(str(tag.get("id"))) for tag in tree.findall("vlan/tag")]


def _portgroup(one: Element) -> Settings:
    default = one.get("default") == "yes"
    return {"name": one.get("name"), "default": default, "vlans": _vlans(one)}


def _set_mode(tree: Element, mode: str) -> None:
    forward, port = tree.find("forward"), tree.find("virtualport")
    if mode == "isolated":
        if forward is not None:
            tree.remove(forward)
    else:
        _child(tree, "forward").set("mode", _FORWARD.get(mode, mode))
    if mode == "openvswitch":
        _child(tree, "virtualport").set("type", "openvswitch")
    elif port is not None and port.get("type") == "openvswitch":
        tree.remove(port)


def _set_address(tree: Element, address: str) -> None:
    ip = _ip(tree)
    ip = etree.SubElement(tree, "ip") if ip is None else ip
    given = IPv4Interface(address)
    ip.attrib.pop("netmask", "")
    ip.set("address", str(given.ip))
    ip.set("prefix", str(given.network.prefixlen))


def _set_dhcp(kind: str, read: Callable[[Element], Settings]) -> Callable[[Element, Any], None]:
    def edit(tree: Element, wanted: Sequence[Settings]) -> None:
        ip = _ip(tree)
        if ip is None:
            return
        dhcp = _child(ip, "dhcp")
        there = {str(read(one)): one for one in dhcp.findall(kind)}
        _replace(
            dhcp,
            list(there.values()),
            [there[str(one)] if str(one) in there else _dhcp_element(kind, one) for one in wanted],
        )
        if not len(dhcp):
            ip.remove(dhcp)

    return edit


def _dhcp_element(kind: str, wanted: Settings) -> Element:
    names = {"address": "ip"}
    return etree.Element(kind, {names.get(key, key): str(one) for key, one in wanted.items()})


def _set_vlans(tree: Element, vlans: Sequence[int]) -> None:
    vlan = tree.find("vlan")
    if not vlans:
        if vlan is not None:
            tree.remove(vlan)
        return
    vlan = etree.SubElement(tree, "vlan") if vlan is None else vlan
    there = {int(str(tag.get("id"))): tag for tag in vlan.findall("tag")}
    _replace(
        vlan,
        list(there.values()),
        [there[one] if one in there else etree.Element("tag", id=str(one)) for one in vlans],
    )
    if len(vlans) > 1:
        vlan.set("trunk", "yes")
    else:
        vlan.attrib.pop("trunk", "")


def _set_portgroups(tree: Element, wanted: Sequence[Settings]) -> None:
    there = {one.get("name"): one for one in tree.findall("portgroup")}
    groups = []
    for one in wanted:
        group = there.get(one["name"])
        group = etree.Element("portgroup", name=one["name"]) if group is None else group
        if one["default"]:
            group.set("default", "yes")
        else:
            group.attrib.pop("default", "")
        if _vlans(group) != one["vlans"]:
            _set_vlans(group, one["vlans"])
        groups.append(group)
    _replace(tree, list(there.values()), groups)


def _set_attribute(tag: str, attribute: str) -> Callable[[Element, Any], None]:
    def edit(tree: Element, value: Any) -> None:
        _child(tree, tag).set(attribute, str(value))

    return edit


_EDITORS: dict[str, Callable[[Element, Any], None]] = {
    "mode": _set_mode,
    "bridge": _set_attribute("bridge", "name"),
    "domain": _set_attribute("domain", "name"),
    "mtu": _set_attribute("mtu", "size"),
    "address": _set_address,
    "dhcp_ranges": _set_dhcp("range", _range),
    "dhcp_hosts": _set_dhcp("host", _host),
    "vlans": _set_vlans,
    "portgroups": _set_portgroups,
}


def _replace(parent: Element, old: Sequence[Element], new: Sequence[Element]) -> None:
    for one in old:
        parent.remove(one)
    parent.extend(new)


def _child(tree: Element, tag: str) -> Element:
    found = tree.find(tag)
    return etree.SubElement(tree, tag) if found is None else found
