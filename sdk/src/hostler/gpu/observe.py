# SPDX-License-Identifier: Apache-2.0
"""Reads all that is known about GPU hosts: five calls side by side, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from hostler.errors import Denied, NotFound
from hostler.gpu.world import GpuWorld
from hostler.models.gpu_config import GpuConfig
from hostler.models.netbox import NetboxHost
from hostler.models.nova import Aggregate, Compute

if TYPE_CHECKING:
    from hostler.backends.openstack import Cloud
    from hostler.backends.openstack.placement import Amounts

T = TypeVar("T")

AskNetbox = Callable[[Iterable[str]], tuple[dict[str, NetboxHost], list[str]]]
"""Takes names of hosts; returns what NetBox has of them, and warnings."""

PARALLEL = 8


def observe(
    cloud: Cloud,
    config: GpuConfig,
    ask_netbox: AskNetbox | None = None,
    *,
    flavors: bool = False,
) -> GpuWorld:
    """Read the world.

    Raises:
        Denied: the user is no administrator.
        HostlerError: a service does not answer.
    """
    cloud.connect()  # once, and not by each thread where it fails
    with ThreadPoolExecutor(PARALLEL) as pool:
        servers = pool.submit(cloud.compute.servers)
        amounts = pool.submit(cloud.placement.amounts)
        services = pool.submit(cloud.compute.services)
        roots = pool.submit(cloud.placement.roots)
        aggregates = pool.submit(cloud.compute.aggregates)
        kinds = pool.submit(cloud.compute.flavors) if flavors else None
        by_host = _with_providers(cloud, services.result(), roots.result())
        in_use = _in_aggregates(aggregates.result(), by_host)
        netbox = pool.submit(ask_netbox, sorted(in_use)) if ask_netbox else None
        known = amounts.result()
        missing = [c for c in in_use.values() if c.provider and c.provider not in known]
        found = pool.map(lambda compute: _amounts(cloud, compute), missing)
        known |= {str(c.provider): a for c, a in zip(missing, found, strict=True) if a is not None}
        hosts, warnings = netbox.result() if netbox else ({}, [])
        return GpuWorld(
            cloud=cloud.name,
            config=config,
            aggregates=tuple(aggregates.result()),
            computes=by_host,
            servers=tuple(servers.result()),
            amounts=known,
            netbox=hosts,
            flavors=tuple(kinds.result()) if kinds else (),
            warnings=tuple(warnings),
        )


def project_names(cloud: Cloud) -> tuple[dict[str, str], list[str]]:
    """Return names of projects by id, and a warning where we may not list them."""
    try:
        return cloud.identity.project_names(), []
    except Denied as error:
        return {}, [f"Names of projects are not known: {error.reason}."]


def _with_providers(
    cloud: Cloud, services: Iterable[Compute], roots: dict[str, str]
) -> dict[str, Compute]:
    """Return compute services by host, with their ids in placement.

    Those of another name there (a hypervisor's may be longer) are looked up among the hypervisors.
    """
    by_host = {service.host: service for service in services}
    if not by_host.keys() <= roots.keys():
        roots = cloud.compute.hypervisors()
    return {h: replace(service, provider=roots.get(h)) for h, service in by_host.items()}


def _in_aggregates(
    aggregates: Iterable[Aggregate], computes: dict[str, Compute]
) -> dict[str, Compute]:
    names = {host for aggregate in aggregates for host in aggregate.hosts}
    return {name: computes[name] for name in names if name in computes}


def _amounts(cloud: Cloud, compute: Compute) -> Amounts | None:
    """Ask for a host that has not a megabyte of memory left; None where placement has none."""
    try:
        return cloud.placement.amounts_of(str(compute.provider))
    except NotFound:
        return None
