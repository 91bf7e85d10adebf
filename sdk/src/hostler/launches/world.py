# SPDX-License-Identifier: Apache-2.0
"""What the planner of launches looks at. Pure data."""

from __future__ import annotations

from dataclasses import dataclass

from hostler.gpu.world import GpuWorld
from hostler.hyperstack.world import HyperstackWorld
from hostler.models.hyperstack import Price, Stock
from hostler.models.launch_config import LaunchConfig
from hostler.models.network import NetworkView, PortView


@dataclass(frozen=True)
class LaunchWorld:
    """Hosts and pools, and an environment of Hyperstack.

    Attributes:
        prices, stocks: Hyperstack's.
        networks: all OpenStack networks.
        ports: ports of new and old VMs in storage networks, by name.
    """

    gpu: GpuWorld
    hyperstack: HyperstackWorld
    config: LaunchConfig
    prices: tuple[Price, ...] = ()
    stocks: tuple[Stock, ...] = ()
    networks: tuple[NetworkView, ...] = ()
    ports: tuple[PortView, ...] = ()
