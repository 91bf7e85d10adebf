#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: host_maintenance
short_description: Empty a hypervisor for maintenance, and take it back
version_added: 0.1.0
description:
  - Moves the VMs that run on a host of the pool to other hosts, side by side and while they run,
    and lets no new ones be placed there; or takes the host back.
  - Where a VM goes is found as for a new one that M(hostler.fleet.vm) places.
  - VMs that can't be moved are found before anything is touched.
  - Run again after it was killed, it finishes what was left half way, or takes it back.
author: Hostler contributors (@hostler)
options:
  host:
    description: Id of the host in the pool.
    type: str
  hosts:
    description:
      - Ids of several hosts. None of their VMs goes to another one of those that are drained.
    type: list
    elements: str
  state:
    description: V(drained) empties the host, V(active) takes it back.
    type: str
    choices: [drained, active]
    required: true
  return_vms:
    description:
      - With O(state=active), move the VMs back that were moved away, those that are still where
        they were moved to.
    type: bool
    default: false
  stopped_vms:
    description:
      - With O(state=drained), whether VMs that are off stay (V(leave)), or their definitions are
        moved too (V(move)).
    type: str
    choices: [leave, move]
    default: leave
  partial:
    description: Move the others although some can't be moved; else nothing is touched then.
    type: bool
    default: false
  strategy:
    description: >-
      Which of the hosts with room a VM goes to: the one with the fewest VMs (V(spread)), the
      fullest (V(pack)), or that with the most free memory (V(most_free)).
    type: str
    choices: [spread, pack, most_free]
    default: spread
  storage:
    description:
      - Whether all hosts see the disks (V(shared)), or they are copied whole (V(copy)) or without
        their backing files, which the target has (V(incremental)).
      - Copied volumes stay on the source.
    type: str
    choices: [shared, copy, incremental]
    default: shared
  unsafe:
    description: Move VMs although libvirt can't tell that their storage is shared.
    type: bool
    default: false
  peer_to_peer:
    description:
      - Have the sources' daemons drive the moves, so that they go on when this process dies.
      - The hosts must be able to log in to each other.
    type: bool
    default: false
  post_copy:
    description: Allow moves to be ended by post-copy.
    type: bool
    default: false
  auto_converge:
    description: Slow guests down that write faster than they can be copied.
    type: bool
    default: false
  compression:
    description: Compress the memory.
    type: bool
    default: false
  parallel_connections:
    description: How many connections carry the memory of a VM.
    type: int
  bandwidth:
    description: Limit for each VM, in MiB per second.
    type: int
  timeout:
    description: Seconds for each VM until O(on_timeout); without limit where left out.
    type: int
  on_timeout:
    description: Whether to give up, to pause the guest so that the move ends, or to use post-copy.
    type: str
    choices: [abort, suspend, post-copy]
    default: abort
  override_protection:
    description: Although the fleet's policy protects the host, or a VM on it.
    type: bool
    default: false
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.change
  - hostler.fleet._config
  - hostler.fleet._libvirt.parallel
seealso:
  - module: hostler.fleet.host
  - module: hostler.fleet.host_info
  - module: hostler.fleet.vm_migrate
"""

EXAMPLES = r"""
- name: Empty a host, four VMs at once
  hostler.fleet.host_maintenance:
    host: kvm1
    state: drained
    parallel: 4

- name: Take it back, with its VMs
  hostler.fleet.host_maintenance:
    host: kvm1
    state: active
    return_vms: true

- name: Empty a rack, and leave VMs where they are that can't be moved
  hostler.fleet.host_maintenance:
    hosts: [kvm1, kvm2]
    state: drained
    partial: true
"""

RETURN = r"""
name:
  description: Id of the host.
  returned: for one host
  type: str
  sample: a
host:
  description: The host as it is registered now; null when it is not.
  returned: for one host
  type: dict
  contains:
    id:
      description: Id.
      type: str
      sample: a
    maintenance:
      description: Whether nothing is placed on it.
      type: bool
      sample: false
    settings:
      description: Its URI, labels, limits.
      type: dict
      sample: {uri: 'qemu+tcp://192.0.2.1/system', cpu_overcommit: 4.0, memory_overcommit: 1.0,
        enabled: true}
    uuid:
      description: UUID of the machine.
      type: str
      sample: c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80
    source:
      description: V(store) or V(fleet.yml).
      type: str
      sample: fleet.yml
    created_at:
      description: When it was registered.
      type: str
      sample: '2026-01-31T12:00:00Z'
    updated_at:
      description: When that was last changed.
      type: str
      sample: '2026-01-31T12:00:00Z'
moves:
  description: The VMs that were moved or, in check mode, would be.
  returned: for one host
  type: list
  elements: dict
  contains:
    name:
      description: Name of the VM.
      type: str
      sample: web1
    source:
      description: Id of the host that it comes from.
      type: str
      sample: a
    target:
      description: Id of the host that it goes to.
      type: str
      sample: b
    status:
      description: V(planned) in check mode, else V(migrated) or V(failed).
      type: str
      sample: planned
    runs_on:
      description: >-
        Id of the host that it was found to run on afterwards; null when it does not run, or that
        could not be found out.
      type: str
      sample: kvm2
    downtime:
      description: Milliseconds that the guest stood still; null when unknown.
      type: int
      sample: 24
    data:
      description: Bytes that were moved; null when unknown.
      type: int
      sample: 202517
    seconds:
      description: How long it took; null when nothing was done.
      type: float
      sample: 1.308
    error:
      description: Why it was not moved; null when it was.
      type: str
    placement:
      description: Why it goes there; null for one that comes back.
      type: dict
      sample: {vm: web1, host: b, uri: 'qemu+tcp://192.0.2.2/system', strategy: spread, reason:
        'the fewest VMs: has 0 VMs, 12 % of CPUs and 0 % of memory with ...'}
    plan:
      description: What was done or, in check mode, would be done.
      type: dict
      sample:
        id: 6a0f1c2b-5d1e9c0a
        summary: >-
          migrate web1 from qemu+tcp://192.0.2.1/system to qemu+tcp://192.0.2.2/system (live)
          (host b: the fewest VMs: has 0 VMs, 12 ...
        commands: ['# reserve on host b for VM web1: 1 CPUs, 64MiB', '# note that VM web1 of host
          a is on host b']
stuck:
  description: Why VMs can't be moved, by their names.
  returned: for one host
  type: dict
  sample: {gold: 'it is protected: say override_protection: true if you mean it'}
stopped:
  description: Names of VMs that are off and stay.
  returned: for one host
  type: list
  elements: str
  sample: []
drained:
  description: >-
    Whether no VM runs there any more or, in check mode, would; null with O(state=active), and when
    that could not be found out.
  returned: for one host
  type: bool
  sample: false
plan:
  description: What was done or, in check mode, would be done with the host itself.
  returned: when it could be planned
  type: dict
  contains:
    id:
      description: Identifier of the plan; M(hostler.fleet.plan_info) finds it once it was applied.
      type: str
      sample: 6a0f1c2b-5d1e9c0a
    summary:
      description: One sentence.
      type: str
      sample: take host a into maintenance
    commands:
      description: Shell commands that an operator would have typed.
      type: list
      elements: str
      sample:
        - '# host a takes no VMs from now on'
    warnings:
      description: What a person should know.
      type: list
      elements: str
      sample:
        - >-
          VM gold was not moved: it is protected: say override_protection: true if you mean it
diff:
  description: Where the VMs were and are, as YAML.
  returned: changed
  type: raw
  sample:
    before_header: a
    after_header: a
    before: |
      maintenance: false
      vms:
        web1: a
        web2: a
    after: |
      maintenance: true
      vms:
        web1: b
        web2: b
results:
  description: For each host what the task returns for one.
  returned: for a list of hosts
  type: list
  elements: dict
  sample:
    - changed: true
      name: kvm1
      plan:
        id: 6a0f1c2b-5d1e9c0a
        summary: take host kvm1 into maintenance
        commands:
          - '# host kvm1 takes no VMs from now on'
        warnings:
          - 'VM db1 was not moved: the pool has no hosts'
          - 'VM app1 was not moved: the pool has no hosts'
      diff:
        before_header: kvm1
        after_header: kvm1
        before: |
          maintenance: false
          vms: {}
        after: |
          maintenance: true
          vms: {}
      host:
        id: kvm1
        settings:
          uri: qemu+tcp://192.0.2.1/system
          cpu_overcommit: 4.0
          memory_overcommit: 1.0
          enabled: true
        uuid: c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80
        maintenance: true
        source: store
        created_at: '2026-01-31T12:00:00Z'
        updated_at: '2026-01-31T12:00:00Z'
      stuck:
        db1: the pool has no hosts
        app1: the pool has no hosts
        app2: the pool has no hosts
        db-1: the pool has no hosts
        old1: the pool has no hosts
        web-1: the pool has no hosts
      stopped:
        - old2
      drained: false
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of error, for example V(not_found), V(conflict) or V(unreachable).
      type: str
      sample: conflict
    message:
      description: The sentence.
      type: str
      sample: >-
        host 'a': it can't be drained. gold: it is protected: say override_protection: true if you
        mean ...
"""

from ansible_collections.hostler.fleet.plugins.module_utils._host_maintenance import MODULE


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
