# SPDX-License-Identifier: Apache-2.0
"""What Hyperstack has, as it shows it: its own words and shapes, whatever else it adds.

Every field may be missing: what Hyperstack does not say is None. Statuses are open words.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from hostler.models.hyperstack_rule import Rule

CHANGING = {
    "CREATING": "ACTIVE",
    "BUILD": "ACTIVE",
    "STARTING": "ACTIVE",
    "REBOOTING": "ACTIVE",
    "RESTORING": "ACTIVE",
    "STOPPING": "SHUTOFF",
    "HIBERNATING": "HIBERNATED",
    "DELETING": "DELETED",
}
"""What a VM becomes that is on its way."""

RESTING = ("ACTIVE", "SHUTOFF", "HIBERNATED", "ERROR", "DELETED")
"""Statuses that a VM stays in; every other one, known or not, is on its way to one of them."""


class Seen(BaseModel):
    """A thing as Hyperstack shows it; fields that are not known here are kept."""

    model_config = ConfigDict(extra="allow", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_left_out(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {k: v for k, v in data.items() if v is not None or k not in cls.model_fields}


class Named(Seen):
    """A thing that another one refers to."""

    id: int | None = None
    name: str | None = None


class Environment(Named):
    """An environment: VMs of one region and what they share."""

    id: int
    name: str
    region: str | None = None


class Keypair(Named):
    """An SSH key of an environment."""

    id: int
    name: str
    public_key: str | None = None
    fingerprint: str | None = None
    environment: Named = Named()


class Flavor(Named):
    """A size of VMs; ``ram``, ``disk`` and ``ephemeral`` are in GB."""

    region_name: str | None = None
    cpu: int | None = None
    ram: float | None = None
    disk: float | None = None
    ephemeral: float | None = None
    gpu: str | None = None
    gpu_count: int | None = None
    stock_available: bool | None = None


class FlavorRestrictions(Seen):
    """Which flavors an image may be used with; ``hard``: no others."""

    has_flavor_restrictions: bool = False
    restriction_type: str | None = None
    compatible_flavors: tuple[Any, ...] = ()


class Image(Named):
    """An image of an operating system."""

    id: int
    name: str
    region_name: str | None = None
    type: str | None = None
    version: str | None = None
    size: float | None = None
    display_size: str | None = None
    is_public: bool | None = None
    flavor_restrictions: FlavorRestrictions = FlavorRestrictions()


class SeenRule(Rule):
    """A rule as Hyperstack has it, of a VM or a firewall."""

    id: int
    status: str | None = None


class VolumeAttachment(Seen):
    """A volume on a VM."""

    status: str | None = None
    device: str | None = None
    volume: Named = Named()

    @property
    def bootable(self) -> bool:
        """Whether the VM boots of it."""
        return bool((self.volume.model_extra or {}).get("bootable"))


class HyperstackVm(Named):
    """A VM.

    Attributes:
        status: CREATING, BUILD, ACTIVE, SHUTOFF, HIBERNATED, ERROR ...; an open word.
        floating_ip: its public address; None where it has none, or none yet.
        fixed_ip: its address within the environment.
        firewalls, metrics, events, logs: where they were asked for.
    """

    id: int
    name: str
    status: str = "UNKNOWN"
    power_state: str | None = None
    vm_state: str | None = None
    environment: Named = Named()
    image: Named = Named()
    flavor: Flavor = Flavor()
    keypair: Named = Named()
    volume_attachments: tuple[VolumeAttachment, ...] = ()
    security_rules: tuple[SeenRule, ...] = ()
    fixed_ip: str | None = None
    floating_ip: str | None = None
    floating_ip_status: str | None = None
    labels: tuple[str, ...] = ()
    callback_url: str | None = None
    port_randomization: bool | None = None
    created_at: str | None = None
    firewalls: tuple[Named, ...] | None = None
    metrics: dict[str, Any] | None = None
    events: tuple[dict[str, Any], ...] | None = None
    logs: str | None = None

    @field_validator("floating_ip", "fixed_ip", "callback_url", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return value or None

    @property
    def settled(self) -> bool:
        """Whether it stays as it is."""
        return self.status in RESTING

    @property
    def becomes(self) -> str:
        """The status that it has once it is settled."""
        return CHANGING.get(self.status, self.status)


class FirewallAttachment(Seen):
    """A firewall on a VM."""

    status: str | None = None
    vm: Named = Named()


class Firewall(Named):
    """A firewall: rules, and the VMs of its environment that it is attached to."""

    id: int
    name: str
    description: str | None = None
    status: str | None = None
    environment: Named = Named()
    rules: tuple[SeenRule, ...] = ()
    attachments: tuple[FirewallAttachment, ...] = ()

    @property
    def vm_ids(self) -> set[int]:
        """Ids of the VMs that it is attached to, or about to be."""
        return {a.vm.id for a in self.attachments if a.vm.id is not None}


class Volume(Named):
    """A volume; ``size`` is in GB."""

    id: int
    name: str
    status: str | None = None
    size: float | None = None
    bootable: bool | None = None
    environment: Named = Named()


class Region(Named):
    """A region."""

    description: str | None = None
    country: str | None = None


class Stock(Seen):
    """How many GPUs of a model a region has; ``available`` may be a word such as ``200+``."""

    region: str
    stock_type: str | None = None
    model: str
    available: str | None = None
    configurations: dict[str, Any] = {}


class Quota(Seen):
    """How many VMs an environment may have."""

    available_vms: int | None = None
    current_vms: int | None = None
    max_vms: int | None = None
    cidr: str | None = None


class Price(Seen):
    """An entry of the price book: dollars an hour, for one unit of what it names."""

    id: int | None = None
    name: str
    value: float | None = None
    original_value: float | None = None


class FlavorOffer(Flavor):
    """A flavor, and what it costs an hour; None where the price book does not tell."""

    price_per_hour: float | None = None
