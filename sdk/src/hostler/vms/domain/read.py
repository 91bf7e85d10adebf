# SPDX-License-Identifier: Apache-2.0
"""A domain's XML read into models: its hardware, and the document that diffs are made of."""

from __future__ import annotations

from typing import Any

from hostler.models.size import format_size
from hostler.models.vm_view import DiskView, GraphicsView, Hardware, InterfaceView
from hostler.vms.domain.basics import cpus_of, firmware_of
from hostler.vms.domain.disks import drives, source_of
from hostler.vms.domain.extras import has_agent, hostdev_address
from hostler.vms.domain.metadata import read_notes
from hostler.vms.domain.networks import vlans_of
from hostler.vms.domain.tree import Element, attr, memory_of


def hardware(tree: Element) -> Hardware:
    """Read the hardware of a domain."""
    kind, secure = firmware_of(tree)
    topology = tree.find("cpu/topology")
    return Hardware(
        arch=attr(tree, "os/type", "arch"),
        machine=attr(tree, "os/type", "machine"),
        firmware=kind,
        secure_boot=secure,
        cpu_mode=attr(tree, "cpu", "mode"),
        cpu_model=tree.findtext("cpu/model"),
        cpu_topology=None if topology is None else {k: int(v) for k, v in topology.items()},
        disks=[disk_view(d) for d in drives(tree, "disk")],
        cdroms=[disk_view(d) for d in drives(tree, "cdrom")],
        interfaces=[interface_view(e) for e in tree.iterfind("devices/interface")],
        graphics=[graphics_view(g) for g in tree.iterfind("devices/graphics")],
        video=attr(tree, "devices/video/model", "type"),
        tpm=attr(tree, "devices/tpm", "model"),
        watchdog=attr(tree, "devices/watchdog", "model"),
        rng=tree.find("devices/rng") is not None,
        agent=has_agent(tree),
        serial=tree.find("devices/serial") is not None,
        serial_log=attr(tree, "devices/serial/log", "file"),
        host_devices=[a for h in tree.iterfind("devices/hostdev") if (a := hostdev_address(h))],
        kernel=tree.findtext("os/kernel"),
        initrd=tree.findtext("os/initrd"),
        cmdline=tree.findtext("os/cmdline"),
    )


def disk_view(drive: Element) -> DiskView:
    """Read a disk or CD-ROM drive; sizes are not in the XML."""
    source = source_of(drive)
    order = attr(drive, "boot", "order")
    backing = drive.find("backingStore/source")
    return DiskView(
        target=str(attr(drive, "target", "dev")),
        device=drive.get("device") or "disk",
        bus=attr(drive, "target", "bus"),
        type=drive.get("type"),
        path=source.path if source else None,
        pool=source.pool if source else None,
        volume=source.volume if source else None,
        format=attr(drive, "driver", "type"),
        serial=drive.findtext("serial"),
        boot_order=int(order) if order else None,
        readonly=drive.find("readonly") is not None,
        shared=drive.find("shareable") is not None,
        cache=attr(drive, "driver", "cache"),
        discard=attr(drive, "driver", "discard"),
        backing=None if backing is None else backing.get("file") or backing.get("dev"),
    )


def interface_view(card: Element) -> InterfaceView:
    """Read a network card."""
    source = card.find("source")
    mtu, order = attr(card, "mtu", "size"), attr(card, "boot", "order")
    attributes = {} if source is None else dict(source.attrib)
    name = attributes.get("network") or attributes.get("bridge") or attributes.get("dev")
    return InterfaceView(
        mac=str(attr(card, "mac", "address")).lower(),
        type=str(card.get("type")),
        source=name,
        model=attr(card, "model", "type"),
        name=attr(card, "target", "dev"),
        link=attr(card, "link", "state") or "up",
        vlan=vlans_of(card),
        portgroup=attributes.get("portgroup"),
        mtu=int(mtu) if mtu else None,
        boot_order=int(order) if order else None,
    )


def graphics_view(server: Element) -> GraphicsView:
    """Read a VNC or SPICE server; a port is known only while it runs."""
    port, tls = int(server.get("port") or -1), int(server.get("tlsPort") or -1)
    return GraphicsView(
        type=str(server.get("type")),
        port=port if port > 0 else None,
        tls_port=tls if tls > 0 else None,
        listen=attr(server, "listen", "address") or server.get("listen"),
    )


def document(tree: Element, sizes: dict[str, int] | None = None) -> dict[str, Any]:
    """Return what is modelled of a domain as a short document: what a person compares.

    The same for a definition and for a running domain, so that their difference is what waits for
    a restart. What only running domains have (ports, aliases, addresses) is left out.

    Args:
        tree: the domain.
        sizes: capacities in bytes by disk target, where they are known.
    """
    notes, (cpus, cpus_max) = read_notes(tree), cpus_of(tree)
    memory_max = memory_of(tree, "memory")
    found: dict[str, Any] = {
        "title": tree.findtext("title"),
        "description": tree.findtext("description"),
        "cpus": cpus,
        "cpus_max": cpus_max,
        "cpu": _cpu(tree),
        "memory": format_size(memory_of(tree, "currentMemory") or memory_max),
        "memory_max": format_size(memory_max),
        "machine": attr(tree, "os/type", "machine"),
        "arch": attr(tree, "os/type", "arch"),
        "virt_type": tree.get("type"),
        "firmware": _firmware(tree),
        "kernel_boot": _texts(tree, "os", ("kernel", "initrd", "cmdline")),
        "disks": {v.target: _disk(v, sizes or {}) for v in map(disk_view, drives(tree, "disk"))},
        "cdroms": {v.target: _cdrom(v) for v in map(disk_view, drives(tree, "cdrom"))},
        "networks": _networks(tree),
        "os_type": notes.os_type,
        "os_version": notes.os_version,
        "labels": notes.labels,
        "metadata": notes.metadata,
    }
    found |= _extras(tree)
    return {key: value for key, value in found.items() if value not in (None, {}, [], "")}


def _cpu(tree: Element) -> dict[str, Any]:
    """A running domain's ``host-model`` is expanded by libvirt: its mode is compared, no more."""
    mode, topology = attr(tree, "cpu", "mode"), tree.find("cpu/topology")
    found: dict[str, Any] = {} if topology is None else {"topology": dict(topology.attrib)}
    if mode == "custom" and attr(tree, "cpu/model", "fallback") == "forbid":
        found |= {"mode": mode, "model": tree.findtext("cpu/model")}
    elif mode in ("host-passthrough", "maximum"):
        found["mode"] = mode
    return found


def _firmware(tree: Element) -> str:
    kind, secure = firmware_of(tree)
    return f"{kind} with secure boot" if secure else kind


def _texts(tree: Element, path: str, tags: tuple[str, ...]) -> dict[str, str]:
    return {t: text for t in tags if (text := tree.findtext(f"{path}/{t}"))}


def _disk(view: DiskView, sizes: dict[str, int]) -> dict[str, Any]:
    found = view.model_dump(
        include={
            "path",
            "pool",
            "volume",
            "format",
            "bus",
            "serial",
            "boot_order",
            "cache",
            "discard",
        },
        exclude_none=True,
    )
    if view.target in sizes:
        found["size"] = format_size(sizes[view.target])
    for flag in ("shared", "readonly"):
        if getattr(view, flag):
            found[flag] = True
    return found


def _cdrom(view: DiskView) -> dict[str, Any]:
    image = view.path or (f"{view.pool}/{view.volume}" if view.volume else None)
    return {"image": image, "bus": view.bus}


def _networks(tree: Element) -> dict[str, dict[str, Any]]:
    cards = [interface_view(e) for e in tree.iterfind("devices/interface")]
    found = {}
    for view in cards:
        shown = view.model_dump(exclude={"mac", "name", "addresses"}, exclude_none=True)
        if view.type == "network":
            shown["source"] = view.source
        found[view.mac] = {
            k: v for k, v in shown.items() if v not in ([], None) and (k, v) != ("link", "up")
        }
    return found


def _extras(tree: Element) -> dict[str, Any]:
    graphics = {}
    for server in tree.iterfind("devices/graphics"):
        fixed = server.get("autoport") != "yes" and int(server.get("port") or -1) > 0
        port = {"port": int(server.get("port"))} if fixed else {}
        graphics[str(server.get("type"))] = {"listen": graphics_view(server).listen, **port}
    watchdog = tree.find("devices/watchdog")
    tpm = tree.find("devices/tpm")
    return {
        "graphics": graphics,
        "video": attr(tree, "devices/video/model", "type"),
        "console": tree.find("devices/serial") is not None,
        "console_log": attr(tree, "devices/serial/log", "file"),
        "agent": has_agent(tree),
        "rng": tree.find("devices/rng") is not None,
        "tpm": None if tpm is None else {"model": tpm.get("model"), **_version(tpm)},
        "watchdog": None if watchdog is None else dict(watchdog.attrib),
        "host_devices": [a for h in tree.iterfind("devices/hostdev") if (a := hostdev_address(h))],
    }


def _version(tpm: Element) -> dict[str, str]:
    version = attr(tpm, "backend", "version")
    return {"version": version} if version else {}


def pending(inactive: Element, active: Element) -> list[str]:
    """Name what the stored definition has and the running domain has not.

    Memory that the guest has not given back yet does not count: a restart would not change that.
    """
    new, now = document(inactive), document(active)
    if _only_ballooned(inactive, active):
        now["memory"] = new.get("memory")
    return sorted(key for key in {*new, *now} if new.get(key) != now.get(key))


def _only_ballooned(inactive: Element, active: Element) -> bool:
    wanted = memory_of(inactive, "currentMemory") or 0
    ballooned = wanted < (memory_of(inactive, "memory") or 0)
    return ballooned and wanted <= (memory_of(active, "memory") or 0)
