# SPDX-License-Identifier: Apache-2.0
"""Builds small worlds of GPU hosts for tests of pure code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from hostler.gpu.world import GpuWorld
from hostler.models.gpu_config import GpuConfig
from hostler.models.netbox import NetboxHost
from hostler.models.nova import Aggregate, Amount, Compute, Flavor, Server

Amounts = Mapping[str, tuple[int, int]]
"""Capacity and use by resource class."""


def aggregate(
    name: str, *hosts: str, zone: str = "", metadata: Mapping[str, str] | None = None
) -> Aggregate:
    zoned = {"availability_zone": zone} if zone else {}
    return Aggregate(0, f"uuid-{name}", name, hosts, {**(metadata or {}), **zoned})


def numbered(aggregates: Iterable[Aggregate]) -> list[Aggregate]:
    """Give aggregates ids of their own, for steps that name them by those."""
    return [replace(one, id=number) for number, one in enumerate(aggregates, 1)]


def compute(host: str, *, up: bool = True, enabled: bool = True, reason: str = "") -> Compute:
    return Compute(host, f"svc-{host}", up, enabled, reason or None, f"rp-{host}")


def server(
    host: str | None,
    flavor: str = "n3-L40x1",
    *,
    name: str = "",
    status: str = "ACTIVE",
    specs: Mapping[str, str] | None = None,
) -> Server:
    name = name or f"vm-{host}-{flavor}"
    return Server(
        id=f"id-{name}",
        name=name,
        status=status,
        task_state=None,
        host=host,
        zone=None,
        project="p1",
        flavor=flavor,
        extra_specs=specs or {},
        image=None,
        created="2026-01-31T12:00:00Z",
        updated=None,
    )


def world(
    *aggregates: Aggregate,
    servers: tuple[Server, ...] = (),
    amounts: Mapping[str, Amounts] | None = None,
    computes: tuple[Compute, ...] | None = None,
    netbox: Mapping[str, NetboxHost] | None = None,
    flavors: tuple[Flavor, ...] = (),
    config: GpuConfig | None = None,
) -> GpuWorld:
    """Return a world; every host of an aggregate has a compute unless they are given."""
    names = sorted({host for a in aggregates for host in a.hosts})
    made = computes if computes is not None else tuple(compute(name) for name in names)
    return GpuWorld(
        cloud="unit",
        config=config or GpuConfig(),
        aggregates=aggregates,
        computes={one.host: one for one in made},
        servers=servers,
        amounts={
            f"rp-{host}": {name: Amount(*pair) for name, pair in have.items()}
            for host, have in (amounts or {}).items()
        },
        netbox=netbox or {},
        flavors=flavors,
    )
