# SPDX-License-Identifier: Apache-2.0
"""The steps that carry the content of volumes from and to elsewhere."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from hostler.errors import BackendError
from hostler.plan.step import Report, Step, World
from hostler.storage.whole_file import same_content, write_whole
from hostler.vms.steps import libvirt_of, virsh
from hostler.vms.volume_steps import DeleteVolume, VolumeStep

if TYPE_CHECKING:
    from hostler.backends.libvirt.volumes import Readable


class UploadUrl(VolumeStep):
    """Fill a volume with a file of a web server, as it comes in.

    ``url`` is the address as it may be shown; ``secret`` the whole one, where they differ.
    """

    kind = "volume.upload_url"
    url: str
    secret: SecretStr | None = None
    size: int
    checksum: str | None = None

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"upload {self.url} to {self.where}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        fetch = shlex.join(["curl", "--fail", "--location", self.url])
        words = ["vol-upload", "--pool", self.pool, self.name, "/dev/stdin"]
        return f"{fetch} | {virsh(self.uri, *words)}"

    def apply(self, world: World, report: Report) -> None:
        """Upload it, whole, and check what came."""
        address = self.secret.get_secret_value() if self.secret else self.url
        on, algorithm = f"image {self.url}", (self.checksum or "sha256:").partition(":")[0]
        with world.backend("web", self.url).open(address) as file:
            if file.size != self.size:
                what = f"it has {file.size} bytes now, and had {self.size}"
                raise BackendError(what, on=on, hint="Run it again.")
            content = _Hashed(file, algorithm)
            volumes = libvirt_of(world, self.uri).volumes
            volumes.upload(self.pool, self.name, content, self.size, report)
        if self.checksum not in (None, content.checksum):
            hint = "Ask for the right one, or see who changed the file."
            raise BackendError(f"its checksum is {content.checksum}", on=on, hint=hint)

    def is_done(self, world: World) -> bool:
        """Say no: half an upload looks like a whole one, so it is done again."""
        return False

    def undo(self, world: World) -> None:
        """Leave it to the step that made the volume."""


class DiscardVolume(DeleteVolume):
    """Delete what an interrupted upload or copy has left."""

    kind = "volume.discard"
    irreversible = ""
    kept = "it was not whole"

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"delete the unfinished {self.where}"


class DownloadVolume(Step):
    """Copy a volume's content to a file of this machine."""

    kind = "volume.download"
    uri: str
    pool: str
    name: str
    path: str
    size: int

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"download volume {self.name} in pool {self.pool} to {self.path}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return virsh(self.uri, "vol-download", "--pool", self.pool, self.name, self.path)

    def apply(self, world: World, report: Report) -> None:
        """Download it; the file is there once it is whole."""
        try:
            write_whole(Path(self.path), self._parts(world, report))
        except BackendError as error:
            error.ambiguous = False  # the file is not in its place
            raise

    def _parts(self, world: World, report: Report) -> Iterator[bytes]:
        got = 0
        for part in libvirt_of(world, self.uri).volumes.content(self.pool, self.name):
            yield part
            got += len(part)
            report(min(1.0, got / self.size))
        if got != self.size:
            on = f"volume {self.name!r} in pool {self.pool!r} on {self.uri}"
            what = f"it has {got} bytes now, and had {self.size}"
            raise BackendError(what, on=on, hint="Does somebody write to it? Run it again.")

    def is_done(self, world: World) -> bool:
        """Whether the file has the volume's content."""
        volumes = libvirt_of(world, self.uri).volumes
        return same_content(Path(self.path), volumes.content(self.pool, self.name))

    def undo(self, world: World) -> None:
        """Delete the file: there was none before."""
        Path(self.path).unlink(missing_ok=True)


class ReplaceByDownload(DownloadVolume):
    """Copy a volume's content over a file that is there."""

    kind = "volume.download_over"
    irreversible = "what the file had is gone"


class _Hashed:
    """Content whose checksum is made while it is read."""

    def __init__(self, content: Readable, algorithm: str) -> None:
        self._content = content
        self._hash = hashlib.new(algorithm)

    @property
    def checksum(self) -> str:
        """Return the checksum of what was read."""
        return f"{self._hash.name}:{self._hash.hexdigest()}"

    def read(self, count: int, /) -> bytes:
        """Return the next bytes, nothing at the end."""
        part = self._content.read(count)
        self._hash.update(part)
        return part
