# SPDX-License-Identifier: Apache-2.0
"""A new VM as a clone of another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostler.errors import InvalidInput, NotFound
from hostler.models.vm import VmSpec
from hostler.vms.domain.disks import drives, seed_owner, source_of
from hostler.vms.domain.tree import Element, attr, devices, ensure, parse, remove
from hostler.vms.volume_steps import CloneVolume, CreateVolume

if TYPE_CHECKING:
    from hostler.backends.libvirt.volumes import VolumeState
    from hostler.plan.step import Step
    from hostler.vms.observe import Observed


def cloned_tree(spec: VmSpec, template: str, observed: Observed) -> Element:
    """Return a template's definition with a name, UUID, addresses and disks of its own.

    Raises:
        NotFound: there is no such VM.
        InvalidInput: it runs, or a disk of it is in no pool.
    """
    if observed.template is None:
        raise NotFound(f"there is no VM {template!r} to clone", hint="See 'hostler vm list'.")
    if observed.template.active_xml is not None:
        raise InvalidInput(
            f"VM {template!r} runs, and a clone of its disks would be torn",
            hint="Stop the template first.",
        )
    tree = parse(observed.template.inactive_xml)
    ensure(tree, "name").text = spec.name
    ensure(tree, "uuid").text = observed.new_uuid
    remove(tree, "os/nvram")
    remove(tree, "metadata")
    _new_addresses(tree, observed.new_macs)
    for drive in drives(tree, "cdrom"):
        if seed_owner(source_of(drive)) is not None:
            devices(tree).remove(drive)
    _new_sources(tree, spec, observed)
    return tree


def _new_addresses(tree: Element, fresh: tuple[str, ...]) -> None:
    """Cards get fresh addresses, taken from the end: the spec's own come from the start."""
    cards = list(tree.iterfind("devices/interface"))
    for card, mac in zip(cards, reversed(fresh), strict=False):
        ensure(card, "mac").set("address", mac)
        remove(card, "target")


def _shared(drive: Element) -> bool:
    return drive.find("shareable") is not None or drive.find("readonly") is not None


def _clone_name(spec: VmSpec, target: str, format: str) -> str:
    return f"{spec.name}-{target}.{format}"


def _cloned(spec: VmSpec, observed: Observed) -> list[tuple[str, VolumeState, str]]:
    """Return (target, template's volume, format of the clone) of the disks to be cloned."""
    if observed.template is None or spec.from_template is None:
        return []
    found = []
    for drive in drives(parse(observed.template.inactive_xml), "disk"):
        target = str(attr(drive, "target", "dev"))
        if _shared(drive):
            continue
        volume = observed.template_disks.get(target)
        if volume is None:
            raise InvalidInput(
                f"disk {target} of the template is in no storage pool, so it can't be cloned",
                hint="Make a pool of its folder, or detach the disk from the template.",
            )
        linked = spec.from_template.linked
        found.append((target, volume, "qcow2" if linked else volume.format or "raw"))
    return found


def _new_sources(tree: Element, spec: VmSpec, observed: Observed) -> None:
    cloned = {target: (volume, format) for target, volume, format in _cloned(spec, observed)}
    for drive in drives(tree, "disk"):
        target = str(attr(drive, "target", "dev"))
        if target not in cloned:
            continue
        volume, format = cloned[target]
        old = source_of(drive)
        source = ensure(drive, "source")
        ensure(drive, "driver").set("type", format)
        remove(drive, "backingStore")
        if old is not None and old.path:
            folder = volume.path.rsplit("/", 1)[0]
            key = "file" if source.get("file") else "dev"
            source.set(key, f"{folder}/{_clone_name(spec, target, format)}")
        else:
            source.set("volume", _clone_name(spec, target, format))


def clones_of(spec: VmSpec, observed: Observed) -> dict[str, Step]:
    """Return the steps that clone a template VM's disks, by target."""
    steps: dict[str, Step] = {}
    for target, volume, format in _cloned(spec, observed):
        name, linked = (
            _clone_name(spec, target, format),
            bool(spec.from_template and spec.from_template.linked),
        )
        if linked:
            steps[target] = CreateVolume(
                uri=observed.host.uri,
                pool=volume.pool,
                name=name,
                capacity=volume.capacity,
                format=format,
                backing_path=volume.path,
                backing_format=volume.format or "raw",
            )
        else:
            steps[target] = CloneVolume(
                uri=observed.host.uri,
                pool=volume.pool,
                name=name,
                from_pool=volume.pool,
                from_volume=volume.name,
                format=format,
            )
    return steps
