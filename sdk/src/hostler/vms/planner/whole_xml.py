# SPDX-License-Identifier: Apache-2.0
"""``xml``: a whole domain document, for what we don't model, with the same idempotence.

libvirt fills a definition in (addresses, controllers, defaults), so the document is compared as a
part: every element and attribute that it has must be in the definition. What it no longer has
since it was last applied is found by its digest, kept in our metadata.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from lxml import etree

from hostler.errors import InvalidInput
from hostler.models.vm import VmSpec
from hostler.models.vm_task import VmTask
from hostler.plan.plan import Plan
from hostler.vms.domain.editor import Editor
from hostler.vms.domain.metadata import NAMESPACE, stamp
from hostler.vms.domain.read import document
from hostler.vms.domain.tree import Element, clone, ensure, memory_of, parse, serialise
from hostler.vms.planner.power import power_steps, status_after
from hostler.vms.steps import DefineDomain, SetAutostart

if TYPE_CHECKING:
    from hostler.plan.step import Step
    from hostler.vms.observe import Observed

_MEMORY = {"memory", "currentMemory"}


def plan_xml_create(task: VmTask, observed: Observed) -> Plan:
    """Plan a new VM from a whole document."""
    tree = _document(task.spec)
    ensure(tree, "uuid").text = tree.findtext("uuid") or observed.new_uuid
    _add_macs(tree, None, observed.new_macs)
    digest = _digest(task.spec)
    stamp(tree, observed.now, created=True)
    _keep_digest(tree, digest)
    name, uri = str(tree.findtext("name")), observed.host.uri
    steps: list[Step] = [
        DefineDomain(uri=uri, name=name, uuid=str(tree.findtext("uuid")), xml=serialise(tree))
    ]
    if task.spec.autostart:
        steps.append(SetAutostart(uri=uri, name=name, on=True))
    steps += power_steps(uri, name, "stopped", task.options)
    after = {"name": name, **document(tree), "status": status_after("stopped", task.options)}
    return Plan(
        target=f"vm/{name}",
        summary=f"create VM {name} on {uri} from its XML",
        after=after | {"autostart": bool(task.spec.autostart)},
        steps=steps,
    )


def edit_whole(editor: Editor, spec: VmSpec, observed: Observed) -> None:
    """Bring a definition to a whole document; UUID, MACs, addresses and metadata stay."""
    wanted = _document(spec)
    have = editor.tree
    digest, kept = _digest(spec), _kept_digest(have)
    uuid = wanted.findtext("uuid")
    if uuid and uuid.lower() != str(have.findtext("uuid")).lower():
        raise InvalidInput("the XML has another UUID than the VM; a UUID never changes")
    if contains(have, wanted) and kept in (None, digest):
        return
    ensure(wanted, "uuid").text = have.findtext("uuid")
    _add_macs(wanted, have, observed.new_macs)
    _reuse(wanted, have)
    if wanted.find("metadata") is None and have.find("metadata") is not None:
        wanted.append(clone(have.find("metadata")))
    _keep_digest(wanted, digest)
    editor.tree = wanted
    editor.change("xml", lambda: None)


def _document(spec: VmSpec) -> Element:
    on = f"xml of VM {spec.name!r}"
    tree = parse(spec.xml or "", on)
    if tree.tag != "domain":
        raise InvalidInput(f"its root is <{tree.tag}>, not <domain>", on=on)
    name = tree.findtext("name")
    if name is not None and name != spec.name:
        raise InvalidInput(f"it names the domain {name[:60]!r}", on=on, hint="Use one name.")
    if name is None:
        element = etree.Element("name")
        element.text = spec.name
        tree.insert(0, element)
    return tree


def _digest(spec: VmSpec) -> str:
    text = etree.canonicalize(spec.xml, strip_text=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _ours(tree: Element) -> Element | None:
    return tree.find(f"metadata/{{{NAMESPACE}}}vm")


def _kept_digest(tree: Element) -> str | None:
    ours = _ours(tree)
    return None if ours is None else ours.get("xml")


def _keep_digest(tree: Element, digest: str) -> None:
    if _ours(tree) is None:
        metadata = ensure(tree, "metadata")
        etree.SubElement(metadata, f"{{{NAMESPACE}}}vm", nsmap={"hostler": NAMESPACE})
    ours = _ours(tree)
    if ours is not None:
        ours.set("xml", digest)


def _add_macs(tree: Element, have: Element | None, fresh: tuple[str, ...]) -> None:
    """Give cards without an address the one they have, by position, or a fresh one."""
    old = [] if have is None else list(have.iterfind("devices/interface/mac"))
    unused = list(fresh)
    for number, card in enumerate(tree.iterfind("devices/interface")):
        if card.find("mac") is None:
            kept = old[number].get("address") if number < len(old) else None
            ensure(card, "mac").set("address", kept or unused.pop(0))


def contains(have: Element, wanted: Element) -> bool:
    """Whether all that is wanted is in what there is; libvirt's own additions don't matter."""
    if wanted.tag in _MEMORY:
        return memory_of(have.getparent(), have.tag) == memory_of(wanted.getparent(), wanted.tag)
    if any(not _same(n, have.get(n), v) for n, v in wanted.attrib.items()):
        return False
    if len(wanted) == 0 and (wanted.text or "").strip() != (have.text or "").strip():
        return bool(not (wanted.text or "").strip())
    left = [child for child in have if isinstance(child.tag, str)]
    for child in wanted:
        if not isinstance(child.tag, str):
            continue
        match = next((c for c in left if c.tag == child.tag and contains(c, child)), None)
        if match is None:
            return False
        left.remove(match)
    return True


def _same(name: str, have: str | None, wanted: str) -> bool:
    if have is None:
        return False
    if name == "machine":
        return have == wanted or f"-{wanted}-" in have or have.startswith("pc-i440fx-")
    return have.lower() == wanted.lower()


def _reuse(wanted: Element, have: Element) -> None:
    """Keep the definition's own form of devices that are as wanted: their addresses stay."""
    old, new = have.find("devices"), wanted.find("devices")
    if old is None or new is None:
        return
    left = list(old)
    for position, device in enumerate(list(new)):
        match = next(
            (
                d
                for d in left
                if d.tag == device.tag and isinstance(d.tag, str) and contains(d, device)
            ),
            None,
        )
        if match is not None:
            left.remove(match)
            new[position] = clone(match)
