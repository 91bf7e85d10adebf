# SPDX-License-Identifier: Apache-2.0
"""The steps of making, filling, growing and deleting volumes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import ClassVar

from pydantic import SecretStr

from hostler.errors import NotFound
from hostler.models.size import format_size
from hostler.plan.step import Report, Step, World
from hostler.vms.seed import seed_image
from hostler.vms.steps import libvirt_of, virsh


class VolumeStep(Step):
    """A step on one volume; ``makes`` says whether it was not there before."""

    kind: ClassVar[str]
    makes: ClassVar[bool] = False
    uri: str
    pool: str
    name: str

    @property
    def where(self) -> str:
        """Name the volume."""
        return f"volume {self.name} in pool {self.pool}"

    def is_done(self, world: World) -> bool:
        """Whether the volume is there."""
        return libvirt_of(world, self.uri).volumes.find(self.pool, self.name) is not None

    def undo(self, world: World) -> None:
        """Delete the volume: it was not there before."""
        libvirt_of(world, self.uri).volumes.delete(self.pool, self.name)


class CreateVolume(VolumeStep):
    """Make an empty volume or, with ``backing_path``, a linked clone."""

    kind = "volume.create"
    makes = True
    capacity: int
    format: str
    backing_path: str | None = None
    backing_format: str | None = None

    @property
    def summary(self) -> str:
        """Say what the step does."""
        linked = " as a linked clone" if self.backing_path else ""
        return f"create {self.where} ({format_size(self.capacity)}, {self.format}){linked}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        words = ["vol-create-as", self.pool, self.name, f"{self.capacity}b", "--format"]
        backing = ["--backing-vol", self.backing_path] if self.backing_path else []
        return virsh(self.uri, *words, self.format, *backing)

    def apply(self, world: World, report: Report) -> None:
        """Make it."""
        backing = (self.backing_path, self.backing_format or "qcow2") if self.backing_path else None
        libvirt_of(world, self.uri).volumes.create(
            self.pool, self.name, capacity=self.capacity, format=self.format, backing=backing
        )


class CloneVolume(VolumeStep):
    """Make a volume with the content of another one."""

    kind = "volume.clone"
    makes = True
    starts_over = True  # half a copy looks like a whole one
    from_pool: str
    from_volume: str
    format: str

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"copy volume {self.from_volume} to {self.where}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return virsh(self.uri, "vol-clone", "--pool", self.from_pool, self.from_volume, self.name)

    def apply(self, world: World, report: Report) -> None:
        """Copy it."""
        libvirt_of(world, self.uri).volumes.clone(
            self.pool, self.name, (self.from_pool, self.from_volume), format=self.format
        )


class UploadImage(VolumeStep):
    """Fill a volume with an image file of this machine."""

    kind = "volume.upload"
    image: str
    size: int

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"upload {Path(self.image).name} to {self.where}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return virsh(self.uri, "vol-upload", "--pool", self.pool, self.name, self.image)

    def apply(self, world: World, report: Report) -> None:
        """Upload it, whole."""
        volumes = libvirt_of(world, self.uri).volumes
        try:
            with Path(self.image).open("rb") as stream:
                volumes.upload(self.pool, self.name, stream, self.size, report)
        except OSError as error:
            raise NotFound(
                f"it can't be read: {error.strerror}", on=f"image {self.image}"
            ) from None

    def is_done(self, world: World) -> bool:
        """Say no: half an upload looks like a whole one, so it is done again."""
        return False

    def undo(self, world: World) -> None:
        """Leave it to the step that made the volume."""


class WriteSeed(VolumeStep):
    """Fill the volume of a cloud-init seed, which the step before has made."""

    kind = "volume.seed"
    meta_data: str
    user_data: SecretStr
    network_config: SecretStr | None = None

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"write the cloud-init seed to {self.where}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return virsh(self.uri, "vol-upload", "--pool", self.pool, self.name, "seed.iso")

    def apply(self, world: World, report: Report) -> None:
        """Make the image and upload it."""
        network = self.network_config.get_secret_value() if self.network_config else None
        image = seed_image(self.meta_data, self.user_data.get_secret_value(), network)
        volumes = libvirt_of(world, self.uri).volumes
        volumes.upload(self.pool, self.name, io.BytesIO(image), len(image), report)

    def is_done(self, world: World) -> bool:
        """Say no: half an upload looks like a whole one, so it is done again."""
        return False

    def undo(self, world: World) -> None:
        """Leave it to the step that made the volume."""


class ResizeVolume(VolumeStep):
    """Grow a volume that no running domain uses."""

    kind = "volume.resize"
    irreversible = "a disk can't be shrunk without losing data"
    capacity: int

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"grow {self.where} to {format_size(self.capacity)}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return virsh(self.uri, "vol-resize", "--pool", self.pool, self.name, f"{self.capacity}b")

    def apply(self, world: World, report: Report) -> None:
        """Grow it."""
        libvirt_of(world, self.uri).volumes.resize(self.pool, self.name, self.capacity)

    def is_done(self, world: World) -> bool:
        """Whether it has the size."""
        found = libvirt_of(world, self.uri).volumes.find(self.pool, self.name)
        return found is not None and found.capacity >= self.capacity


class GrowNewVolume(ResizeVolume):
    """Grow a volume that the same plan has made: taking that back takes this back too."""

    kind = "volume.grow_new"
    irreversible = ""

    def undo(self, world: World) -> None:
        """Leave it to the step that made the volume."""


class DeleteVolume(VolumeStep):
    """Delete a volume."""

    kind = "volume.delete"
    irreversible = "its data is gone"

    @property
    def summary(self) -> str:
        """Say what the step does."""
        return f"delete {self.where}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return virsh(self.uri, "vol-delete", "--pool", self.pool, self.name)

    def apply(self, world: World, report: Report) -> None:
        """Delete it; one that is gone is fine."""
        libvirt_of(world, self.uri).volumes.delete(self.pool, self.name)

    def is_done(self, world: World) -> bool:
        """Whether it is gone."""
        return not super().is_done(world)


class ResizeBlock(Step):
    """Grow a disk of a running domain; the guest sees it at once."""

    kind = "domain.block_resize"
    irreversible = "a disk can't be shrunk without losing data"
    uri: str
    name: str
    target: str
    capacity: int

    @property
    def summary(self) -> str:
        """Say what the step does."""
        size = format_size(self.capacity)
        return f"grow disk {self.target} of running domain {self.name} to {size}"

    @property
    def command(self) -> str:
        """Return the shell command."""
        return virsh(self.uri, "blockresize", self.name, self.target, f"{self.capacity}B")

    def apply(self, world: World, report: Report) -> None:
        """Grow it."""
        domains = libvirt_of(world, self.uri).domains
        domains.block_resize(self.name, self.target, self.capacity)

    def is_done(self, world: World) -> bool:
        """Whether the domain sees the size."""
        domains = libvirt_of(world, self.uri).domains
        return domains.block_capacity(self.name, self.target) >= self.capacity
