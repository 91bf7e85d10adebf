# SPDX-License-Identifier: Apache-2.0
"""A pool's XML, read and edited in place: what is not modelled stays. Pure.

Source of the elements: https://libvirt.org/formatstorage.html
"""

from __future__ import annotations

from typing import Any

from lxml import etree

TEXTS = {"path": "target/path", "source_name": "source/name"}
ATTRIBUTES = {
    "source_host": ("source/host", "name"),
    "source_path": ("source/dir", "path"),
    "source_format": ("source/format", "type"),
}


def read_pool(xml: str) -> dict[str, Any]:
    """Return the settings that a definition has, those that are there."""
    tree = etree.fromstring(xml.encode())
    found: dict[str, Any] = {"type": str(tree.get("type"))}
    for field, place in TEXTS.items():
        found[field] = tree.findtext(place)
    for field, (place, attribute) in ATTRIBUTES.items():
        element = tree.find(place)
        found[field] = None if element is None else element.get(attribute)
    devices = tree.findall("source/device")
    found["source_devices"] = tuple(str(device.get("path")) for device in devices) or None
    return {field: value for field, value in found.items() if value is not None}


def pool_uuid(xml: str) -> str:
    """Return the UUID of a pool that libvirt has."""
    return str(etree.fromstring(xml.encode()).findtext("uuid"))


def edit_pool(xml: str | None, name: str, settings: dict[str, Any]) -> str:
    """Return a definition with these settings; a new one where there is no ``xml``."""
    if xml is None:
        tree = etree.Element("pool", type=settings["type"])
        etree.SubElement(tree, "name").text = name
    else:
        tree = etree.fromstring(xml.encode())
    for field, place in TEXTS.items():
        if settings.get(field) is not None:
            _at(tree, place).text = settings[field]
    for field, (place, attribute) in ATTRIBUTES.items():
        if settings.get(field) is not None:
            _at(tree, place).set(attribute, settings[field])
    if settings.get("source_devices") is not None:
        _set_devices(_at(tree, "source"), settings["source_devices"])
    return etree.tostring(tree, encoding="unicode")


def _set_devices(source: etree._Element, paths: tuple[str, ...]) -> None:
    """Leave devices that stay as they are."""
    there = {str(device.get("path")): device for device in source.findall("device")}
    for path, device in there.items():
        if path not in paths:
            source.remove(device)
    for path in paths:
        if path not in there:
            etree.SubElement(source, "device", path=path)


def _at(tree: etree._Element, place: str) -> etree._Element:
    """Return the element at a path; made where it is missing."""
    for tag in place.split("/"):
        found = tree.find(tag)
        tree = etree.SubElement(tree, tag) if found is None else found
    return tree
