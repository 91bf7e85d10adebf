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
    - name: A100
      display_name: A100
      aggregates:
        ondemand:
          - A100-n3
          - A100-n3-NVLink
        spot:
          - A100-n3-NVLink-spot
aggregates:
  description: The aggregates that fit, by name, those that are no pool too.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Number of the aggregate.
      type: int
      sample: 4
    name:
      description: Name; RV(aggregates[].aggregate) is the same.
      type: str
      sample: A100-n3
    aggregate:
      description: Name.
      type: str
      sample: A100-n3
    pool:
      description: Pool, by the name.
      type: str
      sample: ondemand
    gpu_type:
      description: GPU type, by the name.
      type: str
      sample: A100
    variant:
      description: Variant, by the name.
      type: str
      sample: NVLink
    contract:
      description: Name of the contract.
      type: str
      sample: Acme-8xH100-SXM5
    availability_zone:
      description: Availability zone that it puts its hosts into.
      type: str
      sample: az-1
    metadata:
      description: Metadata.
      type: dict
      sample: {gpu_model: A100, pool: ondemand}
    hosts:
      description: Hosts.
      type: list
      elements: dict
      contains:
        hostname:
          description: Name.
          type: str
          sample: gpu-host-004
        status:
          description: What its compute service does, V(active), V(disabled), V(down) or V(unknown).
          type: str
          sample: active
        disabled_reason:
          description: Why it takes no VMs.
          type: str
        gpu_type:
          description: GPU type, by its pools, else by Placement.
          type: str
          sample: A100
        pool:
          description: The one pool that it is in; none where it is in none, or in several.
          type: str
          sample: ondemand
        pools:
          description: All pools that it is in.
          type: list
          elements: str
          sample:
            - ondemand
        variant:
          description: The variant of that pool.
          type: str
          sample: NVLink
        aggregates:
          description: All aggregates that it is in.
          type: list
          elements: str
          sample:
            - A100-n3
        availability_zone:
          description: Availability zone.
          type: str
          sample: az-1
        vm_count:
          description: How many VMs it has, stopped ones too.
          type: int
          sample: 2
        has_vms:
          description: Whether it has VMs.
          type: bool
          sample: true
        gpu_used:
          description: GPUs in use.
          type: int
          sample: 2
        gpu_used_source:
          description: Who says so, the VMs' V(flavor), its name (V(flavor_name)) or V(placement).
          type: str
          sample: flavor
        gpu_capacity:
          description: GPUs that it has.
          type: int
          sample: 8
        gpu_capacity_source:
          description: Who says so, V(placement) or V(config).
          type: str
          sample: placement
        gpu_usage_ratio:
          description: Both.
          type: str
          sample: 2/8
        nvlink:
          description: Whether it has NVLink, by NetBox.
          type: bool
          sample: true
        tenant:
          description: Tenant, by NetBox.
          type: str
          sample: Acme Corp
        owner_group:
          description: Owner group, by NetBox.
          type: str
          sample: Investors
        site:
          description: Site, by NetBox.
          type: str
          sample: Site A
        netbox_status:
          description: Status in NetBox.
          type: str
          sample: active
    gpu_summary:
      description: Sum of the hosts.
      type: dict
      sample: {hosts: 1, gpu_used: 2, gpu_capacity: 8, gpu_usage_ratio: 2/8, gpu_usage_percentage:
        25.0}
    tenant_info:
      description: Whom most hosts of a contract belong to, by NetBox.
      type: dict
      sample: {}
overview:
  description:
    - Each GPU type's pools C(ondemand), C(spot) and C(runpod), none where there is no such
      aggregate, its C(contracts) and the sum of all, C(gpu_overview).
    - A pool has all C(hosts) of its C(variants) and their C(gpu_summary).
  returned: success
  type: dict
  sample:
    A100:
      gpu_type: A100
      ondemand:
        name: A100-n3
        pool: ondemand
        hosts:
          - hostname: gpu-host-004
            status: active
            gpu_type: A100
            pool: ondemand
            pools: [ondemand]
            aggregates: [A100-n3]
            vm_count: 2
            has_vms: true
        gpu_summary: {hosts: 2, gpu_used: 2, gpu_capacity: 16, gpu_usage_ratio: 2/16,
          gpu_usage_percentage: 12.5}
        variants:
          - id: 4
            name: A100-n3
            aggregate: A100-n3
            pool: ondemand
            gpu_type: A100
            metadata: {gpu_model: A100, pool: ondemand}
            hosts:
              - hostname: gpu-host-004
                status: active
                gpu_type: A100
                pool: ondemand
                pools: [ondemand]
                aggregates: [A100-n3]
                vm_count: 2
                has_vms: true
            gpu_summary: {hosts: 1, gpu_used: 2, gpu_capacity: 8, gpu_usage_ratio: 2/8,
              gpu_usage_percentage: 25.0}
      spot:
        name: A100-n3-NVLink-spot
        pool: spot
        gpu_summary: {hosts: 0, gpu_used: 0, gpu_capacity: 0, gpu_usage_ratio: 0/0}
        variants:
          - id: 6
            name: A100-n3-NVLink-spot
            aggregate: A100-n3-NVLink-spot
            pool: spot
            gpu_type: A100
            variant: NVLink
            metadata: {gpu_model: A100, pool: spot}
            gpu_summary: {hosts: 0, gpu_used: 0, gpu_capacity: 0, gpu_usage_ratio: 0/0}
      gpu_overview: {hosts: 2, gpu_used: 2, gpu_capacity: 16, gpu_usage_ratio: 2/16,
        gpu_usage_percentage: 12.5}
    H100-SXM5:
      gpu_type: H100-SXM5
      contracts:
        - {id: 7, name: Contract-Acme-8xH100-SXM5, aggregate: Contract-Acme-8xH100-SXM5, pool:
          contract, gpu_type: H100-SXM5, contract: Acme-8xH100-SXM5}
      gpu_overview: {hosts: 1, gpu_used: 8, gpu_capacity: 8, gpu_usage_ratio: 8/8,
        gpu_usage_percentage: 100.0}
    L40:
      gpu_type: L40
      ondemand:
        name: L40-n3
        pool: ondemand
        hosts:
          - hostname: gpu-host-001
            status: active
            gpu_type: L40
            pool: ondemand
            pools: [ondemand]
            aggregates: [L40-n3]
            vm_count: 2
            has_vms: true
        gpu_summary: {hosts: 2, gpu_used: 5, gpu_capacity: 16, gpu_usage_ratio: 5/16,
          gpu_usage_percentage: 31.25}
        variants:
          - id: 1
            name: L40-n3
            aggregate: L40-n3
            pool: ondemand
            gpu_type: L40
            metadata: {gpu_model: L40, pool: ondemand}
            hosts:
              - hostname: gpu-host-001
                status: active
                gpu_type: L40
                pool: ondemand
                pools: [ondemand]
                aggregates: [L40-n3]
                vm_count: 2
                has_vms: true
            gpu_summary: {hosts: 2, gpu_used: 5, gpu_capacity: 16, gpu_usage_ratio: 5/16,
              gpu_usage_percentage: 31.25}
      spot:
        name: L40-n3-spot
        pool: spot
        hosts:
          - hostname: gpu-host-003
            status: active
            gpu_type: L40
            pool: spot
            pools: [spot]
            aggregates: [L40-n3-spot]
            vm_count: 1
            has_vms: true
        gpu_summary: {hosts: 1, gpu_used: 8, gpu_capacity: 8, gpu_usage_ratio: 8/8,
          gpu_usage_percentage: 100.0}
        variants:
          - id: 2
            name: L40-n3-spot
            aggregate: L40-n3-spot
            pool: spot
            gpu_type: L40
            metadata: {gpu_model: L40, pool: spot}
            hosts:
              - hostname: gpu-host-003
                status: active
                gpu_type: L40
                pool: spot
                pools: [spot]
                aggregates: [L40-n3-spot]
                vm_count: 1
                has_vms: true
            gpu_summary: {hosts: 1, gpu_used: 8, gpu_capacity: 8, gpu_usage_ratio: 8/8,
              gpu_usage_percentage: 100.0}
      runpod:
        name: L40-n3-runpod
        pool: runpod
        gpu_summary: {hosts: 0, gpu_used: 0, gpu_capacity: 0, gpu_usage_ratio: 0/0}
        variants:
          - id: 3
            name: L40-n3-runpod
            aggregate: L40-n3-runpod
            pool: runpod
            gpu_type: L40
            metadata: {gpu_model: L40, pool: runpod}
            gpu_summary: {hosts: 0, gpu_used: 0, gpu_capacity: 0, gpu_usage_ratio: 0/0}
      gpu_overview: {hosts: 3, gpu_used: 13, gpu_capacity: 24, gpu_usage_ratio: 13/24,
        gpu_usage_percentage: 54.17}
    RTX-A4000:
      gpu_type: RTX-A4000
      ondemand:
        name: RTX-A4000-n3
        pool: ondemand
        hosts:
          - hostname: gpu-host-007
            status: active
            gpu_type: RTX-A4000
            pool: ondemand
            pools: [ondemand]
            aggregates: [RTX-A4000-n3]
            availability_zone: az-1
            vm_count: 0
        gpu_summary: {hosts: 1, gpu_used: 0, gpu_capacity: 10, gpu_usage_ratio: 0/10,
          gpu_usage_percentage: 0.0}
        variants:
          - id: 8
            name: RTX-A4000-n3
            aggregate: RTX-A4000-n3
            pool: ondemand
            gpu_type: RTX-A4000
            availability_zone: az-1
            metadata: {availability_zone: az-1, gpu_model: RTX-A4000, pool: ondemand}
            hosts:
              - hostname: gpu-host-007
                status: active
                gpu_type: RTX-A4000
                pool: ondemand
                pools: [ondemand]
                aggregates: [RTX-A4000-n3]
                availability_zone: az-1
                vm_count: 0
      spot:
        name: RTX-A4000-n3-spot
        pool: spot
        hosts:
          - hostname: gpu-host-008
            status: active
            gpu_type: RTX-A4000
            pool: spot
            pools: [spot]
            aggregates: [RTX-A4000-n3-spot, misc-n2]
            availability_zone: az-2
            vm_count: 1
        gpu_summary: {hosts: 1, gpu_used: 1, gpu_capacity: 10, gpu_usage_ratio: 1/10,
          gpu_usage_percentage: 10.0}
        variants:
          - id: 9
            name: RTX-A4000-n3-spot
            aggregate: RTX-A4000-n3-spot
            pool: spot
            gpu_type: RTX-A4000
            availability_zone: az-2
            metadata: {availability_zone: az-2, gpu_model: RTX-A4000, pool: spot}
            hosts:
              - hostname: gpu-host-008
                status: active
                gpu_type: RTX-A4000
                pool: spot
                pools: [spot]
                aggregates: [RTX-A4000-n3-spot, misc-n2]
                availability_zone: az-2
                vm_count: 1
      runpod:
        name: RTX-A4000-n3-runpod
        pool: runpod
        gpu_summary: {hosts: 0, gpu_used: 0, gpu_capacity: 0, gpu_usage_ratio: 0/0}
        variants:
          - id: 10
            name: RTX-A4000-n3-runpod
            aggregate: RTX-A4000-n3-runpod
            pool: runpod
            gpu_type: RTX-A4000
            metadata: {gpu_model: RTX-A4000, pool: runpod}
            gpu_summary: {hosts: 0, gpu_used: 0, gpu_capacity: 0, gpu_usage_ratio: 0/0}
      gpu_overview: {hosts: 2, gpu_used: 1, gpu_capacity: 20, gpu_usage_ratio: 1/20,
        gpu_usage_percentage: 5.0}
unclassified:
  description: Aggregates of which the name does not say a pool or GPU type.
  returned: success
  type: list
  elements: str
  sample:
    - misc-n2
hosts_in_no_pool:
  description: Hosts that have GPUs and are in no pool, so that nobody can use them.
  returned: success
  type: list
  elements: str
  sample: []
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of error, for example V(not_found), V(denied) or V(unreachable).
      type: str
      sample: unreachable
    message:
      description: The sentence.
      type: str
      sample: >-
        Keystone of cloud 'gone': can't be reached: connection refused. Check the address and that
        it is ...
"""

from ansible_collections.hostler.fleet.plugins.module_utils._gpu_info import AGGREGATES


def main() -> None:
    AGGREGATES.main()


if __name__ == "__main__":
    main()
