# SPDX-License-Identifier: Apache-2.0
"""Host: a libvirt hypervisor of the pool, as it is wanted and as it is registered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError

from hostler.errors import Conflict, InvalidInput
from hostler.models.placement import AUTO
from hostler.models.problems import sentence
from hostler.models.result import Result
from hostler.models.size import Size, format_size
from hostler.models.vm import Part, Text
from hostler.models.vm_view import View

DRIVERS = (
    "qemu", "xen", "esx", "vpx", "gsx", "hyperv", "lxc", "test", "bhyve", "ch", "openvz", "vbox",
    "vmwareplayer", "vmwarews", "vmwarefusion", "vz",
)  # fmt: skip
"""What libvirt connects to. Source: https://libvirt.org/drivers.html"""
TRANSPORTS = ("ssh", "tls", "tcp", "unix", "libssh", "libssh2", "ext")
"""How. Source: https://libvirt.org/uri.html#transport-configuration"""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_URI = re.compile(r"(?P<driver>[a-z]+)(?:\+(?P<transport>[a-z0-9]+))?://.*", re.DOTALL)


def check_id(value: str) -> str:
    """Refuse ids that could not be told apart or written down.

    Raises:
        ValueError: says what an id is made of.
    """
    if value == AUTO or not _ID.fullmatch(value):
        raise ValueError(
            f"{value[:70]!r} can't be a host's id: up to 63 letters, digits, '.', '_' and '-',"
            f" a letter or digit first, and not {AUTO!r}"
        )
    return value


def check_uri(value: str) -> str:
    """Refuse URIs of a kind that libvirt does not know.

    Raises:
        ValueError: names the part that is unknown.
    """
    match = _URI.fullmatch(value)
    if not match:
        raise ValueError(f"{value!r} is not a libvirt URI such as qemu+ssh://root@host/system")
    driver, transport = match["driver"], match["transport"]
    if driver not in DRIVERS:
        raise ValueError(f"libvirt knows no {driver!r}; one of {', '.join(DRIVERS)}")
    if transport is not None and transport not in TRANSPORTS:
        raise ValueError(f"libvirt knows no way {transport!r}; one of {', '.join(TRANSPORTS)}")
    return value


HostId = Annotated[str, AfterValidator(check_id)]
Uri = Annotated[Text, AfterValidator(check_uri)]


class HostSettings(Part):
    """A hypervisor, and what may be placed on it; an entry of fleet.yml's ``hosts``.

    Attributes:
        uri: libvirt's URI.
        labels: what placement can ask for.
        cpu_overcommit: virtual CPUs for each of the host's.
        memory_overcommit: VMs' memory for each byte of the host's.
        cpu_limit: most virtual CPUs that its VMs may have together; None: as overcommitted.
        memory_limit: most memory that its VMs may have together; None: as overcommitted.
        enabled: whether new VMs are placed on it.
    """

    uri: Uri
    labels: dict[Text, Text] = Field(default_factory=dict)
    cpu_overcommit: float = Field(4.0, gt=0, le=64)
    memory_overcommit: float = Field(1.0, gt=0, le=16)
    cpu_limit: int | None = Field(None, ge=1)
    memory_limit: Size | None = None
    enabled: bool = True

    def dump(self) -> dict[str, Any]:
        """Return it as it may be written, sizes with their unit; limits that there are."""
        limit = format_size(self.memory_limit)
        data = {**self.model_dump(mode="json"), "memory_limit": limit}
        return {key: value for key, value in data.items() if value is not None}


class HostTask(Part):
    """A host of the pool as it is wanted; what is left out stays as it is.

    Attributes:
        id: its name in the pool.
        state: ``absent`` takes it out of the pool, and leaves its VMs alone.
        labels: keys that are not named stay; None removes one.
        force: with ``absent``, although it has VMs of ours, or can't be asked about them.
    """

    id: HostId
    state: Literal["present", "absent"] = "present"
    uri: Uri | None = None
    labels: dict[Text, Text | None] | None = None
    cpu_overcommit: float | None = Field(None, gt=0, le=64)
    memory_overcommit: float | None = Field(None, gt=0, le=16)
    cpu_limit: int | None = Field(None, ge=1)
    memory_limit: Size | None = None
    enabled: bool | None = None
    force: bool = False

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> HostTask:
        """Check a mapping; keys that are None count as left out.

        Raises:
            InvalidInput: names the field and what is wrong with it.
        """
        given = {key: value for key, value in data.items() if value is not None}
        name = str(given.get("id", ""))[:70]
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            on = f"host {name!r}" if name else "host"
            raise InvalidInput(sentence(error), on=on) from None


class Host(View):
    """A registered host.

    Attributes:
        uuid: of the machine; None where its driver has none, or it was never reached.
        maintenance: it is being emptied, or was; nothing is placed on it.
        source: ``store``, or ``fleet.yml``: such a one is changed there.
    """

    id: str
    settings: HostSettings
    uuid: str | None = None
    maintenance: bool = False
    source: Literal["store", "fleet.yml"] = "store"
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def uri(self) -> str:
        """Its libvirt URI."""
        return self.settings.uri

    def is_at(self, uri: str, uuid: str | None) -> bool:
        """Whether a URI leads here; a machine's drivers (qemu, lxc) share its UUID."""
        same_driver = _driver(uri) == _driver(self.uri)
        return uri == self.uri or (same_driver and uuid is not None and uuid == self.uuid)

    def twin_of(self, host_id: str, uuid: str | None) -> Conflict:
        """Return the error of a host that is this one, under another id."""
        machine = f" (UUID {uuid})" if uuid else ""
        hint = f"Use {self.id!r}, or remove it first."
        if uuid:
            hint += " If they are two machines: give each a host_uuid of its own in libvirtd.conf."
        what = f"it is in the pool already, as {self.id!r}{machine}"
        return Conflict(what, on=f"host {host_id!r}", hint=hint)


def _driver(uri: str) -> str:
    return uri.partition(":")[0].partition("+")[0]


class HostResult(Result):
    """What became of a host; ``host`` is as it is now, None where it is not registered."""

    host: Host | None = None
