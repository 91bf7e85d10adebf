# SPDX-License-Identifier: Apache-2.0
"""Which flavor takes all GPUs of a host, and where else a VM of it could land. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from hostler.errors import Conflict, NotFound
from hostler.gpu.metadata import fits
from hostler.gpu.overview import gpu_capacity, gpus_used, host_type, host_view
from hostler.gpu.world import GpuWorld
from hostler.launches.world import LaunchWorld
from hostler.models.hyperstack import Flavor
from hostler.models.launch import LaunchTask

_SPECIAL = ("-spot", "-K8s")
"""Ends of names of flavors that are never taken without being named."""


def choose_flavor(world: LaunchWorld, task: LaunchTask, region: str) -> Flavor:
    """Return the flavor: the named one, or the one for all GPUs of the host and its variant.

    Raises:
        NotFound: there is none.
        Conflict: type or number of the host's GPUs is not known, or several flavors fit.
    """
    catalogue = world.hyperstack.catalogue
    there = [f for f in (catalogue.flavors if catalogue else ()) if f.name]
    if task.flavor is not None:
        return _named(there, task.flavor, region)
    gpu_type, number = _gpus(world.gpu, task.hostname)
    variant = host_view(world.gpu, task.hostname).variant
    found = [
        flavor
        for flavor in there
        if flavor.gpu_count == number
        and _is_of(world, flavor, gpu_type)
        and _has_variant(flavor, variant)
        and not str(flavor.name).endswith(_SPECIAL)
    ]
    what = f"{number} x {gpu_type}" + (f" with {variant}" if variant else "")
    if not found:
        hint = "Name one with flavor, or set launches.gpus in fleet.yml."
        raise NotFound(f"region {region} has no flavor for {what}", hint=hint)
    if len(found) > 1:
        names = ", ".join(sorted(str(f.name) for f in found))
        raise Conflict(f"several flavors are for {what}: {names}", hint="Name one with flavor.")
    return found[0]


def free_besides(world: GpuWorld, host: str, flavor: Flavor) -> list[str]:
    """Return the other hosts that a VM of a flavor could land on right now.

    Hyperstack takes no host: Nova's scheduler chooses among those whose aggregates fit what the
    flavor asks for. Where Nova has no flavor of that name, the hosts of the same aggregates count.
    """
    need = flavor.gpu_count or 0
    return [
        name
        for name in sorted(world.computes)
        if name != host and _reaches(world, name, host, flavor) and _free(world, name) >= need > 0
    ]


def _gpus(world: GpuWorld, host: str) -> tuple[str, int]:
    gpu_type, (number, _) = host_type(world, host), gpu_capacity(world, host)
    if gpu_type is None or number is None:
        what = "type" if gpu_type is None else "number"
        raise Conflict(f"the {what} of its GPUs is not known", hint="Name a flavor.")
    return gpu_type, number


def _is_of(world: LaunchWorld, flavor: Flavor, gpu_type: str) -> bool:
    """Whether a flavor has that GPU: as fleet.yml translates it, else as the names say."""
    if gpu_type in world.config.gpus:
        return flavor.gpu == world.config.gpus[gpu_type]
    words = (str(flavor.name), flavor.gpu or "")
    return gpu_type in {world.gpu.classifier.type_like(word) for word in words}


def _has_variant(flavor: Flavor, variant: str | None) -> bool:
    parts = str(flavor.name).split("-")
    return variant in parts if variant else "NVLink" not in parts


def _reaches(world: GpuWorld, name: str, host: str, flavor: Flavor) -> bool:
    compute = world.computes[name]
    if not (compute.up and compute.enabled):
        return False
    mine = world.aggregates_of.get(name, [])
    specs = next((f.extra_specs for f in world.flavors if f.name == flavor.name), None)
    if specs is None:
        return any(host in aggregate.hosts for aggregate in mine)
    metadata: dict[str, str] = {}
    for aggregate in mine:
        for key, value in aggregate.metadata.items():
            metadata[key] = f"{metadata[key]},{value}" if key in metadata else value
    return fits(specs, metadata)


def _free(world: GpuWorld, host: str) -> int:
    capacity, _ = gpu_capacity(world, host)
    return (capacity or 0) - gpus_used(world, host).number


def _named(flavors: Sequence[Flavor], name: str, region: str) -> Flavor:
    for flavor in flavors:
        if flavor.name == name:
            return flavor
    shown = ", ".join(sorted(str(f.name) for f in flavors)[:12]) or "none"
    raise NotFound(f"region {region} has no flavor {name!r} (there: {shown})")
