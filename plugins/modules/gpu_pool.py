#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: gpu_pool
short_description: Give the pools of a GPU type their numbers of hosts
version_added: 0.1.0
description:
  - Moves hosts between the aggregates of a GPU type until each pool has the number of hosts that
    it should have. The moves are as few as can be, of empty hosts, and made side by side.
  - Hosts with servers are not moved, unless O(drain=true). Where it can't be done without, nothing
    is moved, and the error says which pool lacks how many hosts and why none can go there.
  - Hosts that are down or take no servers, and those in no pool, are moved only where no others
    can be. Each is said in a warning.
  - A host goes to the best aggregate of the pool, as M(hostler.fleet.aggregate_target_info) tells
    it. One with NVLink goes to an NVLink aggregate where there is one.
  - A move that fails is undone. The other moves are made all the same, the task fails, and
    RV(after) says what was reached.
author: Hostler contributors (@hostler)
options:
  gpu_type:
    description: The GPU type, for example V(L40).
    type: str
    required: true
  pools:
    description:
      - The number of hosts of each pool, where a pool is V(ondemand), V(spot), V(runpod), or a
        contract by the name of its aggregate or by what follows C(Contract-) in that.
      - One of them may be V(rest), which is all hosts that the others don't get.
      - Pools that are not named are left alone. Without V(rest), the numbers have to add up to the
        hosts of the pools that are named, and of hosts in no pool as many as you like.
    type: dict
    required: true
  variant:
    description: Only hosts and aggregates of this variant, for example V(NVLink).
    type: str
  drain:
    description:
      - Move hosts with servers too, where there are not enough empty ones. Their servers first
        migrate, live, to other hosts of their pool.
    type: bool
    default: false
  max_moves:
    description: Refuse, and move nothing, where it takes more moves than these.
    type: int
  disable_compute:
    description: Have each host take no servers while it is moved.
    type: bool
    default: true
  override_protection:
    description: Move hosts that the fleet's policy protects, too.
    type: bool
    default: false
  parallel:
    description: How many hosts are moved at once; the configuration's number where left out.
    type: int
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.change
  - hostler.fleet._config
  - hostler.fleet._openstack
  - hostler.fleet._netbox
seealso:
  - module: hostler.fleet.aggregate_info
  - module: hostler.fleet.aggregate_target_info
"""

EXAMPLES = r"""
- name: Twelve hosts on-demand, six spot, the others for RunPod
  hostler.fleet.gpu_pool:
    gpu_type: L40
    pools:
      ondemand: 12
      spot: 6
      runpod: rest

- name: Give a contract its eight hosts, migrating servers away where it must be
  hostler.fleet.gpu_pool:
    gpu_type: H100-SXM5
    pools:
      Contract-Acme-8xH100-SXM5: 8
      ondemand: rest
    drain: true
    max_moves: 4

- name: Only hosts with NVLink
  hostler.fleet.gpu_pool:
    gpu_type: A100
    variant: NVLink
    pools: {spot: 2, ondemand: rest}
"""

RETURN = r"""
gpu_type:
  description: The GPU type.
  returned: when it could be planned
  type: str
  sample: L40
before:
  description: The number of hosts of each pool, as it was.
  returned: when it could be planned
  type: dict
  sample: {ondemand: 2, spot: 1}
after:
  description:
    - The number of hosts of each pool, as it is, also where moves failed.
    - In check mode, as it would be.
  returned: when it could be planned
  type: dict
  sample: {ondemand: 1, spot: 2}
moves:
  description: What became of each host that had to move, or what would be done in check mode.
  returned: when it could be planned
  type: list
  elements: dict
  contains:
    name:
      description: Name of the host.
      type: str
      sample: gpu-host-002
    changed:
      description: Whether it was (would be) moved.
      type: bool
      sample: true
    source_aggregate:
      description: The aggregate that it leaves; none where it was in no pool.
      type: str
      sample: L40-n3
    target_aggregate:
      description: The aggregate that it goes to.
      type: str
      sample: L40-n3-spot
    plan:
      description: Id, summary, commands and warnings of the plan.
      type: dict
      sample:
        id: 6a0f1c2b-5d1e9c0a
        summary: move host gpu-host-002 from L40-n3 to L40-n3-spot
        commands:
          - >-
            openstack aggregate set --property hostler:lock:6a0f1c2b-5d1e9c0a=gpu-host-002 1
          - openstack aggregate list --long
    commands_executed:
      description: The commands of the steps that were carried out.
      type: list
      elements: str
      sample:
        - >-
          openstack aggregate set --property hostler:lock:6a0f1c2b-5d1e9c0a=gpu-host-002 1
        - openstack aggregate list --long
    verification:
      description: Where the host was found afterwards.
      type: dict
      sample:
        aggregates: [L40-n3-spot]
        source_exists: true
        target_exists: true
        in_source: false
        in_target: true
        placement_in_sync: true
        compute_enabled: true
        servers: 0
    msg:
      description: Why it failed.
      type: str
      sample: >-
        could not put host gpu-host-002 into aggregate L40-n3-spot: aggregate 2 on cloud
        'box-proxied': Conflict. Undone again: ...
    diff:
      description: Before and after, as YAML.
      type: dict
      sample:
        before_header: gpu-host-002
        after_header: gpu-host-002
        before: |
          aggregates:
          - L40-n3
          servers: {}
        after: |
          aggregates:
          - L40-n3-spot
          servers: {}
    failed:
      description: Whether it failed.
      type: bool
      sample: true
    error:
      description: What failed, for programs.
      type: dict
      sample:
        code: plan_failed
        message: >-
          could not put host gpu-host-002 into aggregate L40-n3-spot: aggregate 2 on cloud
          'box-proxied': Conflict. Undone again: ...
diff:
  description: The numbers before and after, as YAML.
  returned: changed
  type: dict
  sample:
    before_header: L40
    after_header: L40
    before: |
      ondemand: 2
      spot: 1
    after: |
      ondemand: 1
      spot: 2
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description:
        - Kind of error, for example V(conflict) where it can't be done, V(failed_items) where
          moves failed, V(invalid_input) where the numbers don't add up.
      type: str
      sample: failed_items
    message:
      description: The sentence.
      type: str
      sample: >-
        1 of 1 moves failed: gpu-host-002: could not put host gpu-host-002 into aggregate
        L40-n3-spot: aggregate 2 ...
"""

from ansible_collections.hostler.fleet.plugins.module_utils._gpu_pool import MODULE


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
