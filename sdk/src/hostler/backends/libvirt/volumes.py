# SPDX-License-Identifier: Apache-2.0
"""Pools and volumes: what is there, and every change of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import libvirt
from lxml import etree

from hostler.backends.libvirt.faults import translated
from hostler.errors import BackendError, NotFound

if TYPE_CHECKING:
    from hostler.backends.libvirt.hypervisor import Hypervisor

CHUNK = 256 * 1024
WINDOW = 16 * 1024 * 1024
"""Bytes that are asked for at once: libvirt keeps all that comes in before it is read."""


class Readable(Protocol):
    """Something that is read from start to end: a file, a stream."""

    def read(self, count: int, /) -> bytes:
        """Return the next bytes, nothing at the end."""


@dataclass(frozen=True)
class PoolState:
    """A storage pool; ``path`` is where its volumes are (None for pools without paths)."""

    name: str
    active: bool
    type: str
    path: str | None
    available: int


@dataclass(frozen=True)
class VolumeState:
    """A volume; sizes in bytes."""

    pool: str
    name: str
    path: str
    capacity: int
    allocation: int
    format: str | None
    backing: str | None
    backing_format: str | None = None


class Volumes:
    """The pools and volumes of one hypervisor."""

    def __init__(self, hypervisor: Hypervisor) -> None:
        self._hypervisor = hypervisor

    def _on(self, pool: str, name: str) -> str:
        return f"volume {name!r} in pool {pool!r} on {self._hypervisor.uri}"

    def pool(self, name: str) -> PoolState | None:
        """Read a pool; None where there is none of that name."""
        try:
            with translated(f"pool {name!r} on {self._hypervisor.uri}"):
                pool = self._hypervisor.read().storagePoolLookupByName(name)
                tree = etree.fromstring(pool.XMLDesc().encode())
                return PoolState(
                    name=name,
                    active=bool(pool.isActive()),
                    type=str(tree.get("type")),
                    path=tree.findtext("target/path"),
                    available=int(pool.info()[3]),
                )
        except NotFound:
            return None

    def names(self, pool: str) -> frozenset[str]:
        """Return the names of a pool's volumes: one call, however many there are."""
        with translated(f"pool {pool!r} on {self._hypervisor.uri}"):
            found = self._hypervisor.read().storagePoolLookupByName(pool)
            return frozenset(found.listVolumes()) if found.isActive() else frozenset()

    def all(self, pool: str, wanted: Callable[[str], bool] | None = None) -> list[VolumeState]:
        """Read a pool's volumes, by name; one that goes away meanwhile is left out.

        Args:
            pool: the pool.
            wanted: says which names to read; all where left out. Names cost nothing.
        """
        with translated(f"pool {pool!r} on {self._hypervisor.uri}"):
            there = self._hypervisor.read().storagePoolLookupByName(pool).listAllVolumes()
        asked = [volume for volume in there if wanted is None or wanted(volume.name())]
        found = self._hypervisor.pipeline(lambda volume: _if_there(volume, pool), asked)
        return sorted((one for one in found if one), key=lambda one: one.name)

    def find(self, pool: str, name: str) -> VolumeState | None:
        """Read a volume; None where there is none of that name (or no such pool)."""
        try:
            with translated(self._on(pool, name)):
                return _state(self._lookup(self._hypervisor.read(), pool, name), pool)
        except NotFound:
            return None

    def find_path(self, path: str) -> VolumeState | None:
        """Read the volume at a path; None where the path is in no pool."""
        try:
            with translated(f"volume at {path} on {self._hypervisor.uri}"):
                volume = self._hypervisor.read().storageVolLookupByPath(path)
                return _state(volume, volume.storagePoolLookupByVolume().name())
        except NotFound:
            return None

    def _lookup(
        self, connection: libvirt.virConnect, pool: str, name: str
    ) -> libvirt.virStorageVol:
        return connection.storagePoolLookupByName(pool).storageVolLookupByName(name)

    def create(
        self,
        pool: str,
        name: str,
        *,
        capacity: int,
        format: str,
        backing: tuple[str, str] | None = None,
    ) -> None:
        """Make an empty volume; ``backing`` is the path and format of what it is a clone of."""
        with translated(self._on(pool, name)):
            target = self._hypervisor.write().storagePoolLookupByName(pool)
            target.createXML(_volume_xml(name, capacity, format, backing))

    def clone(self, pool: str, name: str, source: tuple[str, str], *, format: str) -> None:
        """Make a volume with the content of another one (``source``: pool and volume)."""
        with translated(self._on(pool, name)):
            connection = self._hypervisor.write()
            original = self._lookup(connection, *source)
            xml = _volume_xml(name, original.info()[1], format, None)
            connection.storagePoolLookupByName(pool).createXMLFrom(xml, original, 0)

    def upload(
        self, pool: str, name: str, content: Readable, size: int, report: Callable[[float], None]
    ) -> None:
        """Fill a volume with a file's bytes; libvirt then reads its size and format anew.

        Raises:
            BackendError: it was not written whole. libvirt often says nothing of a small upload
                that found the pool full, so the end of what was sent is read back.
        """
        with translated(self._on(pool, name)):
            connection = self._hypervisor.write()
            volume = self._lookup(connection, pool, name)
            stream = connection.newStream(0)
            volume.upload(stream, 0, size, 0)
            try:
                last = _send(stream, content, size, report)
                stream.finish()
            except BaseException:
                with suppress(libvirt.libvirtError):  # the connection may be gone
                    stream.abort()
                raise
            if _download(connection, volume, last[0], len(last[1])) != last[1]:
                raise BackendError(
                    "it was not written whole", on=self._on(pool, name), hint="Is the pool full?"
                )

    def physical(self, pool: str, name: str) -> int:
        """Return how many bytes the content of a volume has, as it is downloaded."""
        with translated(self._on(pool, name)):
            volume = self._lookup(self._hypervisor.read(), pool, name)
            return int(volume.infoFlags(libvirt.VIR_STORAGE_VOL_GET_PHYSICAL)[2])

    def content(self, pool: str, name: str) -> Iterator[bytes]:
        """Read the content of a volume, a part at a time."""
        with translated(self._on(pool, name)):
            connection = self._hypervisor.write()  # libvirt lets nobody else read it
            volume = self._lookup(connection, pool, name)
            size = int(volume.infoFlags(libvirt.VIR_STORAGE_VOL_GET_PHYSICAL)[2])
            for offset in range(0, size, WINDOW):
                yield from _parts(connection, volume, offset, min(WINDOW, size - offset))

    def resize(self, pool: str, name: str, capacity: int) -> None:
        """Grow a volume that no running domain uses."""
        with translated(self._on(pool, name)):
            self._lookup(self._hypervisor.write(), pool, name).resize(capacity)

    def delete(self, pool: str, name: str) -> None:
        """Delete a volume; one that is gone is fine."""
        try:
            with translated(self._on(pool, name)):
                self._lookup(self._hypervisor.write(), pool, name).delete(0)
        except NotFound:
            return


def _parts(
    connection: libvirt.virConnect, volume: libvirt.virStorageVol, offset: int, size: int
) -> Iterator[bytes]:
    """Read a part of a volume."""
    stream = connection.newStream(0)
    volume.download(stream, offset, size, 0)
    try:
        while part := stream.recv(CHUNK):
            yield part
        stream.finish()
    except BaseException:
        with suppress(libvirt.libvirtError):  # the connection may be gone
            stream.abort()
        raise


def _download(
    connection: libvirt.virConnect, volume: libvirt.virStorageVol, offset: int, size: int
) -> bytes:
    """Return a part of a volume; nothing for no bytes."""
    return b"".join(_parts(connection, volume, offset, size)) if size else b""


def _send(
    stream: libvirt.virStream, content: Readable, size: int, report: Callable[[float], None]
) -> tuple[int, bytes]:
    """Send a content; return where the last part is that is not all zeros, and that part."""
    sent, last = 0, (0, b"")
    while chunk := content.read(CHUNK):
        _send_all(stream, chunk)
        last = (sent, chunk) if chunk.strip(b"\0") else last
        sent += len(chunk)
        report(sent / size)
    if sent != size:
        raise BackendError(f"its image has {sent} bytes now, and had {size}", hint="Run it again.")
    return last


def _send_all(stream: libvirt.virStream, data: bytes) -> None:
    while data:
        sent = stream.send(data)
        if sent < 0:
            raise libvirt.libvirtError("the upload stream broke")
        data = data[sent:]


def _if_there(volume: libvirt.virStorageVol, pool: str) -> VolumeState | None:
    try:
        with translated(f"volume {volume.name()!r} in pool {pool!r}"):
            return _state(volume, pool)
    except NotFound:
        return None


def _state(volume: libvirt.virStorageVol, pool: str) -> VolumeState:
    tree = etree.fromstring(volume.XMLDesc().encode())
    kind = tree.find("target/format")
    backing = tree.find("backingStore/format")
    return VolumeState(
        pool=pool,
        name=volume.name(),
        path=tree.findtext("target/path") or volume.path(),
        capacity=int(tree.findtext("capacity") or 0),
        allocation=int(tree.findtext("allocation") or 0),
        format=kind.get("type") if kind is not None else None,
        backing=tree.findtext("backingStore/path"),
        backing_format=backing.get("type") if backing is not None else None,
    )


def _volume_xml(name: str, capacity: int, format: str, backing: tuple[str, str] | None) -> str:
    volume = etree.Element("volume")
    etree.SubElement(volume, "name").text = name
    etree.SubElement(volume, "capacity", unit="bytes").text = str(capacity)
    etree.SubElement(volume, "allocation", unit="bytes").text = "0"
    target = etree.SubElement(volume, "target")
    etree.SubElement(target, "format", type=format)
    if backing:
        store = etree.SubElement(volume, "backingStore")
        etree.SubElement(store, "path").text = backing[0]
        etree.SubElement(store, "format", type=backing[1])
    return etree.tostring(volume, encoding="unicode")
