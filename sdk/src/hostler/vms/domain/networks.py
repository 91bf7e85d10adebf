# SPDX-License-Identifier: Apache-2.0
"""Network cards of a domain."""

from __future__ import annotations

from collections.abc import Iterable

from lxml import etree

from hostler.errors import InvalidInput
from hostler.models.devices import Nic
from hostler.vms.domain.editor import Editor, Live
from hostler.vms.domain.tree import (
    Element,
    add,
    attr,
    clone,
    devices,
    ensure,
    put,
    remove,
    same,
    serialise,
)


def match_nics(tree: Element, nics: Iterable[Nic]) -> list[Element | None]:
    """Pair wanted cards with a domain's: by MAC address, then by position."""
    wanted = list(nics)
    left = list(tree.iterfind("devices/interface"))
    by_mac = {str(attr(e, "mac", "address")).lower(): e for e in left}
    pairs: list[Element | None] = [by_mac.get(n.mac) if n.mac else None for n in wanted]
    left = [e for e in left if not any(e is p for p in pairs)]
    for i, nic in enumerate(wanted):
        if pairs[i] is None and not nic.mac and left:
            pairs[i] = left.pop(0)
    return pairs


def edit_nic(editor: Editor, nic: Nic, card: Element | None, mac: str) -> None:
    """Bring one card to what is wanted; ``mac`` is what a new one gets. No MAC ever changes."""
    if nic.state == "absent":
        if card is not None:
            xml = serialise(card)
            editor.change(
                f"networks.{nic.mac}",
                lambda: card.getparent().remove(card),
                Live("detach", xml, xml),
            )
        return
    if card is None:
        made = _made(nic, mac)
        live = Live("attach", serialise(made))
        editor.change(f"networks.{mac}", lambda: devices(editor.tree).append(made), live)
        return
    _edit_card(editor, nic, card)


def _edit_card(editor: Editor, nic: Nic, card: Element) -> None:
    mac = str(attr(card, "mac", "address"))
    kind = "bridge" if nic.type == "ovs" else nic.type
    if kind and kind != card.get("type"):
        raise InvalidInput(
            f"network card {mac} is of type {card.get('type')}; a type can't be changed",
            hint="Remove the card (state: absent) first, then add the new one.",
        )
    for name, wanted in (("model", nic.model), ("mtu", nic.mtu)):
        key = "type" if name == "model" else "size"
        if wanted is not None and str(wanted) != attr(card, name, key):
            editor.change(
                f"networks.{mac}.{name}",
                lambda n=name, k=key, w=wanted: ensure(card, n).set(k, str(w)),  # type: ignore[misc]
            )
    if nic.boot_order is not None and str(nic.boot_order) != attr(card, "boot", "order"):
        order = str(nic.boot_order)
        editor.change(
            f"networks.{mac}.boot_order", lambda: ensure(card, "boot").set("order", order)
        )
    _edit_source(editor, nic, card, mac)


def _edit_source(editor: Editor, nic: Nic, card: Element, mac: str) -> None:
    """Source, VLAN and link change live, as one update of the device."""
    changed = clone(card)
    _put_source(changed, nic)
    if nic.link is not None and nic.link != (attr(card, "link", "state") or "up"):
        ensure(changed, "link").set("state", nic.link)
    if nic.vlan is not None and set(nic.vlan) != set(vlans_of(card)):
        _put_vlan(changed, nic.vlan)
    if same(changed, card):
        return

    def edit() -> None:
        card.getparent().replace(card, changed)

    live = Live("update", serialise(changed), serialise(card))
    editor.change(f"networks.{mac}", edit, live)


def vlans_of(card: Element) -> list[int]:
    """Return the VLAN tags of a card."""
    return [int(t.get("id")) for t in card.iterfind("vlan/tag")]


def _put_source(card: Element, nic: Nic) -> None:
    """Set what was named of the source; a running card's own extra attributes stay."""
    source = ensure(card, "source")
    wanted = {
        "network": nic.network if nic.type == "network" else None,
        "bridge": nic.bridge,
        "dev": nic.dev,
        "mode": nic.mode,
        "portgroup": nic.portgroup,
    }
    moved = nic.type == "network" and nic.network and source.get("network") != nic.network
    if moved:
        put(source, portid=None, bridge=None, portgroup=None)
    for name, value in wanted.items():
        if value is not None and source.get(name) != value:
            source.set(name, value)


def _put_vlan(card: Element, vlan: tuple[int, ...]) -> None:
    remove(card, "vlan")
    if not vlan:
        return
    element = add(card, "vlan")
    if len(vlan) > 1:
        element.set("trunk", "yes")
    for tag in vlan:
        add(element, "tag", id=str(tag))


def _made(nic: Nic, mac: str) -> Element:
    card = etree.Element("interface", type="bridge" if nic.type == "ovs" else nic.type or "network")
    add(card, "mac", address=mac)
    source = add(card, "source")
    if nic.type == "network":
        source.set("network", nic.network_name)
    _put_source(card, nic)
    if nic.type == "direct" and nic.mode is None:
        source.set("mode", "bridge")
    if nic.type == "ovs":
        add(card, "virtualport", type="openvswitch")
    if nic.vlan:
        _put_vlan(card, nic.vlan)
    add(card, "model", type=nic.model or "virtio")
    if nic.mtu is not None:
        add(card, "mtu", size=str(nic.mtu))
    if nic.boot_order is not None:
        add(card, "boot", order=str(nic.boot_order))
    if nic.link is not None:
        add(card, "link", state=nic.link)
    return card
