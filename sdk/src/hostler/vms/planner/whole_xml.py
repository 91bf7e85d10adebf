# SPDX-License-Identifier: Apache-2.0
"""``xml``: a whole domain document, for what we don't model, with the same idempotence.

The digest of the document that was applied last is kept in our metadata. While it is the same, the
VM is as wanted as long as all that we model of the document is in the definition, and as many
devices of each kind: libvirt rewrites so much that the rest can't be compared. A definition that
was never made of a document is compared as a part: every element and attribute must be there.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from typing import TYPE_CHECKING

from lxml import etree

from hostler.errors import InvalidInput
from hostler.models.vm import VmSpec
from hostler.models.vm_task import VmTask
from hostler.plan.plan import Plan
from hostler.vms.domain.basics import same_machine
from hostler.vms.domain.editor import Editor
from hostler.vms.domain.extras import take_password
from hostler.vms.domain.metadata import NAMESPACE, stamp
from hostler.vms.domain.read import document
from hostler.vms.domain.tree import Element, attr, clone, ensure, memory_of, parse, serialise
from hostler.vms.planner.power import power_steps, status_after
from hostler.vms.steps import DefineDomain, SetAutostart

if TYPE_CHECKING:
    from hostler.plan.step import Step
    from hostler.vms.observe import Observed

_MEMORY = {"memory", "currentMemory"}
_NUMBER = re.compile(r"0x[0-9a-fA-F]+|[0-9]+")
_HEX = re.compile(r"[0-9a-fA-F]+([:-][0-9a-fA-F]+)+")
"""MAC addresses and UUIDs."""


def plan_xml_create(task: VmTask, observed: Observed) -> Plan:
    """Plan a new VM from a whole document."""
    tree = _document(task.spec)
    digest, password = _digest(tree), take_password(tree)
    ensure(tree, "uuid").text = tree.findtext("uuid") or observed.new_uuid
    _name_machine(tree, observed)
    _add_macs(tree, None, observed.new_macs)
    stamp(tree, observed.now, created=True)
    _keep_digest(tree, digest)
    name, uri = str(tree.findtext("name")), observed.host.uri
    uuid, xml = str(tree.findtext("uuid")), serialise(tree)
    steps: list[Step] = [DefineDomain(uri=uri, name=name, uuid=uuid, xml=xml, password=password)]
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
    digest, kept = _digest(wanted), _kept_digest(have)
    take_password(wanted)
    uuid = wanted.findtext("uuid")
    if uuid and uuid.lower() != str(have.findtext("uuid")).lower():
        raise InvalidInput("the XML has another UUID than the VM; a UUID never changes")
    ensure(wanted, "uuid").text = have.findtext("uuid")
    _add_macs(wanted, have, observed.new_macs)
    if agrees(have, wanted) if kept == digest else kept is None and contains(have, wanted):
        return
    _name_machine(wanted, observed)
    _reuse(wanted, have)
    _keep_metadata(wanted, have)
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


def _digest(tree: Element) -> str:
    """Return the digest of a document without its passwords: people could guess at those."""
    bare = clone(tree)
    take_password(bare)
    text = etree.canonicalize(serialise(bare), strip_text=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _name_machine(tree: Element, observed: Observed) -> None:
    """Keep the versioned machine that the VM has, or name the one behind an alias."""
    kind = tree.find("os/type")
    wanted = None if kind is None else kind.get("machine")
    if wanted is None:
        return
    domain = observed.domain
    have = attr(parse(domain.inactive_xml), "os/type", "machine") if domain else None
    arch = kind.get("arch") or observed.host.facts.arch
    known = observed.host.facts.machines.get(arch, {})
    kind.set("machine", str(have) if same_machine(wanted, have) else known.get(wanted, wanted))


def _keep_metadata(wanted: Element, have: Element) -> None:
    """Keep metadata that the document says nothing of: all where it has none, else our own."""
    old = have.find("metadata")
    if wanted.find("metadata") is None and old is not None:
        wanted.append(clone(old))
    elif _ours(wanted) is None and _ours(have) is not None:
        wanted.find("metadata").append(clone(_ours(have)))


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


def agrees(have: Element, wanted: Element) -> bool:
    """Whether what we model of a document is in a definition, and as many elements of a kind."""
    if not _within(document(wanted), document(have)):
        return False
    for path in ("*", "devices/*"):
        asked = Counter(e.tag for e in wanted.iterfind(path) if isinstance(e.tag, str))
        if asked - Counter(e.tag for e in have.iterfind(path)):
            return False
    return True


def _within(wanted: object, have: object, key: str = "") -> bool:
    if isinstance(wanted, dict):
        return isinstance(have, dict) and all(_within(v, have.get(k), k) for k, v in wanted.items())
    if key == "machine":
        return same_machine(str(wanted), str(have))
    return not wanted or wanted == have


def contains(have: Element, wanted: Element) -> bool:
    """Whether all that is wanted is in what there is; libvirt's own additions don't matter."""
    if wanted.tag in _MEMORY and len(wanted) == 0:
        return memory_of(have.getparent(), have.tag) == memory_of(wanted.getparent(), wanted.tag)
    if any(not _same(n, have.get(n), v) for n, v in wanted.attrib.items()):
        return False
    text, old = ((e.text or "").strip() for e in (wanted, have))
    if len(wanted) == 0 and text and not _same(wanted.tag, old, text):
        return False
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
    """Whether two values mean the same: numbers in any base, addresses in any case."""
    if have is None or have == wanted:
        return have == wanted
    if name == "machine":
        return same_machine(wanted, have)
    if _NUMBER.fullmatch(have) and _NUMBER.fullmatch(wanted):
        return int(have, 16 if "x" in have else 10) == int(wanted, 16 if "x" in wanted else 10)
    return have.lower() == wanted.lower() and bool(_HEX.fullmatch(wanted))


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
