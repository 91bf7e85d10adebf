# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: gpu_overview
short_description: Read how GPUs are used
version_added: 0.1.0
author: Hostler contributors (@hostler)
description:
  - Returns the overview of each GPU type with its pools, hosts and sums, as RV(_raw) tells.
  - Makes the same few calls however many hosts there are. It needs an administrator.
extends_documentation_fragment:
  - hostler.fleet._config
  - hostler.fleet._openstack
  - hostler.fleet._netbox
requirements:
  - hostler[openstack] >= 0.1.0, < 0.2 (Python package)
options:
  _terms:
    description: GPU types; all where left out.
    type: list
    elements: str
  pool:
    description: Only this pool, of the types that have it. What is returned is the pools then.
    type: str
    choices: [ondemand, spot, runpod, contract]
seealso:
  - module: hostler.fleet.aggregate_info
"""

EXAMPLES = r"""
- name: Say how much of each GPU type is in use
  ansible.builtin.debug:
    msg: "{{ item.gpu_type }}: {{ item.gpu_overview.gpu_usage_ratio }}"
  loop: "{{ query('hostler.fleet.gpu_overview') }}"

- name: Name the spot hosts of a type that are idle
  ansible.builtin.debug:
    msg: "{{ overview.spot.hosts | rejectattr('has_vms') | map(attribute='hostname') }}"
  vars:
    overview: "{{ lookup('hostler.fleet.gpu_overview', 'L40', cloud='production') }}"
"""

RETURN = r"""
_raw:
  description:
    - An overview for each GPU type with its C(gpu_type), the pools C(ondemand), C(spot) and
      C(runpod), the C(contracts) and the sum of all, C(gpu_overview).
    - A pool has a C(name), C(hosts), C(gpu_summary) and C(variants), and is none where it has no
      aggregate.
    - With O(pool), that pool of each GPU type, and its C(gpu_type).
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.hostler.fleet.plugins.plugin_utils._lookup import HostlerLookup, Row

if t.TYPE_CHECKING:
    from hostler import Fleet
    from hostler.gpu.service import Gpu
    from hostler.gpu.world import GpuWorld


class LookupModule(HostlerLookup):
    def read(
        self, fleet: Fleet, terms: list[str], options: Row
    ) -> tuple[list[Row], t.Sequence[str]]:
        """Return overviews."""
        world = fleet.gpu.observe()
        found = _found(fleet.gpu, world, terms, options["pool"])
        return found, world.warnings


def _found(gpu: Gpu, world: GpuWorld, types: list[str], pool: t.Any) -> list[dict[str, t.Any]]:
    """Return overviews, or one pool of each type."""
    if not pool:
        names = types or [one.name for one in gpu.types(world)]
        return [gpu.overview(name, world).model_dump(mode="json") for name in names]
    having = {one.gpu_type for one in gpu.aggregates(world, pool=pool) if one.gpu_type}
    return [
        {"gpu_type": name, **gpu.pool(name, pool, world).model_dump(mode="json")}
        for name in types or sorted(having)
    ]
