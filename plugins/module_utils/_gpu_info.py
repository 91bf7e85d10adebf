# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hostler.fleet.aggregate_info and hostler.fleet.aggregate_target_info."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.hostler.fleet.plugins.module_utils._module import (
    OPENSTACK,
    Module,
    Params,
    Result,
)
from ansible_collections.hostler.fleet.plugins.module_utils._netbox import NETBOX

if TYPE_CHECKING:
    from hostler import Fleet

POOLS = ["ondemand", "spot", "runpod", "contract"]
NEEDS = ("hostler.gpu.service", "hostler.backends.openstack", "hostler.backends.netbox")


def aggregates(fleet: Fleet, params: Params, _check: bool) -> Result:
    """Read aggregates, and the overviews of the GPU types that they are of."""
    gpu = fleet.gpu
    world = gpu.observe()
    filters = {name: params[name] for name in ("gpu_type", "pool", "contract", "name")}
    found = gpu.aggregates(world, **filters)
    asked = {one.gpu_type for one in found}
    types = [one for one in gpu.types(world) if not any(filters.values()) or one.name in asked]
    return {
        "changed": False,
        "gpu_types": [one.model_dump(mode="json") for one in types],
        "aggregates": [one.model_dump(mode="json") for one in found],
        "overview": {
            one.name: gpu.overview(one.name, world).model_dump(mode="json") for one in types
        },
        "unclassified": gpu.unclassified(world),
        "hosts_in_no_pool": gpu.in_no_pool(world),
        "warnings": list(world.warnings),
    }


def target(fleet: Fleet, params: Params, _check: bool) -> Result:
    """Read where a host should go."""
    world = fleet.gpu.observe(flavors=True)
    advice = fleet.gpu.target(
        params["hostname"], params["gpu_type"], params["pool"], params["variant"], world
    )
    return {"changed": False, **advice.model_dump(mode="json"), "warnings": list(world.warnings)}


AGGREGATES = Module(
    arguments={
        "argument_spec": {
            **OPENSTACK,
            **NETBOX,
            "gpu_type": {"type": "str"},
            "pool": {"type": "str", "choices": POOLS},
            "contract": {"type": "str"},
            "name": {"type": "str"},
        }
    },
    run=aggregates,
    needs=NEEDS,
)
TARGET = Module(
    arguments={
        "argument_spec": {
            **OPENSTACK,
            **NETBOX,
            "hostname": {"type": "str", "required": True, "aliases": ["host"]},
            "gpu_type": {"type": "str"},
            "pool": {"type": "str", "choices": POOLS},
            "variant": {"type": "str"},
        }
    },
    run=target,
    needs=NEEDS,
)
