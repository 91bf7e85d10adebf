#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: vm_batch
short_description: Do one operation to many VMs
version_added: 0.1.0
description:
  - Finds VMs and does one operation to all of them, side by side, with a result for each.
  - Where neither a host nor a URI is named, they are looked for on all hosts of the pool. A name
    that several hosts have is then an error of that VM; a glob or a label means all of them.
author: Hostler contributors (@hostler)
options:
  operation:
    description: What to do.
    type: str
    choices: [start, stop, restart, reset, pause, resume, delete, snapshot]
    required: true
  names:
    description: Names of VMs, or globs such as V(web-*); V(*) stands for all VMs.
    type: list
    elements: str
    aliases: [name]
  graceful:
    description: Ask the guest; V(false) does not wait for it.
    type: bool
    default: true
  timeout:
    description: Seconds that a guest gets to shut down.
    type: int
    default: 120
  delete_disks:
    description: With O(operation=delete), delete the VMs' writable, unshared volumes and files.
    type: bool
    default: false
  snapshot:
    description: Name of the snapshot that O(operation=snapshot) takes.
    type: str
  override_protection:
    description: Change VMs that the fleet's policy protects.
    type: bool
    default: false
  max_failures:
    description: Begin with no other VM once more than this number have failed.
    type: int
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.change
  - hostler.fleet._config
  - hostler.fleet._libvirt
  - hostler.fleet._libvirt.parallel
  - hostler.fleet._vm_filters
attributes:
  idempotent:
    support: partial
    details:
      - The operations V(restart) and V(reset) change something each time.
seealso:
  - module: hostler.fleet.vm
  - module: hostler.fleet.vm_info
"""

EXAMPLES = r"""
- name: Stop all VMs of the test stage, ten at once
  hostler.fleet.vm_batch:
    operation: stop
    labels:
      stage: test
    parallel: 10

- name: Remove what a load test left behind
  hostler.fleet.vm_batch:
    operation: delete
    names: [load-*]
    graceful: false
    delete_disks: true
    max_failures: 3
"""

RETURN = r"""
batch_id:
  description: Identifier of the batch.
  returned: success
  type: str
  sample: batch-8224cf04
operation:
  description: The operation.
  returned: success
  type: str
  sample: resume
total_vms:
  description: How many VMs were found.
  returned: success
  type: int
  sample: 2
status:
  description: V(completed), V(partial) where some failed, or V(failed) where all did.
  returned: success
  type: str
  sample: completed
counts:
  description: How many VMs succeeded, failed, and were not begun with.
  returned: success
  type: dict
  sample: {succeeded: 2, failed: 0, skipped: 0}
results:
  description: >-
    For each VM its name, host, plan, diff, whether it changed, and the error where it failed.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the VM.
      type: str
      sample: one
    host_id:
      description: Id of its host in the pool; null when the hypervisor was named by its URI.
      type: str
      sample: kvm2
    changed:
      description: Whether it was or, in check mode, would be changed.
      type: bool
      sample: true
    plan:
      description: What was done or would be done.
      type: dict
      sample:
        id: 6a0f1c2b-5d1e9c0a
        summary: resume VM one
        commands: ['virsh -c qemu:///system resume one']
    failed:
      description: Whether it failed.
      type: bool
      sample: true
    msg:
      description: Why it failed.
      type: str
      sample: 'VM ''never'' on the hosts of the pool: there is no such VM.'
    error:
      description: What failed, for programs.
      type: dict
      sample: {code: not_found, message: 'VM ''never'' on the hosts of the pool: there is no such
        VM.'}
    diff:
      description: Before and after, as YAML.
      type: dict
      sample:
        before_header: one
        after_header: one
        before: |-
          name: one
          cpus: 1
          cpus_max: 1
          cpu:
            mode: custom
            model: qemu64
          memory: 64MiB
          memory_max: 64MiB
          machine: ...
        after: |-
          name: one
          cpus: 1
          cpus_max: 1
          cpu:
            mode: custom
            model: qemu64
          memory: 64MiB
          memory_max: 64MiB
          machine: ...
unreachable_hosts:
  description:
    - Why hosts of the pool could not be asked, by their ids. Their VMs were left alone.
    - A VM that is named and may be on one of them has failed.
  returned: success
  type: dict
  sample:
    down: >-
      hypervisor qemu+tcp://127.0.0.1:1/system: unable to connect to server at '127.0.0.1:1':
      Connection refused. Check the URI, and that ...
diff:
  description: The VMs before and after, as YAML.
  returned: success
  type: list
  elements: dict
  sample:
    - before_header: one
      after_header: one
      before: |-
        name: one
        cpus: 1
        cpus_max: 1
        cpu:
          mode: custom
          model: qemu64
        memory: 64MiB
        memory_max: 64MiB
        machine: ...
      after: |-
        name: one
        cpus: 1
        cpus_max: 1
        cpu:
          mode: custom
          model: qemu64
        memory: 64MiB
        memory_max: 64MiB
        machine: ...
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
        1 of 4 failed. never: VM 'never' on the hosts of the pool: there is no ...
"""

from ansible_collections.hostler.fleet.plugins.module_utils._vm_batch import MODULE


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
