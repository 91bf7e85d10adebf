# SPDX-License-Identifier: Apache-2.0
"""Reads the GPU hosts of a cloud as plain data, for inventories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from hostler.errors import HostlerError

if TYPE_CHECKING:
    from hostler.fleet import Fleet


class SourceRow(TypedDict):
    """What a source of hosts has told; where it did not answer, why.

    Keys:
        source: openstack.
        name: the cloud.
        error: why there is no answer.
        notes: what could not be read and was not needed.
        gpu_types: all that aggregates name.
        hosts: each with the fields of a GpuHost, ``source`` and ``cloud``.
    """

    source: str
    name: str
    error: str | None
    notes: list[str]
    gpu_types: list[str]
    hosts: list[dict[str, Any]]


def openstack(fleet: Fleet) -> SourceRow:
    """Read the GPU hosts of a fleet's cloud, those in no pool too."""
    row = SourceRow(
        source="openstack", name=fleet.cloud, error=None, notes=[], gpu_types=[], hosts=[]
    )
    try:
        world = fleet.gpu.observe()
    except HostlerError as error:
        return {**row, "error": str(error)}
    hosts = [
        {**host.model_dump(mode="json"), "source": "openstack", "cloud": fleet.cloud}
        for host in fleet.gpu.hosts(world)
    ]
    types = [one.name for one in fleet.gpu.types(world)]
    return {**row, "notes": list(world.warnings), "gpu_types": types, "hosts": hosts}
