# SPDX-License-Identifier: Apache-2.0
"""The ``launches`` part of fleet.yml: where GPU VMs of a host's region go."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from pydantic import BaseModel, ConfigDict, Field

from hostler.models.hyperstack_rule import WantedRule

SSH = WantedRule(port_range_min=22, port_range_max=22)


class LaunchRegion(BaseModel):
    """What VMs of one of Hyperstack's regions get.

    Attributes:
        hosts: globs of the names of its GPU hosts.
        environment: name of the Hyperstack environment.
        key: name of the SSH key in it.
        network: name or id of the OpenStack network that each VM gets a port in; None: none.
        subnet: name or id of the subnet of that port, where the network has several.
        firewall: name or id of the Hyperstack firewall that is attached; None: none.
        security_rules: rules of the VM's own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    hosts: tuple[str, ...] = ()
    environment: str = Field(min_length=1)
    key: str = Field(min_length=1)
    network: str | None = None
    subnet: str | None = None
    firewall: str | None = None
    security_rules: tuple[WantedRule, ...] = (SSH,)

    def has(self, host: str) -> bool:
        """Whether a host is in this region."""
        name = host.casefold()  # a wrong case is told of the host, not of its region
        return any(fnmatchcase(name, pattern.casefold()) for pattern in self.hosts)


class LaunchConfig(BaseModel):
    """How GPU VMs are launched on hosts.

    Attributes:
        regions: by Hyperstack's name of the region (``CANADA-1``).
        pool: the pool that a host must be in.
        gpus: Hyperstack's name of a GPU type, where it is not within its flavors' names.
        settle_seconds: how long a new VM may take to show up among Nova's servers.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    regions: Mapping[str, LaunchRegion] = {}
    pool: str = "runpod"
    gpus: Mapping[str, str] = {}
    settle_seconds: int = Field(60, ge=0, le=3600)
