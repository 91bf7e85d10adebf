#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: vm
short_description: Create, change, run and remove VMs
version_added: 0.1.0
description:
  - Brings one VM or a list of them to what is wanted, on any hypervisor that libvirt knows.
  - What is left out is left alone; a new VM gets sensible defaults.
  - Memory, CPUs, disks and network cards of a running VM change while it runs where that can be.
  - Every change is journalled, and undone where it fails half way.
author: Hostler contributors (@hostler)
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.change
  - hostler.fleet._config
  - hostler.fleet._vm
  - hostler.fleet._libvirt
  - hostler.fleet._libvirt.parallel
seealso:
  - module: hostler.fleet.vm_info
  - module: hostler.fleet.vm_batch
  - module: hostler.fleet.vm_snapshot
"""

EXAMPLES = r"""
- name: Run a VM with a disk that is made of an image
  hostler.fleet.vm:
    name: web1
    state: running
    cpus: 2
    cpus_max: 8
    memory: 2GiB
    memory_max: 8GiB
    disks:
      - image: images/debian-12-generic-amd64.qcow2
        size: 20GiB
    cloud_init:
      ssh_keys: ["{{ lookup('ansible.builtin.file', '~/.ssh/id_ed25519.pub') }}"]
    wait_for: ssh

- name: Give it more memory while it runs
  hostler.fleet.vm:
    name: web1
    memory: 4GiB

- name: Run a VM on whichever host of the pool has room and two free GPUs
  hostler.fleet.vm:
    name: train1
    host: auto
    state: running
    cpus: 16
    memory: 64GiB
    placement:
      strategy: pack
      host_labels:
        rack: r12
      gpu:
        model: "*L40S*"
        count: 2

- name: Preview a change
  hostler.fleet.vm:
    name: web1
    cpus: 4
  check_mode: true
  diff: true

- name: Run three VMs, side by side
  hostler.fleet.vm:
    state: running
    memory: 1GiB
    disks:
      - backing: debian-12
    vms:
      - name: db1
        memory: 8GiB
      - name: app1
      - name: app2

- name: Remove a VM and its disks
  hostler.fleet.vm:
    name: web1
    state: absent
    force: true
    delete_disks: true
"""

RETURN = r"""
name:
  description: Name of the VM.
  returned: for one VM
  type: str
  sample: web1
vm:
  description:
    - The VM as it is afterwards, with the fields that M(hostler.fleet.vm_info) returns.
    - None where it is not there, and in check mode where it was not there before.
  returned: for one VM
  type: dict
plan:
  description: What was done or, in check mode, would be done.
  returned: when the VM could be looked at
  type: dict
  contains:
    id:
      description: Identifier of the plan; M(hostler.fleet.plan_info) finds it once it was applied.
      type: str
    summary:
      description: One sentence.
      type: str
    commands:
      description: Shell commands that an operator would have typed, secrets masked.
      type: list
      elements: str
    warnings:
      description: What a person should know.
      type: list
      elements: str
  sample:
    id: 6a0f1c2b-5d1e9c0a
    summary: define web and start it
    commands: [virsh define web.xml, virsh start web]
    warnings: []
diff:
  description: The VM before and after, as YAML.
  returned: changed
  type: dict
  sample: {before_header: web1, after_header: web1, before: "memory: 2GiB", after: "memory: 4GiB"}
restart_required:
  description: A change waits for a restart of the VM.
  returned: for one VM
  type: bool
  sample: false
changes_pending:
  description: What waits for the restart.
  returned: for one VM
  type: list
  elements: str
  sample: [cpus_max]
placement:
  description: Which host was chosen for a new VM, and why; none where none was looked for.
  returned: for one VM
  type: dict
  sample:
    host: kvm2
    reason: "the fewest VMs: has 3 VMs, 25 % of CPUs and 40 % of memory with this one"
    others: {kvm1: is in maintenance}
    gpus: []
results:
  description: For each VM what the task returns for one.
  returned: for a list of VMs
  type: list
  elements: dict
vms:
  description: The VMs as they are afterwards.
  returned: for a list of VMs
  type: list
  elements: dict
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of error, for example V(not_found), V(conflict) or V(unreachable).
      type: str
    message:
      description: The sentence.
      type: str
"""

from ansible_collections.hostler.fleet.plugins.module_utils._vm import MODULE


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
