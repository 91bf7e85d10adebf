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
  sample: one
vm:
  description:
    - The VM as it is afterwards, with the fields that M(hostler.fleet.vm_info) returns.
    - None where it is not there, and in check mode where it was not there before.
  returned: for one VM
  type: dict
  sample:
    id: c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80
    name: one
    uuid: c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80
    status: stopped
    uri: qemu:///system
    host: kvm1
    hypervisor: qemu
    hypervisor_details: {host: kvm1, version: 7.2.22, uuid: c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80}
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
      sample: create VM one on qemu:///system
    commands:
      description: Shell commands that an operator would have typed, secrets masked.
      type: list
      elements: str
      sample:
        - >-
          virsh -c qemu:///system vol-create-as default one 1048576b --format qcow2
        - >-
          virsh -c qemu:///system vol-create-as default one-seed-8ae6b4d94c26.iso 1048576b
          --format raw
    warnings:
      description: What a person should know.
      type: list
      elements: str
      sample: []
  sample:
    id: 6a0f1c2b-5d1e9c0a
    summary: define web and start it
    commands: [virsh define web.xml, virsh start web]
    warnings: []
diff:
  description: The VM before and after, as YAML.
  returned: changed
  type: raw
  sample:
    - before_header: two
      after_header: two
      before: |-
        name: two
        cpus: 1
        cpus_max: 1
        cpu:
          mode: custom
          model: qemu64
        memory: 128MiB
        memory_max: 128MiB
        machine: ...
      after: |-
        name: two
        cpus: 1
        cpus_max: 1
        cpu:
          mode: custom
          model: qemu64
        memory: 128MiB
        memory_max: 128MiB
        machine: ...
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
  sample: []
placement:
  description: Which host was chosen for a new VM, and why; none where none was looked for.
  returned: for one VM
  type: dict
  sample:
    vm: new
    host: kvm1
    uri: qemu+ssh://root@kvm1.example.com/system
    strategy: pack
    reason: 'the fullest: has 9 % of CPUs and 19 % of memory with this one'
    others: {kvm2: has 3 % of CPUs and 6 % of memory with this one}
results:
  description: For each VM what the task returns for one.
  returned: for a list of VMs
  type: list
  elements: dict
  sample:
    - changed: true
      name: two
      plan:
        id: 6a0f1c2b-5d1e9c0a
        summary: shut down VM two
        commands:
          - virsh -c qemu:///system shutdown two
          - virsh -c qemu:///system start two
      diff:
        before_header: two
        after_header: two
        before: |-
          name: two
          cpus: 1
          cpus_max: 1
          cpu:
            mode: custom
            model: qemu64
          memory: 128MiB
          memory_max: 128MiB
          machine: ...
        after: |-
          name: two
          cpus: 1
          cpus_max: 1
          cpu:
            mode: custom
            model: qemu64
          memory: 128MiB
          memory_max: 128MiB
          machine: ...
      vm:
        id: c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80
        name: two
        uuid: c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80
        status: running
        uri: qemu:///system
        host: kvm1
        hypervisor: qemu
        hypervisor_details:
          host: kvm1
          version: 7.2.22
          uuid: c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80
      restart_required: false
vms:
  description: The VMs as they are afterwards.
  returned: for a list of VMs
  type: list
  elements: dict
  sample:
    - id: c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80
      name: two
      uuid: c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80
      status: running
      uri: qemu:///system
      host: kvm1
      hypervisor: qemu
      hypervisor_details:
        host: kvm1
        version: 7.2.22
        uuid: c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of error, for example V(not_found), V(conflict) or V(unreachable).
      type: str
      sample: not_found
    message:
      description: The sentence.
      type: str
      sample: >-
        VM 'one' on qemu:///system: there is no volume 'none' in pool 'default'.
"""

from ansible_collections.hostler.fleet.plugins.module_utils._vm import MODULE


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
