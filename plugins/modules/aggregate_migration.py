#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: aggregate_migration
short_description: Move GPU hosts between OpenStack aggregates, and never lose one
version_added: 0.1.0
description:
  - Takes a host out of one aggregate and puts it into another. The host is locked meanwhile, takes
    no servers, is added before it is removed where availability zones allow it, and read back
    afterwards, in Nova and in Placement.
  - When a step fails, those before it are undone, so that the host is in the source or in the
    target. What a killed program left half way is finished by C(hostler plan resume) or taken back
    by C(hostler plan undo).
  - A host that is in the target already is left alone.
  - Check mode looks at everything, and shows the commands.
author: Hostler contributors (@hostler)
options:
  host:
    description: The host, as Nova spells it.
    type: str
  hosts:
    description: Several hosts, moved side by side with the same options.
    type: list
    elements: str
  source:
    description: The aggregate that the host leaves. The one pool that it is in, if left out.
    type: str
    aliases: [source_aggregate]
  target:
    description:
      - The aggregate where it shall be. V(auto) takes what M(hostler.fleet.aggregate_target_info)
        recommends.
      - Either this or O(pool) is needed.
    type: str
    aliases: [target_aggregate]
  pool:
    description: The pool where it shall be, for its own GPU type, in place of O(target).
    type: str
    choices: [ondemand, spot, runpod, contract]
  variant:
    description: With O(pool) or O(target=auto), the variant of the aggregate, such as V(NVLink).
    type: str
  force:
    description: Move a host although servers run on it. They stay on it.
    type: bool
    default: false
  drain:
    description:
      - First migrate its servers, live, to other hosts of its own pool.
      - Nothing is begun where one of them can't be moved.
    type: bool
    default: false
  disable_compute:
    description:
      - Disable the host's compute service meanwhile, so that no server comes in between.
      - A service that is disabled already stays so.
    type: bool
    default: true
  wait:
    description: Seconds to wait while somebody else moves the host, before that is an error.
    type: int
    default: 0
  override_protection:
    description: Move hosts that the fleet's policy protects.
    type: bool
    default: false
  max_failures:
    description: Begin with no other host once more than this number have failed.
    type: int
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.change
  - hostler.fleet._config
  - hostler.fleet._openstack
  - hostler.fleet._netbox
  - hostler.fleet._libvirt.parallel
seealso:
  - module: hostler.fleet.aggregate_info
  - module: hostler.fleet.aggregate_target_info
  - module: hostler.fleet.gpu_pool
"""

EXAMPLES = r"""
- name: See what moving a host would do
  hostler.fleet.aggregate_migration:
    host: gpu-host-001
    source: L40-n3
    target: L40-n3-spot
  check_mode: true
  register: preview

- name: Move it where it is needed most, its servers first
  hostler.fleet.aggregate_migration:
    host: gpu-host-001
    target: auto
    drain: true

- name: Give two hosts to RunPod, and wait for whoever moves them right now
  hostler.fleet.aggregate_migration:
    hosts: [gpu-host-002, gpu-host-003]
    pool: runpod
    wait: 60
"""

RETURN = r"""
host:
  description: The host.
  returned: success
  type: str
  sample: gpu-host-002
source_aggregate:
  description: The aggregate that it left, or leaves.
  returned: where it has to leave one
  type: str
  sample: L40-n3
target_aggregate:
  description: The aggregate where it is, or shall be.
  returned: success
  type: str
  sample: L40-n3-runpod
commands_executed:
  description: The commands that were carried out.
  returned: success
  type: list
  elements: str
  sample:
    - >-
      openstack aggregate set --property hostler:lock:6a0f1c2b-5d1e9c0a=gpu-host-002 1
    - openstack aggregate list --long
execution_time:
  description: How long it took, in seconds.
  returned: when it was moved
  type: float
  sample: 1.117
verification:
  description: Where the host was found afterwards, or in check mode, where it is.
  returned: success
  type: dict
  contains:
    aggregates:
      description: All aggregates that Nova has it in.
      type: list
      elements: str
      sample:
        - L40-n3-runpod
    source_exists:
      description: Whether there is the source.
      type: bool
      sample: true
    target_exists:
      description: Whether there is the target.
      type: bool
      sample: true
    in_source:
      description: Whether it is in the source.
      type: bool
      sample: false
    in_target:
      description: Whether it is in the target.
      type: bool
      sample: true
    placement_in_sync:
      description: Whether Placement has it in the same two.
      type: bool
      sample: true
    compute_enabled:
      description: Whether its compute service takes servers.
      type: bool
      sample: true
    servers:
      description: How many servers it has.
      type: int
      sample: 0
plan:
  description: What was done, or would be.
  returned: success
  type: dict
  contains:
    id:
      description: Identifier, for C(hostler plan show).
      type: str
      sample: 6a0f1c2b-5d1e9c0a
    summary:
      description: One sentence.
      type: str
      sample: move host gpu-host-002 from L40-n3 to L40-n3-runpod
    commands:
      description: The shell commands that an operator would have typed.
      type: list
      elements: str
      sample:
        - >-
          openstack aggregate set --property hostler:lock:6a0f1c2b-5d1e9c0a=gpu-host-002 1
        - openstack aggregate list --long
    warnings:
      description: What a person should know.
      type: list
      elements: str
      sample: []
results:
  description: The result of each host.
  returned: with O(hosts)
  type: list
  elements: dict
  sample:
    - changed: true
      name: gpu-host-002
      plan:
        id: 6a0f1c2b-5d1e9c0a
        summary: move host gpu-host-002 from L40-n3-spot to L40-n3-runpod
        commands:
          - >-
            openstack aggregate set --property hostler:lock:6a0f1c2b-5d1e9c0a=gpu-host-002 2
          - openstack aggregate list --long
      diff:
        before_header: gpu-host-002
        after_header: gpu-host-002
        before: |
          aggregates:
          - L40-n3-spot
          servers: {}
        after: |
          aggregates:
          - L40-n3-runpod
          servers: {}
      source_aggregate: L40-n3-spot
      target_aggregate: L40-n3-runpod
      commands_executed:
        - >-
          openstack aggregate set --property hostler:lock:6a0f1c2b-5d1e9c0a=gpu-host-002 2
        - openstack aggregate list --long
      execution_time: 3.507
diff:
  description: The host's aggregates and servers before and after, as YAML.
  returned: success
  type: raw
  sample:
    before_header: gpu-host-002
    after_header: gpu-host-002
    before: |
      aggregates:
      - L40-n3
      servers: {}
    after: |
      aggregates:
      - L40-n3-runpod
      servers: {}
name:
  description: Name of the host.
  returned: success
  type: str
  sample: gpu-host-002
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of error, for example V(not_found), V(conflict) or V(unreachable).
      type: str
      sample: failed_items
    message:
      description: The sentence.
      type: str
      sample: >-
        1 of 3 failed. gpu-host-001: host 'gpu-host-001': 2 servers run on it: a-train-1,
        a-train-2. Say drain: ...
"""

from ansible_collections.hostler.fleet.plugins.module_utils._aggregate_migration import MODULE


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
