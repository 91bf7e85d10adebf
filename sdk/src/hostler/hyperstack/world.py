# SPDX-License-Identifier: Apache-2.0
"""What planners look at: one environment of Hyperstack as it was read."""

from __future__ import annotations

from dataclasses import dataclass, field

from hostler.models.hyperstack import (
    Environment,
    Firewall,
    Flavor,
    HyperstackVm,
    Image,
    Keypair,
    Quota,
    Volume,
)


@dataclass(frozen=True)
class Catalogue:
    """What a new VM is made of; ``taken`` are wanted names that others have, wherever."""

    images: tuple[Image, ...] = ()
    flavors: tuple[Flavor, ...] = ()
    keypairs: tuple[Keypair, ...] = ()
    quota: Quota = field(default_factory=Quota)
    taken: frozenset[str] = frozenset()


@dataclass(frozen=True)
class HyperstackWorld:
    """One environment; what was not needed was not read and is None.

    Attributes:
        url: of the API.
        environment: None where there is none of the name.
        vms: its VMs.
    """

    url: str
    name: str
    environment: Environment | None
    vms: tuple[HyperstackVm, ...] = ()
    firewalls: tuple[Firewall, ...] = ()
    volumes: tuple[Volume, ...] = ()
    catalogue: Catalogue | None = None
