# SPDX-License-Identifier: Apache-2.0
"""Reads log files: of this machine, in storage pools, and inside guests by their agents."""

from __future__ import annotations

import base64
import json
import os
import time
from pathlib import Path, PurePosixPath
from typing import Any

import libvirt
import libvirt_qemu
from lxml import etree

from hostler.backends.libvirt.connection import bounded
from hostler.backends.libvirt.faults import translated
from hostler.backends.libvirt.hypervisor import Hypervisor
from hostler.errors import BackendError, Denied, NotFound, Timeout, Unsupported

MOST = 1 << 20
"""Bytes of a file that are read at once, from its end."""
SECONDS = 60
POLL_SECONDS = 0.1
_MISSING = ("no such file", "not found")


class LocalFile:
    """A file of this machine."""

    def __init__(self, path: str) -> None:
        self.path = path

    def read(self, offset: int | None) -> tuple[bytes, int]:
        """Return what is there from an offset on (None: the last part), and where it ends.

        Raises:
            NotFound: there is no such file.
            Denied: this user may not read it.
        """
        try:
            with Path(self.path).open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(_start(offset, size))
                data = file.read(MOST)
                return data, file.tell()
        except FileNotFoundError as error:
            raise NotFound("there is no such file", on=self.path) from error
        except OSError as error:
            raise Denied(error.strerror or str(error), on=self.path) from error


class PoolFile:
    """A file of a hypervisor that lies in one of its storage pools."""

    def __init__(self, hypervisor: Hypervisor, path: str) -> None:
        self.path = path
        self._hypervisor = hypervisor
        self._on = f"{path} on {hypervisor.uri}"

    def read(self, offset: int | None) -> tuple[bytes, int]:
        """Return what is there from an offset on (None: the last part), and where it ends.

        Raises:
            Unsupported: it lies in no pool, so that it can't be read from here.
            NotFound: there is no such file.
        """
        with translated(self._on):
            return bounded(lambda: self._read(offset), SECONDS, self._on)

    def _read(self, offset: int | None) -> tuple[bytes, int]:
        connection = self._hypervisor.write()
        pool = self._pool(connection)
        pool.refresh(0)  # libvirt looks at files when it is told to
        volume = pool.storageVolLookupByName(PurePosixPath(self.path).name)
        size = int(volume.info()[1])
        start = _start(offset, size)
        if start == size:
            return b"", size
        stream, data = connection.newStream(), bytearray()
        volume.download(stream, start, min(MOST, size - start), 0)
        stream.recvAll(lambda _stream, part, _opaque: data.extend(part), None)
        stream.finish()
        return bytes(data), start + len(data)

    def _pool(self, connection: libvirt.virConnect) -> libvirt.virStoragePool:
        folder = str(PurePosixPath(self.path).parent)
        active = libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE
        for pool in connection.listAllStoragePools(active):
            if etree.fromstring(pool.XMLDesc().encode()).findtext("target/path") == folder:
                return pool
        hint = f"Make a storage pool of {folder}, or read it on the host itself."
        raise Unsupported("it is in no storage pool of its host", on=self._on, hint=hint)


class GuestAgent:
    """A running domain's guest agent.

    Source: https://www.qemu.org/docs/master/interop/qemu-ga-ref.html

    Args:
        hypervisor: where the domain is.
        name: the domain.
        timeout: seconds that it gets to answer.
    """

    def __init__(self, hypervisor: Hypervisor, name: str, *, timeout: int) -> None:
        self._hypervisor, self._name, self._timeout = hypervisor, name, timeout
        self._on = f"guest agent of VM {name!r} on {hypervisor.uri}"

    def ask(self, command: str, **arguments: Any) -> Any:
        """Send a command.

        Raises:
            BackendError: there is no agent, or it refuses.
            Timeout: it does not answer.
        """
        text = json.dumps({"execute": command, "arguments": arguments})
        with translated(self._on):
            domain = self._hypervisor.write().lookupByName(self._name)
            answer = bounded(
                lambda: libvirt_qemu.qemuAgentCommand(domain, text, self._timeout, 0),
                self._timeout + 2,
                self._on,
                hint="Is the guest up, and its agent?",
            )
        return json.loads(answer)["return"]

    def run(self, *words: str) -> tuple[int, bytes, bytes]:
        """Run a command in the guest: its exit code, what it printed, and to where errors go.

        Raises:
            NotFound: there is no such command there.
            Timeout: it has not ended in time.
        """
        path, *rest = words
        try:
            started = self.ask("guest-exec", path=path, arg=rest, **{"capture-output": True})
        except BackendError as error:
            if any(word in error.what.lower() for word in _MISSING):
                raise NotFound(f"there is no {path}", on=self._on) from error
            raise
        until = time.monotonic() + self._timeout
        while not (done := self.ask("guest-exec-status", pid=started["pid"]))["exited"]:
            if time.monotonic() > until:
                what = f"{path} has not ended in {self._timeout} s"
                raise Timeout(what, on=self._on, hint="Ask for fewer lines, or wait longer.")
            time.sleep(POLL_SECONDS)
        out, errors = (base64.b64decode(done.get(key, "")) for key in ("out-data", "err-data"))
        return int(done.get("exitcode", -1)), out, errors


class GuestFile:
    """A file inside a guest."""

    def __init__(self, agent: GuestAgent, path: str) -> None:
        self.path = path
        self._agent = agent

    def read(self, offset: int | None) -> tuple[bytes, int]:
        """Return what is there from an offset on (None: the last part), and where it ends.

        Raises:
            NotFound: there is no such file.
        """
        try:
            handle = self._agent.ask("guest-file-open", path=self.path, mode="r")
        except BackendError as error:
            if any(word in error.what.lower() for word in _MISSING):
                raise NotFound("there is no such file", on=self.path) from error
            raise
        try:
            size = self._seek(handle, 0, "end")
            start = self._seek(handle, _start(offset, size), "set")
            read = self._agent.ask("guest-file-read", handle=handle, count=MOST)
            data = base64.b64decode(read["buf-b64"])
            return data, start + len(data)
        finally:
            self._agent.ask("guest-file-close", handle=handle)

    def _seek(self, handle: int, offset: int, whence: str) -> int:
        done = self._agent.ask("guest-file-seek", handle=handle, offset=offset, whence=whence)
        return int(done["position"])


def _start(offset: int | None, size: int) -> int:
    """Where to read from; a file that has become shorter was begun anew."""
    if offset is None:
        return max(0, size - MOST)
    return offset if offset <= size else 0
