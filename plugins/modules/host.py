#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: host
short_description: Register hypervisors in the pool
version_added: 0.1.0
description:
  - Registers a libvirt hypervisor, changes what is known of it, or takes it out of the pool.
  - It is connected to before it is registered. The same machine under two ids is refused.
  - The pool is kept in the store, beside the journal. Hosts that are declared below C(hosts) in
    C(fleet.yml) are in it too; those are changed there.
  - VMs are never touched.
  - What is left out stays as it is.
author: Hostler contributors (@hostler)
options:
  id:
    description: Id of the host in the pool, by which other modules and commands name it.
    type: str
    required: true
    aliases: [name]
  state:
    description:
      - V(present) registers it, or changes what is known of it.
      - V(absent) takes it out of the pool. Its VMs stay as they are.
    type: str
    choices: [present, absent]
    default: present
  uri:
    description:
      - Libvirt URI, of any of libvirt's kinds, for example V(qemu+ssh://root@host/system).
      - A new host needs one.
    type: str
  labels:
    description:
      - Labels that placement and inventories go by.
      - Labels that are not named stay; one whose value is null is removed.
    type: dict
  cpu_overcommit:
    description: Virtual CPUs that VMs may have for each CPU of the host; V(4.0) for a new one.
    type: float
  memory_overcommit:
    description: Memory that VMs may have for each byte of the host's; V(1.0) for a new one.
    type: float
  cpu_limit:
    description: Most virtual CPUs that VMs may have together.
    type: int
  memory_limit:
    description: Most memory that VMs may have together, such as V(240GiB).
    type: str
  enabled:
    description: Whether VMs are placed on it; V(true) for a new one.
    type: bool
  force:
    description:
      - With O(state=absent), although it has VMs that were made or changed by this collection, or
        can't be asked about them.
    type: bool
    default: false
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.change
  - hostler.fleet._config
seealso:
  - module: hostler.fleet.host_info
  - module: hostler.fleet.vm
"""

EXAMPLES = r"""
- name: Register a hypervisor
  hostler.fleet.host:
    id: kvm1
    uri: qemu+ssh://root@kvm1.example.com/system
    labels:
      rack: r12
      tier: gold
    memory_limit: 240GiB

- name: Place no more VMs on it
  hostler.fleet.host:
    id: kvm1
    enabled: false

- name: Take it out of the pool
  hostler.fleet.host:
    id: kvm1
    state: absent
"""

RETURN = r"""
name:
  description: Id of the host.
  returned: always
  type: str
  sample: kvm2
host:
  description: The host as it is registered; none where it is not.
  returned: success
  type: dict
  contains:
    id:
      description: Id.
      type: str
      sample: kvm2
    settings:
      description: Its URI, labels, limits.
      type: dict
      sample:
        uri: qemu+ssh://root@kvm2.example.com/system
        labels: {rack: r-kvm2}
        cpu_overcommit: 4.0
        memory_overcommit: 1.0
        enabled: true
    uuid:
      description: UUID of the machine.
      type: str
      sample: c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80
    maintenance:
      description: Whether it is in maintenance.
      type: bool
      sample: false
    source:
      description: V(store) or V(fleet.yml).
      type: str
      sample: store
    created_at:
      description: When it was registered; none for one of C(fleet.yml).
      type: str
      sample: '2026-01-31T12:00:00Z'
    updated_at:
      description: When that was last changed.
      type: str
      sample: '2026-01-31T12:00:00Z'
plan:
  description: What was done, or would be in check mode.
  returned: success
  type: dict
  contains:
    id:
      description: Id of the plan, for C(hostler plan show).
      type: str
      sample: 6a0f1c2b-5d1e9c0a
    summary:
      description: The plan in a few words.
      type: str
      sample: add host kvm2
    commands:
      description: The plan as shell commands.
      type: list
      elements: str
      sample:
        - >-
          hostler host set kvm2 --uri=qemu+ssh://root@kvm2.example.com/system --label=rack=r-kvm2
    warnings:
      description: What a person should know.
      type: list
      elements: str
      sample: []
diff:
  description: Before and after, as YAML.
  returned: changed
  type: dict
  sample:
    before_header: kvm2
    after_header: kvm2
    before: ''
    after: |
      uri: qemu+ssh://root@kvm2.example.com/system
      labels:
        rack: r-kvm2
      cpu_overcommit: 4.0
      memory_overcommit: 1.0
      enabled: true
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of error, for example V(not_found), V(conflict) or V(unreachable).
      type: str
      sample: invalid_input
    message:
      description: The sentence.
      type: str
      sample: 'host ''kvm1'': memory_limit: ''8'' has no unit; write 8GiB or 8MiB.'
"""

from ansible_collections.hostler.fleet.plugins.module_utils._host import HOST


def main() -> None:
    HOST.main()


if __name__ == "__main__":
    main()
