#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: hyperstack_flavor_info
short_description: Read flavors on Hyperstack and what they cost
version_added: 0.1.0
description:
  - Reads flavors, each with what an hour costs by the price book. What that does not tell is none.
author: Hostler contributors (@hostler)
options:
  region:
    description: Only of this region, whatever its case.
    type: str
  gpu:
    description: Only with this GPU, as Hyperstack calls it.
    type: str
  name:
    description: Only the flavor of exactly this name.
    type: str
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.info
  - hostler.fleet._config
  - hostler.fleet._hyperstack
seealso:
  - module: hostler.fleet.hyperstack_stock_info
  - module: hostler.fleet.hyperstack_vm
"""

EXAMPLES = r"""
- name: Read all flavors
  hostler.fleet.hyperstack_flavor_info:
  register: all_flavors

- name: Read what eight L40 cost
  hostler.fleet.hyperstack_flavor_info:
    region: CANADA-1
    name: n3-L40x8
  register: large
"""

RETURN = r"""
flavors:
  description: Flavors.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Number.
      type: int
      sample: 1011
    name:
      description: Name.
      type: str
      sample: n3-L40x1
    region_name:
      description: Region.
      type: str
      sample: CANADA-1
    gpu:
      description: GPU.
      type: str
      sample: L40
    gpu_count:
      description: How many GPUs.
      type: int
      sample: 1
    cpu:
      description: Virtual CPUs.
      type: int
      sample: 4
    ram:
      description: Memory in GB.
      type: float
      sample: 16.0
    disk:
      description: Root disk in GB.
      type: float
      sample: 100.0
    ephemeral:
      description: Further disk in GB that does not outlive the VM.
      type: float
      sample: 0.0
    stock_available:
      description: Whether there is any now.
      type: bool
      sample: true
    price_per_hour:
      description: Dollars an hour; none where the price book does not tell.
      type: float
      sample: 1.0
    features:
      description: What VMs of it can do.
      type: dict
      sample: {no_hibernation: false}
    labels:
      description: Labels.
      type: list
      elements: dict
      sample: []
    created_at:
      description: When it was made.
      type: str
      sample: '2026-01-31T12:00:00'
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of error, for example V(not_found), V(conflict) or V(denied).
      type: str
    message:
      description: The sentence.
      type: str
"""

from ansible_collections.hostler.fleet.plugins.module_utils._hyperstack_catalogue import FLAVORS


def main() -> None:
    FLAVORS.main()


if __name__ == "__main__":
    main()
