# SPDX-License-Identifier: Apache-2.0
"""Parsing and small edits of XML trees."""

from __future__ import annotations

import copy
from typing import Any

from lxml import etree

from hostler.errors import InvalidInput

Element = Any
"""An lxml element: lxml's own class is private."""

AGENT = "org.qemu.guest_agent.0"
"""The name of a guest agent's channel."""

_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def parse(xml: str, on: str = "domain XML") -> Element:
    """Parse XML that may come from anywhere: no entities, no DTD, nothing fetched.

    Raises:
        InvalidInput: not well-formed, or with a document type.
    """
    try:
        root = etree.fromstring(xml.encode(), _PARSER)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise InvalidInput(f"it is not well-formed XML: {str(error)[:200]}", on=on) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise InvalidInput("it has a document type; entities are not accepted", on=on)
    return root


def serialise(element: Element) -> str:
    """Write an element as text, without what follows it."""
    return str(etree.tostring(element, encoding="unicode", with_tail=False))


def same(one: Element, other: Element) -> bool:
    """Whether two elements say the same; unused namespaces of what is around them don't count."""
    return canonical(one) == canonical(other)


def canonical(element: Element) -> bytes:
    """Write an element in exclusive canonical form (https://www.w3.org/TR/xml-exc-c14n/)."""
    return bytes(etree.tostring(clone(element), method="c14n", exclusive=True, with_tail=False))


def clone(element: Element) -> Element:
    """Copy an element with all it holds."""
    return copy.deepcopy(element)


def ensure(parent: Element, path: str) -> Element:
    """Return the element at ``a/b/c`` below a parent, made where it is not there."""
    for tag in path.split("/"):
        found = parent.find(tag)
        parent = found if found is not None else add(parent, tag)
    return parent


def add(parent: Element, tag: str, text: str | None = None, **attributes: str) -> Element:
    """Append an element."""
    element = etree.SubElement(parent, tag, attributes)
    if text is not None:
        element.text = text
    return element


def put(element: Element, **attributes: str | None) -> None:
    """Set attributes; None removes one."""
    for name, value in attributes.items():
        if value is None:
            element.attrib.pop(name, None)
        else:
            element.set(name, value)


def remove(parent: Element, path: str) -> None:
    """Remove the element at a path, where it is there."""
    found = parent.find(path)
    if found is not None:
        found.getparent().remove(found)


def attr(parent: Element, path: str, name: str) -> str | None:
    """Return an attribute of the element at a path, None where either is missing."""
    found = parent.find(path)
    return None if found is None else found.get(name)


def devices(tree: Element) -> Element:
    """Return the devices of a domain."""
    return ensure(tree, "devices")


_UNITS = {
    "b": 1,
    "bytes": 1,
    "kb": 1000,
    "k": 1024,
    "kib": 1024,
    "mb": 1000**2,
    "m": 1024**2,
    "mib": 1024**2,
    "gb": 1000**3,
    "g": 1024**3,
    "gib": 1024**3,
    "tb": 1000**4,
    "t": 1024**4,
    "tib": 1024**4,
}


def memory_of(tree: Element, tag: str) -> int | None:
    """Return the bytes of ``memory`` or ``currentMemory`` (KiB where no unit is given)."""
    text = tree.findtext(tag)
    if text is None:
        return None
    unit = (attr(tree, tag, "unit") or "KiB").lower()
    return int(text) * _UNITS[unit]
