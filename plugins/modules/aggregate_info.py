#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: aggregate_info
short_description: Read GPU types, pools and their hosts
version_added: 0.1.0
description:
  - Reads the host aggregates of an OpenStack with their GPU hosts, and says what their names mean,
    that is GPU type, pool (on-demand, spot, RunPod or a contract) and variant.
  - Makes the same few calls however many hosts and VMs there are. It needs an administrator.
  - What could not be found out is none, never a made-up value. Where the GPUs of one host are not
    known, neither is their sum.
author: Hostler contributors (@hostler)
options:
  gpu_type:
    description: Only aggregates of this GPU type, for example V(L40).
    type: str
  pool:
    description: Only aggregates of this pool.
    type: str
    choices: [ondemand, spot, runpod, contract]
  contract:
    description: Only this contract, by its aggregate or by what follows C(Contract-) in its name.
    type: str
  name:
    description: Only this aggregate.
    type: str
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.info
  - hostler.fleet._config
  - hostler.fleet._openstack
  - hostler.fleet._netbox
seealso:
  - module: hostler.fleet.aggregate_target_info
"""

EXAMPLES = r"""
- name: Read everything
  hostler.fleet.aggregate_info:
  register: gpus

- name: Say how much of each GPU type is in use
  ansible.builtin.debug:
    msg: "{{ item.key }}: {{ item.value.gpu_overview.gpu_usage_ratio }}"
  loop: "{{ gpus.overview | dict2items }}"

- name: Read the spot pool of one type
  hostler.fleet.aggregate_info:
    cloud: production
    gpu_type: L40
    pool: spot
"""

RETURN = r"""
gpu_types:
  description: GPU types, each with the names of its aggregates by pool, empty ones too.
  returned: success
  type: list
  elements: dict
  sample:
    - name: L40
      display_name: L40
      aggregates:
        ondemand: [L40-n3, L40-n3-NVLink]
        spot: [L40-n3-spot]
        runpod: [L40-n3-runpod]
        contracts: [Contract-L40-Customer1]
aggregates:
  description: The aggregates that fit, by name, those that are no pool too.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Number of the aggregate.
      type: int
    name:
      description: Name; RV(aggregates[].aggregate) is the same.
      type: str
    aggregate:
      description: Name.
      type: str
    pool:
      description: Pool, by the name.
      type: str
    gpu_type:
      description: GPU type, by the name.
      type: str
    variant:
      description: Variant, by the name.
      type: str
      sample: NVLink
    contract:
      description: Name of the contract.
      type: str
    availability_zone:
      description: Availability zone that it puts its hosts into.
      type: str
    metadata:
      description: Metadata.
      type: dict
    hosts:
      description: Hosts.
      type: list
      elements: dict
      contains:
        hostname:
          description: Name.
          type: str
        status:
          description: What its compute service does, V(active), V(disabled), V(down) or V(unknown).
          type: str
        disabled_reason:
          description: Why it takes no VMs.
          type: str
        gpu_type:
          description: GPU type, by its pools, else by Placement.
          type: str
        pool:
          description: The one pool that it is in; none where it is in none, or in several.
          type: str
        pools:
          description: All pools that it is in.
          type: list
          elements: str
        variant:
          description: The variant of that pool.
          type: str
        aggregates:
          description: All aggregates that it is in.
          type: list
          elements: str
        availability_zone:
          description: Availability zone.
          type: str
        vm_count:
          description: How many VMs it has, stopped ones too.
          type: int
        has_vms:
          description: Whether it has VMs.
          type: bool
        gpu_used:
          description: GPUs in use.
          type: int
        gpu_used_source:
          description: Who says so, the VMs' V(flavor), its name (V(flavor_name)) or V(placement).
          type: str
        gpu_capacity:
          description: GPUs that it has.
          type: int
        gpu_capacity_source:
          description: Who says so, V(placement) or V(config).
          type: str
        gpu_usage_ratio:
          description: Both.
          type: str
          sample: 5/8
        nvlink:
          description: Whether it has NVLink, by NetBox.
          type: bool
        tenant:
          description: Tenant, by NetBox.
          type: str
        owner_group:
          description: Owner group, by NetBox.
          type: str
        site:
          description: Site, by NetBox.
          type: str
        netbox_status:
          description: Status in NetBox.
          type: str
    gpu_summary:
      description: Sum of the hosts.
      type: dict
      sample:
        hosts: 2
        gpu_used: 5
        gpu_capacity: 16
        gpu_usage_ratio: 5/16
        gpu_usage_percentage: 31.25
    tenant_info:
      description: Whom most hosts of a contract belong to, by NetBox.
      type: dict
      sample: {primary_tenant: customer1, owner_group: Investors}
overview:
  description:
    - Each GPU type's pools C(ondemand), C(spot) and C(runpod), none where there is no such
      aggregate, its C(contracts) and the sum of all, C(gpu_overview).
    - A pool has all C(hosts) of its C(variants) and their C(gpu_summary).
  returned: success
  type: dict
unclassified:
  description: Aggregates of which the name does not say a pool or GPU type.
  returned: success
  type: list
  elements: str
hosts_in_no_pool:
  description: Hosts that have GPUs and are in no pool, so that nobody can use them.
  returned: success
  type: list
  elements: str
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of error, for example V(not_found), V(denied) or V(unreachable).
      type: str
    message:
      description: The sentence.
      type: str
"""

from ansible_collections.hostler.fleet.plugins.module_utils._gpu_info import AGGREGATES


def main() -> None:
    AGGREGATES.main()


if __name__ == "__main__":
    main()
