# SPDX-License-Identifier: Apache-2.0
"""One pass of all edits over a tree: a new definition, an old one or a running domain."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hostler.errors import InvalidInput
from hostler.models.devices import Cdrom
from hostler.models.vm import VmSpec
from hostler.vms.domain.basics import edit_basics
from hostler.vms.domain.disks import Source, edit_cdrom, edit_disk, free_target, match_cdroms
from hostler.vms.domain.editor import Editor
from hostler.vms.domain.extras import edit_extras
from hostler.vms.domain.metadata import edit_notes
from hostler.vms.domain.networks import edit_nic, match_nics
from hostler.vms.domain.tree import Element, attr
from hostler.vms.planner.storage import ResolvedDisk, find_drive

if TYPE_CHECKING:
    from hostler.plan.step import Step


@dataclass
class Parts:
    """What of a spec was worked out beforehand, once for both trees.

    Attributes:
        disks: disks with their targets and sources.
        cdroms: drives with targets, and their media (None = empty).
        macs: the address of each wanted card, in order.
        steps: what makes the volumes; cleanup: what goes once nothing uses it any more.
        generated: words for addresses that were just made up.
        machine: the versioned machine behind the wanted alias.
    """

    disks: list[ResolvedDisk] = field(default_factory=list)
    cdroms: list[tuple[Cdrom, Source | None]] = field(default_factory=list)
    macs: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    cleanup: list[Step] = field(default_factory=list)
    generated: dict[str, str] = field(default_factory=dict)
    machine: str | None = None


def apply_spec(editor: Editor, spec: VmSpec, parts: Parts) -> None:
    """Edit a tree to what is wanted."""
    edit_basics(editor, spec, parts.machine)
    for disk in parts.disks:
        edit_disk(editor, disk.disk, disk.source, find_drive(editor.tree, disk))
    for cdrom, medium in parts.cdroms:
        drive = next(iter(match_cdroms(editor.tree, [cdrom])), None)
        edit_cdrom(editor, cdrom, medium, drive)
    _edit_nics(editor, spec, parts)
    edit_extras(editor, spec)
    edit_notes(editor, spec)
    if not editor.running:
        _settle_boot_order(editor.tree)


def _settle_boot_order(tree: Element) -> None:
    """Drop the order by kinds (``os/boot``) where devices have one: libvirt takes either.

    Raises:
        InvalidInput: two devices have the same place in the order.
    """
    orders = [boot.get("order") for boot in tree.iterfind("devices/*/boot")]
    for order in orders:
        if orders.count(order) > 1:
            raise InvalidInput(
                f"boot order {order} would be that of two devices",
                hint="Give each device a 'boot_order' of its own.",
            )
    if orders:
        for boot in tree.findall("os/boot"):
            boot.getparent().remove(boot)


def _edit_nics(editor: Editor, spec: VmSpec, parts: Parts) -> None:
    """Cards were paired with addresses beforehand; by address they are found in every tree."""
    cards = {
        str(attr(e, "mac", "address")).lower(): e for e in editor.tree.iterfind("devices/interface")
    }
    for nic, mac in zip(spec.networks or (), parts.macs, strict=True):
        edit_nic(editor, nic, cards.get(mac), mac)


def pair_macs(
    tree: Element, spec: VmSpec, fresh: tuple[str, ...]
) -> tuple[list[str], dict[str, str]]:
    """Give each wanted card its address: its own, the one it has, or a fresh one.

    Returns the addresses, and names for those that are fresh (``new card 1``): a preview can't
    know what they will be.
    """
    unused = list(fresh)
    macs: list[str] = []
    generated: dict[str, str] = {}
    for nic, card in zip(spec.networks or (), match_nics(tree, spec.networks or ()), strict=True):
        have = None if card is None else str(attr(card, "mac", "address")).lower()
        mac = nic.mac or have
        if mac is None:
            mac = unused.pop(0)
            generated[mac] = f"new card {len(generated) + 1}"
        macs.append(mac)
    return macs, generated


def place_cdroms(
    tree: Element, wanted: list[tuple[Cdrom, Source | None]], used: set[str], arch: str
) -> list[tuple[Cdrom, Source | None]]:
    """Give each drive its target: the one it has, or a free one."""
    placed = []
    pairs = match_cdroms(tree, [cdrom for cdrom, _ in wanted])
    for (cdrom, medium), drive in zip(wanted, pairs, strict=True):
        target = cdrom.target or (None if drive is None else str(attr(drive, "target", "dev")))
        if target is None:
            bus = cdrom.bus or ("sata" if arch in ("x86_64", "i686") else "scsi")
            target = free_target(used, bus)
        used.add(target)
        placed.append((cdrom.model_copy(update={"target": target}), medium))
    return placed
