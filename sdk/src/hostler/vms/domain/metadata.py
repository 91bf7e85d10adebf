# SPDX-License-Identifier: Apache-2.0
"""Our own element in a domain's metadata: labels, notes, OS, when it was made.

<hostler:vm xmlns:hostler="https://hostler.dev/vm/1" created="..." updated="...">
  <hostler:os type="linux" version="Ubuntu 22.04"/>
  <hostler:label name="env">prod</hostler:label>
  <hostler:data name="owner">ops</hostler:data>
</hostler:vm>
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lxml import etree

from hostler.vms.domain.editor import Editor, Live
from hostler.vms.domain.osinfo import NAMESPACE as OSINFO
from hostler.vms.domain.osinfo import osinfo_id
from hostler.vms.domain.tree import Element, ensure, serialise

if TYPE_CHECKING:
    from hostler.models.vm import VmSpec

NAMESPACE = "https://hostler.dev/vm/1"
PREFIX = "hostler"
_NS = {PREFIX: NAMESPACE, "libosinfo": OSINFO}


@dataclass
class Notes:
    """What our element holds."""

    os_type: str | None = None
    os_version: str | None = None
    os_id: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    created: str | None = None
    updated: str | None = None


def read_notes(tree: Element) -> Notes:
    """Read our element, and the libosinfo id that others may have set."""
    notes = Notes()
    osinfo = tree.find("metadata/libosinfo:libosinfo/libosinfo:os", _NS)
    notes.os_id = None if osinfo is None else osinfo.get("id")
    ours = tree.find(f"metadata/{PREFIX}:vm", _NS)
    if ours is None:
        return notes
    notes.created, notes.updated = ours.get("created"), ours.get("updated")
    system = ours.find(f"{PREFIX}:os", _NS)
    if system is not None:
        notes.os_type, notes.os_version = system.get("type"), system.get("version")
    notes.labels = _texts(ours, "label")
    notes.metadata = _texts(ours, "data")
    return notes


def _texts(ours: Element, tag: str) -> dict[str, str]:
    return {str(e.get("name")): e.text or "" for e in ours.iterfind(f"{PREFIX}:{tag}", _NS)}


def edit_notes(editor: Editor, spec: VmSpec) -> None:
    """Bring labels, metadata and OS to what is wanted; keys that were not named stay."""
    old = read_notes(editor.tree)
    changed = []
    if spec.os_type is not None and spec.os_type != old.os_type:
        changed.append("os_type")
    if spec.os_version is not None and spec.os_version != old.os_version:
        changed.append("os_version")
    labels = _merged(old.labels, spec.labels)
    metadata = _merged(old.metadata, spec.metadata)
    changed += ["labels"] if labels != old.labels else []
    changed += ["metadata"] if metadata != old.metadata else []
    if not changed:
        return
    before = _element(editor.tree)
    new = Notes(
        os_type=spec.os_type or old.os_type,
        os_version=spec.os_version or old.os_version,
        labels=labels,
        metadata=metadata,
    )
    made = _made(new, old)
    live = Live("metadata", bare(made), "" if before is None else bare(before))
    for name in changed[1:]:
        editor.change(name, lambda: None, live)
    editor.change(changed[0], lambda: _replace(editor.tree, before, made), live)
    if {"os_type", "os_version"} & set(changed):
        _edit_osinfo(editor, osinfo_id(new.os_type, new.os_version), old.os_id)


def bare(element: Element) -> str:
    """Write our element without its namespace: libvirt puts that in again."""
    plain = etree.Element(etree.QName(element).localname, dict(element.attrib))
    plain.text = element.text
    for child in element:
        plain.append(etree.fromstring(bare(child)))
    return serialise(plain)


def _merged(old: dict[str, str], wanted: dict[str, str | None] | None) -> dict[str, str]:
    merged: dict[str, str | None] = {**old, **(wanted or {})}
    return {name: value for name, value in merged.items() if value is not None}


def _element(tree: Element) -> Element | None:
    return tree.find(f"metadata/{PREFIX}:vm", _NS)


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _made(new: Notes, old: Notes) -> Element:
    element = etree.Element(_tag("vm"), nsmap={PREFIX: NAMESPACE})
    for name, value in (("created", old.created), ("updated", old.updated)):
        if value:
            element.set(name, value)
    if new.os_type or new.os_version:
        system = etree.SubElement(element, _tag("os"))
        for name, value in (("type", new.os_type), ("version", new.os_version)):
            if value:
                system.set(name, value)
    for tag, values in (("label", new.labels), ("data", new.metadata)):
        for name, value in sorted(values.items()):
            etree.SubElement(element, _tag(tag), name=name).text = value
    return element


def _replace(tree: Element, before: Element | None, made: Element) -> None:
    parent = ensure(tree, "metadata")
    if before is not None:
        parent.remove(before)
    parent.append(made)


def _edit_osinfo(editor: Editor, wanted: str | None, have: str | None) -> None:
    if wanted is None or wanted == have:
        return

    def edit() -> None:
        parent = ensure(editor.tree, "metadata")
        old = parent.find("libosinfo:libosinfo", _NS)
        if old is not None:
            parent.remove(old)
        holder = etree.SubElement(parent, f"{{{OSINFO}}}libosinfo", nsmap={"libosinfo": OSINFO})
        etree.SubElement(holder, f"{{{OSINFO}}}os", id=wanted)

    if not editor.running:
        editor.change("os_id", edit)


def stamp(tree: Element, now: str, *, created: bool) -> None:
    """Note when the definition was made or changed; makes our element where it is not there."""
    element = _element(tree)
    if element is None:
        element = _made(Notes(), Notes())
        ensure(tree, "metadata").append(element)
    if created:
        element.set("created", now)
    element.set("updated", now)
