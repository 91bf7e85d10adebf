#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: hyperstack_vm
short_description: Create, change, run and remove VMs on Hyperstack
version_added: 0.1.0
description:
  - Brings one VM or a list of them to what is wanted. A VM is known by its exact name within its
    environment. What is left out is left alone.
  - A creation that was not answered is looked up by name, and never sent twice. A new VM that does
    not come up is deleted again.
  - Labels, public address, rules, volumes and callback are changed in place. Where that can't be
    done, the task fails and says so, or the VM is made anew with O(recreate=true).
  - Firewalls are left alone; M(hostler.fleet.hyperstack_firewall_attachment) is for them.
author: Hostler contributors (@hostler)
options:
  parallel:
    description: How many VMs are worked on at once; the configuration's number where left out.
    type: int
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.change
  - hostler.fleet._config
  - hostler.fleet._hyperstack
  - hostler.fleet._hyperstack_vm
seealso:
  - module: hostler.fleet.hyperstack_vm_info
  - module: hostler.fleet.hyperstack_firewall_attachment
  - module: hostler.fleet.hyperstack_flavor_info
  - module: hostler.fleet.hyperstack_image_info
"""

EXAMPLES = r"""
- name: Run a VM
  hostler.fleet.hyperstack_vm:
    name: train-1
    environment: default-CANADA-1
    state: started
    image: Ubuntu Server 22.04 LTS R535 CUDA 12.2
    flavor: n3-L40x1
    key: ops
    floating_ip: true
    security_rules:
      - port_range_min: 22
  register: train

- name: Preview a change
  hostler.fleet.hyperstack_vm:
    name: train-1
    environment: default-CANADA-1
    labels: [team-a]
    volumes: [datasets]
  check_mode: true
  diff: true

- name: Hibernate two VMs, so that their GPUs cost nothing
  hostler.fleet.hyperstack_vm:
    environment: default-CANADA-1
    state: hibernated
    vms:
      - name: train-1
      - name: train-2

- name: Delete a VM
  hostler.fleet.hyperstack_vm:
    name: train-1
    environment: default-CANADA-1
    state: absent
"""

RETURN = r"""
name:
  description: Name of the VM.
  returned: for one VM
  type: str
  sample: web-1
vm:
  description:
    - The VM as it is afterwards, with the fields that M(hostler.fleet.hyperstack_vm_info) returns.
    - None where it is not there, and in check mode.
  returned: for one VM
  type: dict
  sample:
    id: 1016
    name: web-1
    status: ACTIVE
    power_state: RUNNING
    vm_state: active
    environment: {id: 1005, name: default-CANADA-1, created_at: '2026-01-31T12:00:00', region:
      CANADA-1}
    image: {name: Ubuntu 22.04}
    flavor: {id: 1011, name: n3-L40x1, region_name: CANADA-1, cpu: 4, ram: 16.0, disk: 100.0,
      ephemeral: 0.0, gpu: L40}
plan:
  description: What was done or, in check mode, would be done.
  returned: when it could be planned, for one VM
  type: dict
  contains:
    id:
      description: Identifier of the plan; M(hostler.fleet.plan_info) finds it once it was applied.
      type: str
      sample: 6a0f1c2b-5d1e9c0a
    summary:
      description: One sentence.
      type: str
      sample: create VM web-1
    commands:
      description: Shell commands that an operator would have typed, the key and user data masked.
      type: list
      elements: str
      sample:
        - >-
          curl -X POST https://infrahub-api.nexgencloud.com/v1/core/virtual-machines -H 'api_key:
          ****' -H 'Content-Type: application/json' -d '{"name": "web-1", "environment_name":
          "default-CANADA-1", "image_name": ...
        - >-
          curl -X GET 'https://infrahub-api.nexgencloud.com/v1/core/virtual-machines/<id>' -H
          'api_key: ****'
    warnings:
      description: What a person should know.
      type: list
      elements: str
      sample: []
diff:
  description: Before and after, as YAML.
  returned: changed
  type: raw
  sample:
    - before_header: w0
      after_header: w0
      before: ''
      after: |-
        name: w0
        environment: default-CANADA-1
        status: ACTIVE
        image: Ubuntu 22.04
        flavor: n3-L40x1
        key: ops
        labels: []
        floating_ip: ...
results:
  description: For each VM what the task returns for one.
  returned: for a list of VMs
  type: list
  elements: dict
  sample:
    - changed: true
      name: w0
      plan:
        id: 6a0f1c2b-5d1e9c0a
        summary: create VM w0
        commands:
          - >-
            curl -X POST https://infrahub-api.nexgencloud.com/v1/core/virtual-machines -H
            'api_key: ****' -H 'Content-Type: application/json' -d '{"name": "w0",
            "environment_name": "default-CANADA-1", "image_name": ...
          - >-
            curl -X GET 'https://infrahub-api.nexgencloud.com/v1/core/virtual-machines/<id>' -H
            'api_key: ****'
      diff:
        before_header: w0
        after_header: w0
        before: ''
        after: |-
          name: w0
          environment: default-CANADA-1
          status: ACTIVE
          image: Ubuntu 22.04
          flavor: n3-L40x1
          key: ops
          labels: []
          floating_ip: ...
      vm:
        id: 1015
        name: w0
        status: ACTIVE
        power_state: RUNNING
        vm_state: active
        environment:
          id: 1005
          name: default-CANADA-1
          created_at: '2026-01-31T12:00:00'
          region: CANADA-1
        image:
          name: Ubuntu 22.04
        flavor:
          id: 1011
          name: n3-L40x1
          region_name: CANADA-1
          cpu: 4
          ram: 16.0
          disk: 100.0
          ephemeral: 0.0
          gpu: L40
vms:
  description: The VMs as they are afterwards.
  returned: for a list of VMs
  type: list
  elements: dict
  sample:
    - id: 1015
      name: w0
      status: ACTIVE
      power_state: RUNNING
      vm_state: active
      environment:
        id: 1005
        name: default-CANADA-1
        created_at: '2026-01-31T12:00:00'
        region: CANADA-1
      image:
        name: Ubuntu 22.04
      flavor:
        id: 1011
        name: n3-L40x1
        region_name: CANADA-1
        cpu: 4
        ram: 16.0
        disk: 100.0
        ephemeral: 0.0
        gpu: L40
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of error, for example V(not_found), V(conflict) or V(denied).
      type: str
      sample: failed_items
    message:
      description: The sentence.
      type: str
      sample: >-
        1 of 2 failed. x: VM 'x' in default-CANADA-1: there is no image 'no' in region ...
"""

from ansible_collections.hostler.fleet.plugins.module_utils._hyperstack_vm import VM


def main() -> None:
    VM.main()


if __name__ == "__main__":
    main()
