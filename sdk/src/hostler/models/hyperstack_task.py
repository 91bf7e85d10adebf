# SPDX-License-Identifier: Apache-2.0
"""Things on Hyperstack as they are wanted, which VMs to read, and what became of requests."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from hostler.models.hyperstack import Seen
from hostler.models.hyperstack_rule import WantedRule
from hostler.models.result import Result

VmState = Literal[
    "present", "absent", "started", "stopped", "hibernated", "restored", "rebooted"
]  # fmt: skip
AttachmentState = Literal["present", "absent", "exact"]
Presence = Literal["present", "absent"]
Extra = Literal["metrics", "events", "logs", "firewalls"]

MAX_NAME = 50
MAX_VOLUMES = 10


class Task(BaseModel):
    """What all tasks have in common: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class HyperstackVmTask(Task):
    """A VM as it is wanted. What is left out is left alone.

    Attributes:
        name: its name, exactly; unique within the environment.
        environment: name of the environment.
        state: what it should be; ``present`` leaves the power state alone.
        image, flavor, key: names; needed for a new VM, and can't be changed in place.
        user_data: cloud-init's, for a new VM; Hyperstack does not show it, so that it is never
            compared.
        labels: all labels.
        floating_ip: whether it has a public address.
        port_randomization: whether a new VM's public ports are shuffled.
        security_rules: rules of its own that it should have.
        purge_rules: remove its other rules.
        volumes: names of volumes that should be attached.
        purge_volumes: detach its other volumes, except what it boots of.
        callback_url: whom Hyperstack tells of events; empty: nobody.
        recreate: where something can't be changed in place, delete it and make it anew.
        retain_ip: keep the public address while it hibernates.
        wait: wait until it is what is wanted.
        wait_timeout: seconds to wait at most.
        override_protection: change a VM that the fleet's policy protects.
    """

    name: str = Field(min_length=1, max_length=MAX_NAME)
    environment: str = Field(min_length=1)
    state: VmState = "present"
    image: str | None = None
    flavor: str | None = None
    key: str | None = None
    user_data: SecretStr | None = None
    labels: tuple[str, ...] | None = None
    floating_ip: bool | None = None
    port_randomization: bool | None = None
    security_rules: tuple[WantedRule, ...] | None = None
    purge_rules: bool = False
    volumes: tuple[str, ...] | None = Field(None, max_length=MAX_VOLUMES)
    purge_volumes: bool = False
    callback_url: str | None = Field(None, max_length=250)
    recreate: bool = False
    retain_ip: bool = True
    wait: bool = True
    wait_timeout: int = Field(1800, ge=1, le=86400)
    override_protection: bool = False


class HyperstackVmQuery(Task):
    """Which VMs to read, and what of them.

    Attributes:
        names: exact names, or globs.
        environment: only those of this environment.
        status: only these statuses.
        labels: only those that carry all of these.
        extra: what to read beside the ordinary fields, a call or two for each VM; ``firewalls``
            is one list for all.
        metrics_duration: how far back metrics go: ``1h`` to ``30d``.
        log_lines: how many lines of the console's log.
    """

    names: tuple[str, ...] = ()
    environment: str | None = None
    status: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    extra: frozenset[Extra] = frozenset()
    metrics_duration: Literal["1h", "2h", "4h", "6h", "12h", "1d", "3d", "7d", "15d", "30d"] = "1h"
    log_lines: int = Field(100, ge=1, le=10000)

    @field_validator("status")
    @classmethod
    def _large(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(word.upper() for word in value)


class FirewallTask(Task):
    """A firewall as it is wanted.

    Attributes:
        name: its name, exactly.
        environment: name of the environment that it serves.
        description: what it is for; only a new one gets it.
        rules: all rules; None: they are left alone.
    """

    name: str = Field(min_length=1, max_length=MAX_NAME)
    environment: str = Field(min_length=1)
    state: Presence = "present"
    description: str | None = None
    rules: tuple[WantedRule, ...] | None = None


class AttachmentTask(Task):
    """VMs that a firewall should be attached to.

    Attributes:
        firewall: its name, or its id.
        environment: name of the environment of both.
        vms: names or ids of VMs.
        state: ``present`` attaches, ``absent`` detaches, ``exact`` makes them the only ones.
        wait_timeout: seconds that Hyperstack gets to bring it into effect.
    """

    firewall: str = Field(min_length=1)
    environment: str = Field(min_length=1)
    vms: tuple[str, ...]
    state: AttachmentState = "present"
    wait_timeout: int = Field(300, ge=1, le=86400)

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.vms and self.state != "exact":
            raise ValueError("vms is empty")
        return self


class EnvironmentTask(Task):
    """An environment as it is wanted; the region is needed for a new one."""

    name: str = Field(min_length=1, max_length=MAX_NAME)
    region: str | None = None
    state: Presence = "present"


class KeypairTask(Task):
    """An SSH key as it is wanted; the public key is needed for a new one."""

    name: str = Field(min_length=1, max_length=MAX_NAME)
    environment: str = Field(min_length=1)
    public_key: str | None = None
    state: Presence = "present"


class HyperstackResult(Result):
    """What became of one thing.

    Attributes:
        seen: the thing as it is now; None where it is not there, and in check mode.
    """

    seen: Seen | None = None

    @property
    def view(self) -> dict[str, Any] | None:
        """The thing as plain data."""
        return self.seen.model_dump(mode="json") if self.seen else None
