# SPDX-License-Identifier: Apache-2.0
"""A GPU VM on a host of ours: as it is wanted, and what became of it."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from hostler.models.hyperstack_task import MAX_NAME
from hostler.models.result import Result


class RunpodSeed(BaseModel):
    """What the packaged template for a RunPod host needs to know.

    Attributes:
        api_key: RunPod's API key; it gets into the VM's user data.
        installer_url: where RunPod's host installer is downloaded from.
        disk: the disk that the installer takes.
        ports: the public ports that tenants get.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    api_key: SecretStr
    installer_url: str = Field(min_length=1, pattern=r"^https://\S+$")
    disk: str = Field("/dev/vdb", pattern=r"^/dev/[A-Za-z0-9/_-]+$")
    ports: str = Field("10000-50000", pattern=r"^\d+-\d+$")


class LaunchTask(BaseModel):
    """A VM on a GPU host.

    Attributes:
        hostname: the host, as Nova spells it.
        name: the VM's name; the host's where left out.
        image: name or id of the image, which the host's region must have.
        region: Hyperstack's region; None: the one whose ``hosts`` have the host.
        environment, key, network, firewall: in place of the region's.
        flavor: in place of the one for all of the host's GPUs.
        user_data: the caller's own cloud-init data.
        runpod: in place of user_data: the packaged template for a RunPod host.
        labels: labels of the VM.
        floating_ip: whether it gets a public address.
        strict_placement: refuse where the VM could land on another host.
        on_misplaced: what becomes of a VM that landed on another host.
        on_failure: what becomes of a VM when a step after its creation fails.
        wait_timeout: seconds until it must run.
        override_protection: use a host that the fleet's policy protects.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    hostname: str = Field(min_length=1, max_length=255)
    name: str | None = Field(None, min_length=1, max_length=MAX_NAME)
    image: str = Field(min_length=1)
    region: str | None = None
    environment: str | None = None
    key: str | None = None
    network: str | None = None
    firewall: str | None = None
    flavor: str | None = None
    user_data: SecretStr | None = None
    runpod: RunpodSeed | None = None
    labels: tuple[str, ...] = ()
    floating_ip: bool = True
    strict_placement: bool = False
    on_misplaced: Literal["delete", "keep"] = "delete"
    on_failure: Literal["delete", "keep"] = "delete"
    wait_timeout: int = Field(1800, ge=1, le=86400)
    override_protection: bool = False

    @model_validator(mode="after")
    def _one_seed(self) -> Self:
        if self.user_data is not None and self.runpod is not None:
            raise ValueError("give either user_data or runpod")
        if self.name is None and len(self.hostname) > MAX_NAME:
            raise ValueError(f"name is required: the host's has more than {MAX_NAME} characters")
        return self

    @property
    def vm_name(self) -> str:
        """The VM's name."""
        return self.name or self.hostname


class Estimate(BaseModel):
    """What a launch takes; the price is in dollars an hour, None where it is not known."""

    model_config = ConfigDict(extra="forbid")

    flavor: str
    gpu_count: int | None = None
    price_per_hour: float | None = None


class LaunchResult(Result):
    """What became of a launch, in the specification's words.

    Attributes:
        name: the host's name, and ``hostname`` too.
        vm_id: Hyperstack's id.
        status: the VM's.
        network_setup: whether it has its port in the storage network; None: it gets none.
        firewall_configured: whether the firewall is attached; None: it gets none.
        placed_on: the host that it really runs on.
        warnings: what could not be read back.
        command: the request that makes the VM; masked_command is the same, as keys and user data
            are never shown.
    """

    hostname: str
    vm_id: int | None = None
    image_name: str | None = None
    status: str | None = None
    flavor: str | None = None
    network_setup: bool | None = None
    firewall_configured: bool | None = None
    placed_on: str | None = None
    warnings: list[str] = Field(default_factory=list)
    command: str | None = None
    masked_command: str | None = None
    estimated_resources: Estimate | None = None
