# SPDX-License-Identifier: Apache-2.0
"""The devices of a VmSpec. Names and values are libvirt's own (https://libvirt.org/formatdomain)."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from hostler.models.names import check_name, check_text
from hostler.models.size import Size

Name = Annotated[str, AfterValidator(check_name)]
Text = Annotated[str, AfterValidator(check_text)]
State = Literal["present", "absent"]
Target = Annotated[str, Field(pattern=r"^(vd|sd|hd|fd)[a-z]{1,2}$")]

_MAC = re.compile(r"^([0-9a-f]{2}:){5}[0-9a-f]{2}$")
_PCI = re.compile(r"^(?:([0-9a-f]{4}):)?([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])$")


class Device(BaseModel):
    """Base of all devices: no unknown keys, nothing changes after it was checked."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Backing(Device):
    """A volume that a disk is a linked clone of; it must stay for as long as the disk lives."""

    pool: Name | None = None
    volume: Name


def _backing(value: Any) -> Any:
    return {"volume": value} if isinstance(value, str) else value


class Disk(Device):
    """A disk: a volume in a pool (made when it is not there), or a path on the hypervisor.

    ``image`` is a file on the machine that runs Hostler, uploaded once as the volume's content;
    ``backing`` makes a linked clone of a volume; ``clone`` a full copy of one.
    """

    target: Target | None = None
    pool: Name | None = None
    volume: Name | None = None
    path: Text | None = None
    size: Size | None = None
    image: Text | None = None
    image_checksum: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")] | None = None
    backing: Annotated[Backing | None, BeforeValidator(_backing)] = None
    clone: Annotated[Backing | None, BeforeValidator(_backing)] = None
    format: Literal["qcow2", "raw"] | None = None
    bus: Literal["virtio", "scsi", "sata", "ide", "usb"] | None = None
    cache: (
        Literal["default", "none", "writethrough", "writeback", "directsync", "unsafe"] | None
    ) = None
    discard: Literal["unmap", "ignore"] | None = None
    serial: Annotated[str, Field(pattern=r"^[A-Za-z0-9_ .+-]+$")] | None = None
    boot_order: int | None = Field(None, ge=1)
    shared: bool | None = None
    readonly: bool | None = None
    state: State = "present"

    @model_validator(mode="after")
    def _fits(self) -> Disk:
        sources = [n for n in ("image", "backing", "clone") if getattr(self, n)]
        if len(sources) > 1:
            raise ValueError(f"a disk has one source, not {' and '.join(sources)}")
        if self.path and (self.pool or self.volume or sources):
            raise ValueError("a disk is either a 'path' or a volume of a pool, not both")
        if self.path and not self.path.startswith("/"):
            raise ValueError(f"path {self.path!r} is not absolute")
        if self.backing and self.format == "raw":
            raise ValueError("a linked clone can't be raw; leave 'format' out")
        if self.state == "absent" and not (self.target or self.volume or self.path):
            raise ValueError("a disk to remove is named by its target, volume or path")
        return self


class Cdrom(Device):
    """A CD-ROM drive: ``image`` (a path on the hypervisor), ``pool``/``volume``, or empty."""

    target: Target | None = None
    image: Text | None = None
    pool: Name | None = None
    volume: Name | None = None
    eject: bool = False
    bus: Literal["sata", "scsi", "ide", "usb"] | None = None
    boot_order: int | None = Field(None, ge=1)
    state: State = "present"

    @model_validator(mode="after")
    def _fits(self) -> Cdrom:
        if self.eject and (self.image or self.volume):
            raise ValueError("'eject' leaves the drive empty; leave 'image' and 'volume' out")
        if self.image and self.volume:
            raise ValueError("a CD-ROM has an 'image' path or a 'volume', not both")
        if self.image and not self.image.startswith("/"):
            raise ValueError(f"image {self.image!r} is not an absolute path on the hypervisor")
        return self


def _mac(value: str) -> str:
    mac = value.strip().lower().replace("-", ":")
    if not _MAC.match(mac):
        raise ValueError(f"{value!r} is not a MAC address such as 52:54:00:12:34:56")
    if int(mac[:2], 16) & 1:
        raise ValueError(f"{value!r} is a multicast address; a card can't have it")
    return mac


Mac = Annotated[str, AfterValidator(_mac)]
"""A MAC address of one card, in lower case with colons."""


def _vlans(value: Any) -> Any:
    return (value,) if isinstance(value, int | str) else value


class Nic(Device):
    """A network card on a libvirt network, a bridge, a host card (direct) or an OVS bridge."""

    type: Literal["network", "bridge", "direct", "ovs"] | None = None
    network: Name | None = None
    bridge: Text | None = None
    dev: Text | None = None
    mode: Literal["vepa", "bridge", "private", "passthrough"] | None = None
    portgroup: Text | None = None
    vlan: Annotated[
        tuple[Annotated[int, Field(ge=1, le=4094)], ...] | None, BeforeValidator(_vlans)
    ] = None
    model: Text | None = None
    mac: Mac | None = None
    link: Literal["up", "down"] | None = None
    mtu: int | None = Field(None, ge=68, le=65535)
    boot_order: int | None = Field(None, ge=1)
    address: Text | None = None
    gateway: Text | None = None
    nameservers: tuple[Text, ...] = ()
    state: State = "present"

    @field_validator("address")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and "/" not in value:
            raise ValueError(f"address {value!r} has no prefix length; write {value}/24")
        return str(ipaddress.ip_interface(value)) if value else None

    @field_validator("gateway")
    @classmethod
    def _gateway(cls, value: str | None) -> str | None:
        return str(ipaddress.ip_address(value)) if value else None

    @model_validator(mode="before")
    @classmethod
    def _infer(cls, data: Any) -> Any:
        if not isinstance(data, dict) or data.get("type"):
            return data
        kind = "direct" if data.get("dev") else "bridge" if data.get("bridge") else "network"
        return {**data, "type": kind} if data.get("state") != "absent" else data

    @model_validator(mode="after")
    def _fits(self) -> Nic:
        needs = {"bridge": "bridge", "ovs": "bridge", "direct": "dev"}.get(self.type or "")
        if needs and not getattr(self, needs):
            raise ValueError(f"a card of type '{self.type}' needs '{needs}'")
        if self.state == "absent" and not self.mac:
            raise ValueError("a card to remove is named by its 'mac'")
        return self

    @property
    def network_name(self) -> str:
        """The libvirt network; ``default`` where none was named."""
        return self.network or "default"


class Firmware(Device):
    """Firmware; a UEFI guest's variables (NVRAM) are kept by libvirt and removed with the VM."""

    type: Literal["bios", "uefi"] = "bios"
    secure_boot: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _word(cls, data: Any) -> Any:
        return {"type": data} if isinstance(data, str) else data

    @model_validator(mode="after")
    def _fits(self) -> Firmware:
        if self.secure_boot and self.type != "uefi":
            raise ValueError("secure boot needs firmware uefi")
        return self


class Tpm(Device):
    """An emulated TPM (swtpm on the hypervisor)."""

    model: Literal["tpm-crb", "tpm-tis"] = "tpm-crb"
    version: Literal["1.2", "2.0"] = "2.0"


class Graphics(Device):
    """A VNC or SPICE server. The password is a secret and changes live."""

    type: Literal["vnc", "spice", "none"] = "vnc"
    listen: Text | None = None
    port: int | None = Field(None, ge=-1, le=65535)
    password: SecretStr | None = None

    @model_validator(mode="after")
    def _fits(self) -> Graphics:
        if self.password and self.type == "vnc" and len(self.password.get_secret_value()) > 8:
            raise ValueError("a VNC password has 8 characters at most (RFC 6143, 7.2.2)")
        return self


class Video(Device):
    """The video card."""

    model: Literal["virtio", "qxl", "vga", "cirrus", "bochs", "ramfb", "none"]

    @model_validator(mode="before")
    @classmethod
    def _word(cls, data: Any) -> Any:
        return {"model": data} if isinstance(data, str) else data


class SerialConsole(Device):
    """The serial console; ``log`` is a file on the hypervisor that keeps what was printed."""

    log: Text | None = None
    enabled: bool = True


class Watchdog(Device):
    """A watchdog card and what happens when the guest stops feeding it."""

    model: Literal["i6300esb", "ib700", "itco", "diag288"] = "i6300esb"
    action: Literal["reset", "shutdown", "poweroff", "pause", "none", "dump", "inject-nmi"] = (
        "reset"
    )


class HostDevice(Device):
    """A PCI device of the hypervisor (a GPU), by its address ``0000:3b:00.0``."""

    address: str
    managed: bool = True
    state: State = "present"

    @field_validator("address")
    @classmethod
    def _address(cls, value: str) -> str:
        match = _PCI.match(value.strip().lower())
        if not match:
            raise ValueError(f"{value!r} is not a PCI address such as 0000:3b:00.0")
        domain, bus, slot, function = match.groups()
        return f"{domain or '0000'}:{bus}:{slot}.{function}"
