# SPDX-License-Identifier: Apache-2.0
"""Disks and CD-ROM drives of a domain."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from string import ascii_lowercase

from lxml import etree

from hostler.errors import InvalidInput
from hostler.models.devices import Cdrom, Disk
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
    serialise,
)

_PREFIX = {"virtio": "vd", "scsi": "sd", "sata": "sd", "usb": "sd", "ide": "hd"}
HOT_BUSES = {"virtio", "scsi", "usb"}
_SEED = re.compile(r"(.+)-seed-[0-9a-f]{12}\.iso")


@dataclass(frozen=True)
class Source:
    """Where a disk's content is: a path (``file`` or ``block``), or a volume of a pool."""

    type: str
    path: str | None = None
    pool: str | None = None
    volume: str | None = None
    format: str | None = None


def targets_of(tree: Element) -> list[str]:
    """Return the targets in use."""
    return [str(t.get("dev")) for t in tree.iterfind("devices/disk/target")]


def drives(tree: Element, device: str) -> list[Element]:
    """Return the drives of one kind: ``disk`` or ``cdrom``."""
    return [d for d in tree.iterfind("devices/disk") if (d.get("device") or "disk") == device]


def source_of(drive: Element) -> Source | None:
    """Return where a drive's content is; None for an empty one."""
    source = drive.find("source")
    if source is None:
        return None
    return Source(
        type=str(drive.get("type")),
        path=source.get("file") or source.get("dev"),
        pool=source.get("pool"),
        volume=source.get("volume"),
        format=attr(drive, "driver", "type"),
    )


def seed_owner(source: Source | None) -> str | None:
    """Return the VM that a cloud-init seed was made for, by its first name; None: it is none."""
    name = "" if source is None else source.volume or (source.path or "").rsplit("/", 1)[-1]
    found = _SEED.fullmatch(name)
    return found.group(1) if found else None


def match_disks(
    tree: Element, disks: Iterable[Disk], sources: Iterable[Source]
) -> list[Element | None]:
    """Pair wanted disks with a domain's: by target, then by source, then by position."""
    wanted = list(zip(disks, sources, strict=True))
    left = drives(tree, "disk")
    pairs: list[Element | None] = [None] * len(wanted)
    for i, (disk, source) in enumerate(wanted):
        for drive in left:
            if (disk.target and attr(drive, "target", "dev") == disk.target) or (
                not disk.target and _named(disk) and _same_source(drive, source)
            ):
                pairs[i] = drive
                left.remove(drive)
                break
    for i, (disk, _source) in enumerate(wanted):
        if pairs[i] is None and not disk.target and not _named(disk) and left:
            pairs[i] = left.pop(0)
    return pairs


def _named(disk: Disk) -> bool:
    return bool(disk.volume or disk.path)


def _same_source(drive: Element, source: Source) -> bool:
    have = source_of(drive)
    if have is None:
        return False
    if have.path and source.path:
        return have.path == source.path
    return (have.pool, have.volume) == (source.pool, source.volume)


def free_target(used: Iterable[str], bus: str) -> str:
    """Return the first free target name of a bus: vda, vdb, ...

    Raises:
        InvalidInput: all are in use.
    """
    taken = set(used)
    letters: list[str] = [*ascii_lowercase, *(a + b for a in "ab" for b in ascii_lowercase)]
    for letter in letters:
        if (name := _PREFIX[bus] + letter) not in taken:
            return name
    raise InvalidInput(f"there is no free disk target on bus {bus}")


def bus_of(target: str) -> str:
    """Return the bus that a target's name stands for."""
    buses = {"vd": "virtio", "hd": "ide", "fd": "fdc"}
    return buses.get(target[:2], "sata")


def edit_disk(editor: Editor, disk: Disk, source: Source, drive: Element | None) -> None:
    """Bring one disk to what is wanted; ``drive`` is the domain's own, None where it has none."""
    if disk.state == "absent":
        if drive is not None:
            _detach(editor, drive, "disks")
        return
    format = source.format if drive is None else attr(drive, "driver", "type")
    if disk.shared and format != "raw":
        raise InvalidInput(
            f"disk {disk.target} is {format}, and only a raw disk can be shared between VMs",
            hint="Convert it with 'qemu-img convert -O raw', or leave 'shared' out.",
        )
    if drive is None:
        made = _made_disk(disk, source)
        bus = str(attr(made, "target", "bus"))
        hot = bus in HOT_BUSES and (bus != "scsi" or _has_scsi(editor.tree))
        live = Live("attach", serialise(made)) if hot else None
        editor.change(f"disks.{disk.target}", lambda: _plug(editor.tree, made, bus), live)
        return
    target = str(attr(drive, "target", "dev"))
    for change in _settings(disk):
        _edit_setting(editor, drive, target, *change)
    if disk.bus and disk.bus != attr(drive, "target", "bus"):
        raise InvalidInput(
            f"disk {target} is on bus {attr(drive, 'target', 'bus')}; a bus can't be changed",
            hint="Remove the disk from the VM and add it again on the other bus.",
        )
    if _named(disk) and not _same_source(drive, source):
        raise InvalidInput(
            f"disk {target} is another volume: a disk's source can't be replaced",
            hint="Remove the disk (state: absent) first, then add the new one.",
        )


def _has_scsi(tree: Element) -> bool:
    return tree.find("devices/controller[@type='scsi']") is not None


def _plug(tree: Element, drive: Element, bus: str) -> None:
    """Add a drive; libvirt's own choice of SCSI controller is one that few guests know."""
    if bus == "scsi" and not _has_scsi(tree):
        add(devices(tree), "controller", type="scsi", model="virtio-scsi")
    devices(tree).append(drive)


def _settings(disk: Disk) -> list[tuple[str, str, str | None]]:
    """Return (element, attribute or text, wanted value) of what can be set on a disk."""
    order = None if disk.boot_order is None else str(disk.boot_order)
    return [
        ("driver", "cache", disk.cache),
        ("driver", "discard", disk.discard),
        ("serial", "", disk.serial),
        ("boot", "order", order),
        ("shareable", "?", None if disk.shared is None else str(disk.shared)),
        ("readonly", "?", None if disk.readonly is None else str(disk.readonly)),
    ]


def _edit_setting(
    editor: Editor, drive: Element, target: str, tag: str, name: str, wanted: str | None
) -> None:
    if wanted is None or wanted == _setting(drive, tag, name):
        return
    label = {"shareable": "shared", "boot": "boot_order"}.get(tag, name or tag)
    editor.change(f"disks.{target}.{label}", lambda: _set(drive, tag, name, wanted))


def _setting(drive: Element, tag: str, name: str) -> str | None:
    found = drive.find(tag)
    if name == "?":
        return str(found is not None)
    if found is None:
        return None
    value = found.get(name) if name else found.text
    return None if value is None else str(value)


def _set(drive: Element, tag: str, name: str, value: str) -> None:
    if name == "?" and value == "False":
        remove(drive, tag)
        return
    element = ensure(drive, tag)
    if name == "":
        element.text = value
    elif name != "?":
        element.set(name, value)


def _made_disk(disk: Disk, source: Source) -> Element:
    if disk.target is None:
        raise ValueError("a disk gets its target before it is made")
    drive = etree.Element("disk", type=source.type, device="disk")
    driver = add(drive, "driver", name="qemu", type=source.format or "raw")
    put(driver, cache=disk.cache, discard=disk.discard)
    _put_source(drive, source)
    add(drive, "target", dev=disk.target, bus=disk.bus or bus_of(disk.target))
    for tag, name, value in _settings(disk):
        if value is not None and tag != "driver":
            _set(drive, tag, name, value)
    return drive


def _put_source(drive: Element, source: Source | None) -> None:
    remove(drive, "source")
    if source is None:
        return
    drive.set("type", source.type)
    element = etree.Element("source")
    put(
        element,
        file=source.path if source.type == "file" else None,
        dev=source.path if source.type == "block" else None,
        pool=source.pool if source.type == "volume" else None,
        volume=source.volume if source.type == "volume" else None,
    )
    position = list(drive).index(drive.find("target")) if drive.find("target") is not None else -1
    if position < 0:
        drive.append(element)
    else:
        drive.insert(position, element)


def _detach(editor: Editor, drive: Element, kind: str) -> None:
    target = str(attr(drive, "target", "dev"))
    hot = attr(drive, "target", "bus") in HOT_BUSES and kind == "disks"
    xml = serialise(drive)
    live = Live("detach", xml, xml) if hot else None
    editor.change(f"{kind}.{target}", lambda: drive.getparent().remove(drive), live)


def edit_cdrom(editor: Editor, cdrom: Cdrom, source: Source | None, drive: Element | None) -> None:
    """Bring one CD-ROM drive to what is wanted; changing its medium works while it runs."""
    if cdrom.state == "absent":
        if drive is not None:
            _detach(editor, drive, "cdroms")
        return
    if drive is None:
        editor.change(f"cdroms.{cdrom.target}", lambda: _add_cdrom(editor.tree, cdrom, source))
        return
    target = str(attr(drive, "target", "dev"))
    have = source_of(drive)
    if cdrom.boot_order is not None:
        _edit_setting(editor, drive, target, "boot", "order", str(cdrom.boot_order))
    wants = source is not None or cdrom.eject
    if wants and _place(have) != _place(source):
        changed = clone(drive)
        remove(changed, "backingStore")
        _put_source(changed, source)
        live = Live("update", serialise(changed), serialise(drive))
        editor.change(f"cdroms.{target}", lambda: _put_source(drive, source), live)


def _place(source: Source | None) -> tuple[str | None, str | None, str | None]:
    return (None, None, None) if source is None else (source.path, source.pool, source.volume)


def _add_cdrom(tree: Element, cdrom: Cdrom, source: Source | None) -> None:
    if cdrom.target is None:
        raise ValueError("a CD-ROM drive gets its target before it is made")
    drive = etree.Element("disk", type=source.type if source else "file", device="cdrom")
    add(drive, "driver", name="qemu", type="raw")
    bus = cdrom.bus or bus_of(cdrom.target)
    add(drive, "target", dev=cdrom.target, bus=bus)
    add(drive, "readonly")
    if cdrom.boot_order is not None:
        add(drive, "boot", order=str(cdrom.boot_order))
    _put_source(drive, source)
    _plug(tree, drive, bus)


def match_cdroms(tree: Element, cdroms: Iterable[Cdrom]) -> list[Element | None]:
    """Pair wanted CD-ROM drives with a domain's: by target, then by position; no seeds by that."""
    wanted = list(cdroms)
    left = drives(tree, "cdrom")
    named = {str(attr(d, "target", "dev")): d for d in left}
    pairs: list[Element | None] = [named.get(c.target) if c.target else None for c in wanted]
    left = [d for d in left if d not in pairs and seed_owner(source_of(d)) is None]
    for i, cdrom in enumerate(wanted):
        if pairs[i] is None and not cdrom.target and left:
            pairs[i] = left.pop(0)
    return pairs
