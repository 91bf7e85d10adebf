# SPDX-License-Identifier: Apache-2.0
"""Reads what the planner of launches looks at."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from hostler.hyperstack.observe import observe as observe_environment
from hostler.launches.region import region_of
from hostler.launches.world import LaunchWorld
from hostler.models.hyperstack_task import HyperstackVmTask
from hostler.models.launch import LaunchTask

if TYPE_CHECKING:
    from hostler.fleet import Fleet


def observe(fleet: Fleet, tasks: list[LaunchTask]) -> dict[str, LaunchWorld]:
    """Read hosts and pools once, and each environment once; by the environment's name.

    Raises:
        InvalidInput: a task's region is not known.
        HostlerError: OpenStack or Hyperstack can't be read.
    """
    by_environment: dict[str, list[LaunchTask]] = {}
    for task in tasks:
        _, settings = region_of(task, fleet.config.launches)
        by_environment.setdefault(settings.environment, []).append(task)
    api, cloud = fleet.hyperstack_api(), fleet.openstack_cloud()
    with ThreadPoolExecutor(4) as pool:
        gpu = pool.submit(lambda: fleet.gpu.observe(flavors=True))
        prices, stocks = pool.submit(api.prices), pool.submit(api.stocks)
        networks = pool.submit(cloud.network.networks)
        ports = pool.submit(cloud.network.ports)
        wanted = {
            name: [_request(task, name) for task in of_it] for name, of_it in by_environment.items()
        }
        found = pool.map(
            lambda item: observe_environment(api, item[0], item[1], firewalls=True), wanted.items()
        )
        environments = dict(zip(wanted, found, strict=True))
        return {
            name: LaunchWorld(
                gpu=gpu.result(),
                hyperstack=environment,
                config=fleet.config.launches,
                prices=tuple(prices.result()),
                stocks=tuple(stocks.result()),
                networks=tuple(networks.result()),
                ports=tuple(ports.result()),
            )
            for name, environment in environments.items()
        }


def _request(task: LaunchTask, environment: str) -> HyperstackVmTask:
    """Return just enough of the wanted VM for its environment's catalogue to be read."""
    return HyperstackVmTask(name=task.vm_name, environment=environment)
