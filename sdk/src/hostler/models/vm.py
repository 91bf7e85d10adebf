# SPDX-License-Identifier: Apache-2.0
"""VmSpec: a VM as it is wanted. What is left out is left alone (or takes a default at create)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from hostler.models.cloud_init import CloudInit
from hostler.models.devices import (
    Cdrom,
    Disk,
    Firmware,
    Graphics,
    HostDevice,
    Nic,
    SerialConsole,
    Tpm,
    Video,
    Watchdog,
)
from hostler.models.names import check_name, check_text
from hostler.models.size import Size

Name = Annotated[str, AfterValidator(check_name)]
Text = Annotated[str, AfterValidator(check_text)]


class Part(BaseModel):
    """Base of the parts of a spec: no unknown keys, nothing changes after it was checked."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Cpu(Part):
    """The virtual CPU's model and topology; sockets * dies * cores * threads = maximum CPUs."""

    mode: Literal["host-passthrough", "host-model", "maximum", "custom"] | None = None
    model: Text | None = None
    sockets: int | None = Field(None, ge=1)
    dies: int | None = Field(None, ge=1)
    cores: int | None = Field(None, ge=1)
    threads: int | None = Field(None, ge=1)
    disable: tuple[Text, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _named(cls, data: Any) -> Any:
        named = isinstance(data, dict) and data.get("model") and not data.get("mode")
        return {**data, "mode": "custom"} if named else data

    @model_validator(mode="after")
    def _fits(self) -> Cpu:
        if self.model and self.mode != "custom":
            raise ValueError("a CPU model goes with mode 'custom' only")
        if self.mode == "custom" and not self.model:
            raise ValueError("mode 'custom' needs a model, for example Skylake-Server")
        return self


class KernelBoot(Part):
    """Direct kernel boot; the files are on the hypervisor."""

    kernel: Text
    initrd: Text | None = None
    cmdline: Text | None = None


class Template(Part):
    """What a new VM is cloned from: another VM (all its disks) or one volume."""

    vm: Name | None = None
    pool: Name = "default"
    volume: Name | None = None
    linked: bool = False

    @model_validator(mode="after")
    def _one(self) -> Template:
        if bool(self.vm) == bool(self.volume):
            raise ValueError("name either a 'vm' or a 'volume' to clone")
        return self


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, dict | BaseModel) else value


def _true_is_default(value: Any) -> Any:
    return {} if value is True else value


class VmSpec(Part):
    """A VM as it is wanted.

    Sizes are text with a unit (``4GiB``). The specifications' numbers (``cpu_cores``,
    ``memory_mb``, ``memory_gb``, ``disk_gb``, ``storage_gb``) are accepted as other spellings.
    """

    name: Name
    new_name: Name | None = None
    title: Text | None = None
    description: Text | None = None
    cpus: int | None = Field(None, ge=1, le=4096)
    cpus_max: int | None = Field(None, ge=1, le=4096)
    cpu: Cpu | None = None
    memory: Size | None = None
    memory_max: Size | None = None
    disks: tuple[Disk, ...] = ()
    cdroms: tuple[Cdrom, ...] = ()
    networks: tuple[Nic, ...] | None = None
    os_type: Text | None = None
    os_version: Text | None = None
    firmware: Firmware | None = None
    tpm: Annotated[Tpm | Literal[False] | None, BeforeValidator(_true_is_default)] = None
    graphics: Annotated[tuple[Graphics, ...] | None, BeforeValidator(_one_or_many)] = None
    video: Video | None = None
    console: Annotated[SerialConsole | None, BeforeValidator(_true_is_default)] = None
    agent: bool | None = None
    rng: bool | None = None
    watchdog: Annotated[Watchdog | Literal[False] | None, BeforeValidator(_true_is_default)] = None
    host_devices: tuple[HostDevice, ...] = ()
    cloud_init: CloudInit | None = None
    kernel_boot: KernelBoot | None = None
    from_template: Template | None = None
    autostart: bool | None = None
    machine: Text | None = None
    arch: Text | None = None
    virt_type: Literal["auto", "kvm", "qemu", "test", "xen", "lxc"] | None = None
    labels: dict[Text, Text | None] | None = None
    metadata: dict[Text, Text | None] | None = None
    xml: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _spellings(cls, data: Any) -> Any:
        return _other_spellings(dict(data)) if isinstance(data, dict) else data

    @model_validator(mode="after")
    def _fits(self) -> VmSpec:
        if self.cpus and self.cpus_max and self.cpus > self.cpus_max:
            raise ValueError(f"cpus ({self.cpus}) is above cpus_max ({self.cpus_max})")
        if self.memory and self.memory_max and self.memory > self.memory_max:
            raise ValueError("memory is above memory_max")
        targets = [d.target for d in self.disks] + [c.target for c in self.cdroms]
        _no_twins("disk target", targets)
        _no_twins("disk volume", [f"{d.pool}/{d.volume}" for d in self.disks if d.volume])
        _no_twins("MAC address", [n.mac for n in self.networks or ()])
        _no_twins("host device", [d.address for d in self.host_devices])
        if self.xml is not None and self._modelled():
            fields = ", ".join(self._modelled())
            raise ValueError(f"'xml' is the whole domain: leave out {fields}")
        return self

    def _modelled(self) -> list[str]:
        beside = {"name", "new_name", "xml", "autostart"}
        return sorted(
            f for f in self.model_fields_set - beside if getattr(self, f) not in (None, ())
        )


def _no_twins(what: str, values: list[str | None]) -> None:
    seen: set[str] = set()
    for value in values:
        if value is not None and value in seen:
            raise ValueError(f"{what} {value!r} is given twice")
        if value is not None:
            seen.add(value)


_NUMBERS = {
    "cpu_cores": ("cpus", "{}"),
    "memory_mb": ("memory", "{}MiB"),
    "memory_gb": ("memory", "{}GiB"),
}
_DISK_SIZES = ("disk_gb", "storage_gb")


def merged(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Lay a VM's own fields over defaults; a field wins in whatever spelling it is given."""
    base = dict(defaults)
    for field in {ours for ours, _ in _NUMBERS.values()}:
        names = {field, *(theirs for theirs, (ours, _) in _NUMBERS.items() if ours == field)}
        if names & set(own):
            base = {name: value for name, value in base.items() if name not in names}
    if any(name in own for name in (*_DISK_SIZES, "disks")):
        for name in _DISK_SIZES:
            base.pop(name, None)
        first, *others = base.get("disks") or [{}]
        base["disks"] = [{k: v for k, v in dict(first).items() if k != "size"}, *others]
    return {**base, **own}


def _other_spellings(data: dict[str, Any]) -> dict[str, Any]:
    """Map the specifications' names for sizes to ours; two spellings of one thing are refused."""
    for theirs, (ours, form) in _NUMBERS.items():
        value = data.pop(theirs, None)
        if value is None:
            continue
        if data.get(ours) is not None:
            raise ValueError(f"'{theirs}' and '{ours}' say the same thing; give one")
        data[ours] = value if ours == "cpus" else form.format(value)
    for theirs in _DISK_SIZES:
        value = data.pop(theirs, None)
        if value is None:
            continue
        disks = [dict(d) for d in data.get("disks") or [{}]]
        if disks[0].get("size") is not None:
            raise ValueError(f"'{theirs}' and the first disk's 'size' say the same thing; give one")
        disks[0]["size"] = f"{value}GiB"
        data["disks"] = disks
    return data
