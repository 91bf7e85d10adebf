# SPDX-License-Identifier: Apache-2.0
"""Storage pools: what is there, who uses it, and every change of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libvirt
from lxml import etree

from hostler.backends.libvirt.faults import translated
from hostler.errors import NotFound

if TYPE_CHECKING:
    from hostler.backends.libvirt.hypervisor import Hypervisor


@dataclass(frozen=True)
class FoundPool:
    """A pool; sizes in bytes and the number of volumes are None while it is not active.

    Attributes:
        xml: its definition, not what runs.
    """

    name: str
    xml: str
    active: bool
    autostart: bool
    persistent: bool
    capacity: int | None = None
    allocation: int | None = None
    available: int | None = None
    volumes: int | None = None


class Pools:
    """The storage pools of one hypervisor."""

    def __init__(self, hypervisor: Hypervisor) -> None:
        self._hypervisor = hypervisor

    def _on(self, name: str) -> str:
        return f"storage pool {name!r} on {self._hypervisor.uri}"

    def _to_change(self, name: str) -> libvirt.virStoragePool:
        return self._hypervisor.write().storagePoolLookupByName(name)

    def all(self) -> list[FoundPool]:
        """Read all pools, by name; one that goes away meanwhile is left out."""
        with translated(f"storage pools on {self._hypervisor.uri}"):
            pools = self._hypervisor.read().listAllStoragePools()
        found = self._hypervisor.pipeline(self._read_if_there, pools)
        return sorted((pool for pool in found if pool), key=lambda pool: pool.name)

    def find(self, name: str) -> FoundPool | None:
        """Read a pool; None where there is none of that name."""
        try:
            with translated(self._on(name)):
                pool = self._hypervisor.read().storagePoolLookupByName(name)
        except NotFound:
            return None
        return self._read_if_there(pool)

    def _read_if_there(self, pool: libvirt.virStoragePool) -> FoundPool | None:
        try:
            with translated(self._on(pool.name())):
                return _read(pool)
        except NotFound:
            return None

    def users(self, name: str, path: str | None) -> list[str]:
        """Name the domains with a disk in a pool, as they are defined or run."""
        folder = f"{path.rstrip('/')}/" if path else None

        def uses(source: etree._Element) -> bool:
            if source.get("pool") == name:
                return True
            return folder is not None and _place(source).startswith(folder)

        return self._domains_with(uses)

    def volume_users(self, pool: str, name: str, path: str) -> list[str]:
        """Name the domains that have a volume as a disk, or below one."""
        return self._domains_with(lambda source: _is(source, pool, name, path))

    def writers(self, pool: str, name: str, path: str) -> list[str]:
        """Name the running domains that can write to a volume."""
        with translated(f"domains on {self._hypervisor.uri}"):
            active = libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE
            domains = self._hypervisor.read().listAllDomains(active)
        documents = self._hypervisor.pipeline(_documents, domains)
        return sorted(
            domain.name()
            for domain, texts in zip(domains, documents, strict=True)
            if texts and any(_is(source, pool, name, path) for source in _written(texts[0]))
        )

    def _domains_with(self, uses: Callable[[etree._Element], bool]) -> list[str]:
        with translated(f"domains on {self._hypervisor.uri}"):
            domains = self._hypervisor.read().listAllDomains()
        documents = self._hypervisor.pipeline(_documents, domains)
        return sorted(
            domain.name()
            for domain, texts in zip(domains, documents, strict=True)
            if any(uses(source) for text in texts for source in _sources(text))
        )

    def define(self, xml: str, name: str) -> None:
        """Define a pool, or define it anew."""
        with translated(self._on(name)):
            self._hypervisor.write().storagePoolDefineXML(xml, 0)

    def undefine(self, name: str) -> None:
        """Forget a pool that does not run; its volumes stay. One that is gone is fine."""
        try:
            with translated(self._on(name)):
                self._to_change(name).undefine()
        except NotFound:
            return

    def build(self, name: str) -> None:
        """Make the folder that a pool is in, or is mounted at; nothing is formatted."""
        with translated(self._on(name)):
            self._to_change(name).build(0)

    def start(self, name: str) -> None:
        """Start a pool."""
        with translated(self._on(name)):
            self._to_change(name).create(0)

    def stop(self, name: str) -> None:
        """Stop a pool; its volumes stay."""
        with translated(self._on(name)):
            self._to_change(name).destroy()

    def set_autostart(self, name: str, autostart: bool) -> None:
        """Say whether a pool starts with the host."""
        with translated(self._on(name)):
            self._to_change(name).setAutostart(int(autostart))


def _read(pool: libvirt.virStoragePool) -> FoundPool:
    active, persistent = bool(pool.isActive()), bool(pool.isPersistent())
    sizes: dict[str, int] = {}
    if active:
        _, capacity, allocation, available = pool.info()
        sizes = {"capacity": capacity, "allocation": allocation, "available": available}
        sizes["volumes"] = pool.numOfVolumes()
    return FoundPool(
        name=pool.name(),
        xml=_definition(pool) if persistent and active else pool.XMLDesc(),
        active=active,
        autostart=bool(pool.autostart()),
        persistent=persistent,
        **sizes,
    )


def _definition(pool: libvirt.virStoragePool) -> str:
    """Return what is defined; drivers that know no flags (test) have no other document."""
    try:
        return str(pool.XMLDesc(libvirt.VIR_STORAGE_XML_INACTIVE))
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_INVALID_ARG:
            raise
        return str(pool.XMLDesc())


def _documents(domain: libvirt.virDomain) -> list[str]:
    """Return a domain's definition and what runs; nothing for one that went away."""
    try:
        with translated(f"domain {domain.name()!r}"):
            return [domain.XMLDesc(0), domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)]
    except NotFound:
        return []


def _sources(xml: str) -> list[etree._Element]:
    return etree.fromstring(xml.encode()).findall("devices/disk//source")


def _written(xml: str) -> list[etree._Element]:
    """Return the sources that a domain writes to."""
    disks = etree.fromstring(xml.encode()).findall("devices/disk")
    return [
        found for disk in disks if disk.find("readonly") is None for found in disk.findall("source")
    ]


def _is(source: etree._Element, pool: str, name: str, path: str) -> bool:
    """Whether a disk's source is a volume."""
    return (source.get("pool"), source.get("volume")) == (pool, name) or _place(source) == path


def _place(source: etree._Element) -> str:
    return source.get("file") or source.get("dev") or ""
