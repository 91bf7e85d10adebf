#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: vm_snapshot
short_description: Take, revert to and remove snapshots of VMs
version_added: 0.1.0
description:
  - Brings one snapshot or a list of them to what is wanted.
author: Hostler contributors (@hostler)
options:
  name:
    description: Name of the snapshot.
    type: str
  vm:
    description: Name of the VM; for a list, that of the items that name none.
    type: str
  state:
    description:
      - Whether the snapshot should be there, or the VM be brought back to it.
      - V(reverted) always changes something.
    type: str
    choices: [present, absent, reverted]
    default: present
  description:
    description: Free text.
    type: str
  memory:
    description: Keep the memory of a running VM too.
    type: bool
    default: false
  external:
    description: Keep the snapshot in files of its own instead of within the disk's qcow2.
    type: bool
    default: false
  quiesce:
    description: Freeze the guest's file systems meanwhile, which needs the guest agent.
    type: bool
    default: false
  running:
    description: With V(reverted), run the VM or leave it stopped; as it was saved where left out.
    type: bool
  children:
    description: With V(absent), remove the snapshot's children too.
    type: bool
    default: false
  override_protection:
    description: Change a VM that the fleet's policy protects.
    type: bool
    default: false
  snapshots:
    description:
      - Snapshots that are worked on side by side.
      - What an item leaves out is taken from the task's own options.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the snapshot.
        type: str
        required: true
      vm:
        description: Name of the VM.
        type: str
      state:
        description: As O(state).
        type: str
        choices: [present, absent, reverted]
      description:
        description: Free text.
        type: str
      memory:
        description: As O(memory).
        type: bool
      external:
        description: As O(external).
        type: bool
      quiesce:
        description: As O(quiesce).
        type: bool
      running:
        description: As O(running).
        type: bool
      children:
        description: As O(children).
        type: bool
      override_protection:
        description: As O(override_protection).
        type: bool
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.change
  - hostler.fleet._config
  - hostler.fleet._libvirt
  - hostler.fleet._libvirt.parallel
seealso:
  - module: hostler.fleet.vm
  - module: hostler.fleet.vm_info
"""

EXAMPLES = r"""
- name: Take a snapshot before an upgrade
  hostler.fleet.vm_snapshot:
    vm: web1
    name: before-upgrade
    quiesce: true

- name: Bring the VM back to it
  hostler.fleet.vm_snapshot:
    vm: web1
    name: before-upgrade
    state: reverted
    running: true

- name: Remove old snapshots
  hostler.fleet.vm_snapshot:
    state: absent
    snapshots:
      - {vm: web1, name: before-upgrade}
      - {vm: web2, name: before-upgrade}
"""

RETURN = r"""
name:
  description: Name of the VM.
  returned: for one snapshot
  type: str
  sample: one
snapshots:
  description: The VM's snapshots afterwards, by name.
  returned: for one snapshot
  type: dict
  sample:
    then: {state: shutoff, memory: false, external: false, current: true, parent: now}
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
      sample: remove snapshot now of domain one
    commands:
      description: Shell commands that an operator would have typed, secrets masked.
      type: list
      elements: str
      sample:
        - virsh -c qemu:///system snapshot-delete one now
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
  description: The VM's snapshots before and after, as YAML.
  returned: changed
  type: raw
  sample:
    - before_header: one
      after_header: one
      before: |
        now:
          description: as it is
          state: shutoff
          memory: false
          external: false
          current: true
      after: |-
        now:
          description: as it is
          state: shutoff
          memory: false
          external: false
          current: false
        then:
          memory: false ...
results:
  description: For each snapshot what the task returns for one.
  returned: for a list of snapshots
  type: list
  elements: dict
  sample:
    - changed: false
      name: one
      plan:
        id: 6a0f1c2b-5d1e9c0a
        summary: snapshot now is as wanted
      snapshots:
        now:
          description: as it is
          state: shutoff
          memory: false
          external: false
          current: true
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
        VM 'one' on qemu:///system: there is no such VM. See 'hostler vm list'.
"""

from ansible_collections.hostler.fleet.plugins.module_utils._vm_snapshot import MODULE


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
