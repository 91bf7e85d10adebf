#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: vm_migrate
short_description: Move VMs to another hypervisor
version_added: 0.1.0
description:
  - Moves one VM or several from a hypervisor to another one, while they run or not.
  - All checks come before anything is touched. After a failure both hypervisors are asked where
    the VM is.
  - A VM that is on the target already, and not on the source, is left alone.
  - Each VM is checked and moved by itself. A target that does not answer holds up only what would
    go there.
  - With C(-v), a line about each VM is printed every five seconds while the work is done inside
    Ansible's own process. Of a module that is shipped Ansible hears nothing before its end.
author: Hostler contributors (@hostler)
options:
  vm:
    description: Name of the VM.
    type: str
  vms:
    description: Names of VMs that are moved side by side.
    type: list
    elements: str
  target_host:
    description: Host of the pool that they should be on.
    type: str
  target_uri:
    description: In place of a host, its libvirt URI.
    type: str
  mode:
    description:
      - V(live) moves a VM that runs, V(paused) has its guest stand still meanwhile, V(offline)
        moves the definition of a stopped one.
      - Where left out, V(live) for a VM that runs, else V(offline).
    type: str
    choices: [live, paused, offline]
  storage:
    description:
      - Whether both hosts see the disks (V(shared)), or they are copied whole (V(copy)) or without
        their backing files, which the target has (V(incremental)).
      - Copied volumes stay on the source.
    type: str
    choices: [shared, copy, incremental]
    default: shared
  unsafe:
    description: Move it although libvirt can't tell that its storage is shared.
    type: bool
    default: false
  peer_to_peer:
    description:
      - Have the source's daemon drive the move, so that it goes on when this process dies.
      - The source must be able to log in to the target.
    type: bool
    default: false
  post_copy:
    description:
      - Allow the move to be ended by post-copy.
      - Both hosts need C(vm.unprivileged_userfaultfd=1).
    type: bool
    default: false
  auto_converge:
    description: Slow the guest down where it writes faster than it can be copied.
    type: bool
    default: false
  compression:
    description: Compress the memory.
    type: bool
    default: false
  parallel_connections:
    description: How many connections carry the memory.
    type: int
  bandwidth:
    description: Limit in MiB per second.
    type: int
  timeout:
    description: Seconds until O(on_timeout); without limit where left out.
    type: int
  on_timeout:
    description: Whether to give up, to pause the guest so that the move ends, or to use post-copy.
    type: str
    choices: [abort, suspend, post-copy]
    default: abort
  persist:
    description: Define the VM on the target.
    type: bool
    default: true
  undefine_source:
    description: Remove its definition from the source.
    type: bool
    default: true
  override_protection:
    description: Move a VM that the fleet's policy protects.
    type: bool
    default: false
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.change
  - hostler.fleet._config
  - hostler.fleet._libvirt
  - hostler.fleet._libvirt.parallel
seealso:
  - module: hostler.fleet.vm
  - module: hostler.fleet.host
"""

EXAMPLES = r"""
- name: Move a VM while it runs
  hostler.fleet.vm_migrate:
    host: kvm1
    vm: web1
    target_host: kvm2

- name: Move VMs with their disks, and give up after ten minutes
  hostler.fleet.vm_migrate:
    host: kvm1
    vms: [web2, web3]
    target_host: kvm2
    storage: copy
    timeout: 600
"""

RETURN = r"""
name:
  description: Name of the VM.
  returned: for one VM
  type: str
  sample: db
source_host:
  description: URI of the hypervisor that it came from.
  returned: for one VM
  type: str
  sample: qemu+tcp://192.0.2.1/system
target_host:
  description: URI of the hypervisor that it should be on; null when it could not be planned.
  returned: for one VM
  type: str
  sample: qemu+tcp://192.0.2.2/system
status:
  description: V(migrated), V(unchanged), V(planned) or V(failed).
  returned: for one VM
  type: str
  sample: migrated
runs_on:
  description: URI of the hypervisor that it was found to run on afterwards; null when unknown.
  returned: for one VM
  type: str
  sample: qemu+tcp://192.0.2.2/system
downtime:
  description: Milliseconds that the guest stood still; null when unknown.
  returned: for one VM
  type: int
  sample: 48
data:
  description: Bytes that were moved; null when unknown.
  returned: for one VM
  type: int
  sample: 67261021
seconds:
  description: How long it took; null when nothing was done.
  returned: for one VM
  type: float
  sample: 1.417
plan:
  description: What was done or, in check mode, would be done.
  returned: when the VM could be looked at
  type: dict
  contains:
    id:
      description: Identifier of the plan; M(hostler.fleet.plan_info) finds it once it was applied.
      type: str
      sample: 6a0f1c2b-5d1e9c0a
    summary:
      description: One sentence.
      type: str
      sample: >-
        migrate db from qemu+tcp://192.0.2.1/system to qemu+tcp://192.0.2.2/system (live)
    commands:
      description: Shell commands that an operator would have typed, secrets masked.
      type: list
      elements: str
      sample:
        - >-
          virsh -c qemu+tcp://192.0.2.2/system vol-create-as default db.raw 67108864b --format raw
        - >-
          virsh -c qemu+tcp://192.0.2.1/system migrate db qemu+tcp://192.0.2.2/system --live
          --persistent --undefinesource --copy-storage-all --bandwidth 800
    warnings:
      description: What a person should know.
      type: list
      elements: str
      sample:
        - >-
          the copied volumes stay on the source: /var/lib/libvirt/images/db.raw
diff:
  description: Where the VM was and is, as YAML.
  returned: changed
  type: raw
  sample:
    - before_header: db
      after_header: db
      before: |
        host: qemu+tcp://192.0.2.1/system
        status: running
      after: |
        host: qemu+tcp://192.0.2.2/system
        status: running
results:
  description: For each VM what the task returns for one.
  returned: for a list of VMs
  type: list
  elements: dict
  sample:
    - changed: true
      name: db
      plan:
        id: 6a0f1c2b-5d1e9c0a
        summary: >-
          migrate db from qemu+tcp://192.0.2.1/system to qemu+tcp://192.0.2.2/system (live)
        commands:
          - >-
            virsh -c qemu+tcp://192.0.2.2/system vol-create-as default db.raw 67108864b --format
            raw
          - >-
            virsh -c qemu+tcp://192.0.2.1/system migrate db qemu+tcp://192.0.2.2/system --live
            --persistent --undefinesource --copy-storage-all
        warnings:
          - >-
            the copied volumes stay on the source: /var/lib/libvirt/images/db.raw
      diff:
        before_header: db
        after_header: db
        before: |
          host: qemu+tcp://192.0.2.1/system
          status: running
        after: |
          host: qemu+tcp://192.0.2.2/system
          status: running
      source_host: qemu+tcp://192.0.2.1/system
      target_host: qemu+tcp://192.0.2.2/system
      status: migrated
      runs_on: qemu+tcp://192.0.2.2/system
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
        3 of 3 failed. web: VM 'web' on qemu+tcp://192.0.2.2/system: it is running, and offline
        moves only ...
"""

from ansible_collections.hostler.fleet.plugins.module_utils._vm_migrate import MODULE


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
