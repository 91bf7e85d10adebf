#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: hyperstack_launch
short_description: Launch GPU VMs of Hyperstack on hosts of your own
version_added: 0.1.0
description:
  - Makes a VM at Hyperstack that takes all GPUs of a host, waits until it runs, looks up in Nova
    whether it landed on that host, gives it a port in the storage network and attaches the
    firewall.
  - Everything is checked before anything is made. When a step fails, those before it are undone.
  - A VM that is there already, and runs on its host, gets what it lacks of port and firewall.
  - Hyperstack can't be told a host. The host must be in the pool for launches (V(runpod)), with no
    server on it; where the VM landed is checked afterwards.
author: Hostler contributors (@hostler)
options:
  hostname:
    description: The GPU host, as Nova spells it.
    type: str
  hostnames:
    description: Several hosts, each of which gets a VM of its own name.
    type: list
    elements: str
  name:
    description: The VM's name; the host's where it is left out.
    type: str
  image:
    description: Name or id of the image; the host's region must have it.
    type: str
    required: true
    aliases: [image_name, image_id]
  region:
    description:
      - Hyperstack's name of the region. Where it is left out, it is the one of C(launches.regions)
        in the configuration of which C(hosts) have the host.
    type: str
  environment:
    description: The Hyperstack environment, in place of the region's.
    type: str
  key:
    description: Name of the SSH key, in place of the region's.
    type: str
  network:
    description: Name or id of the OpenStack network of the VM's port, in place of the region's.
    type: str
  firewall:
    description: Name or id of the Hyperstack firewall, in place of the region's.
    type: str
  flavor:
    description: In place of the flavor for all of the host's GPUs and its variant.
    type: str
  user_data:
    description: Data for cloud-init. It is shown by its digest only, and never stored.
    type: str
  runpod:
    description:
      - Makes the VM a RunPod host, by a packaged template, in place of O(user_data).
      - The key gets into the VM's user data.
    type: dict
    suboptions:
      api_key:
        description:
          - RunPod's API key; E(RUNPOD_API_KEY) is used where it is left out.
        type: str
        required: true
      installer_url:
        description: Where RunPod's host installer is downloaded from.
        type: str
        required: true
      disk:
        description: The disk that the installer takes.
        type: str
        default: /dev/vdb
      ports:
        description: The public ports that tenants get.
        type: str
        default: 10000-50000
  labels:
    description: Labels of the VM.
    type: list
    elements: str
    default: []
  floating_ip:
    description: Whether it gets a public address.
    type: bool
    default: true
  strict_placement:
    description: Refuse where the VM could land on another host. Otherwise that is a warning.
    type: bool
    default: false
  on_misplaced:
    description: What becomes of a VM that landed on another host.
    type: str
    choices: [delete, keep]
    default: delete
  on_failure:
    description: What becomes of a VM when a step after its creation fails.
    type: str
    choices: [delete, keep]
    default: delete
  wait_timeout:
    description: Seconds until it must run.
    type: int
    default: 1800
  override_protection:
    description: Use hosts that the fleet's policy protects.
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
  - hostler.fleet._hyperstack
  - hostler.fleet._libvirt.parallel
seealso:
  - module: hostler.fleet.aggregate_migration
  - module: hostler.fleet.hyperstack_vm
  - module: hostler.fleet.hyperstack_firewall_attachment
"""

EXAMPLES = r"""
- name: See what a launch would do, and what it costs
  hostler.fleet.hyperstack_launch:
    hostname: gpu-host-001
    image: RunPod Ubuntu 22.04
  check_mode: true
  register: preview

- name: Launch RunPod hosts, two at once
  hostler.fleet.hyperstack_launch:
    hostnames: [gpu-host-001, gpu-host-002, gpu-host-003]
    image: RunPod Ubuntu 22.04
    runpod:
      api_key: "{{ runpod_api_key }}"
      installer_url: https://example.com/host-install
    strict_placement: false
    parallel: 2
"""

RETURN = r"""
hostname:
  description: The host.
  returned: success
  type: str
  sample: gpu-host-002
vm_id:
  description: Hyperstack's id of the VM.
  returned: when it is there
  type: int
  sample: 1016
image_name:
  description: The image.
  returned: success
  type: str
  sample: RunPod Ubuntu 22.04
status:
  description: The VM's status.
  returned: when it is there
  type: str
  sample: ACTIVE
flavor:
  description: The flavor.
  returned: success
  type: str
  sample: n3-L40x8
network_setup:
  description: Whether it has its port in the storage network.
  returned: when it is there
  type: bool
  sample: true
firewall_configured:
  description: Whether the firewall is attached.
  returned: when it is there
  type: bool
  sample: true
placed_on:
  description: The host that it runs on.
  returned: when it is there
  type: str
  sample: gpu-host-002
command:
  description: The request that makes the VM. Keys are masked, user data is shown by its digest.
  returned: when there is something to make
  type: str
  sample: >-
    curl -X POST https://infrahub-api.nexgencloud.com/v1/core/virtual-machines -H 'api_key: ****'
    -H 'Content-Type: application/json' -d '{"name": "gpu-host-002", "environment_name":
    "CA1-RunPod", "image_name": ...
masked_command:
  description: The same as RV(command).
  returned: when there is something to make
  type: str
  sample: >-
    curl -X POST https://infrahub-api.nexgencloud.com/v1/core/virtual-machines -H 'api_key: ****'
    -H 'Content-Type: application/json' -d '{"name": "gpu-host-002", "environment_name":
    "CA1-RunPod", "image_name": ...
estimated_resources:
  description: The flavor, its number of GPUs, and its price in dollars an hour where it is known.
  returned: success
  type: dict
  sample: {flavor: n3-L40x8, gpu_count: 8, price_per_hour: 8.0}
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
      sample: launch VM gpu-host-002 on host gpu-host-002
    commands:
      description: The shell commands that an operator would have typed, secrets masked.
      type: list
      elements: str
      sample:
        - >-
          openstack aggregate set --property hostler:lock:6a0f1c2b-5d1e9c0a=gpu-host-002 3
        - openstack server list --all-projects --host gpu-host-002
    warnings:
      description: What a person should know.
      type: list
      elements: str
      sample: []
results:
  description: The result of each host.
  returned: with O(hostnames)
  type: list
  elements: dict
  sample:
    - changed: true
      name: gpu-host-002
      plan:
        id: 6a0f1c2b-5d1e9c0a
        summary: launch VM gpu-host-002 on host gpu-host-002
        commands:
          - >-
            openstack aggregate set --property hostler:lock:6a0f1c2b-5d1e9c0a=gpu-host-002 3
          - openstack server list --all-projects --host gpu-host-002
      diff:
        before_header: gpu-host-002
        after_header: gpu-host-002
        before: ''
        after: |-
          name: gpu-host-002
          environment: CA1-RunPod
          status: ACTIVE
          image: RunPod Ubuntu 22.04
          flavor: n3-L40x8
          key: fleet
          labels: [] ...
      hostname: gpu-host-002
      vm_id: 1016
      image_name: RunPod Ubuntu 22.04
      status: ACTIVE
diff:
  description: The VM before and after, as YAML.
  returned: success
  type: raw
  sample:
    before_header: gpu-host-002
    after_header: gpu-host-002
    before: ''
    after: |-
      name: gpu-host-002
      environment: CA1-RunPod
      status: ACTIVE
      image: RunPod Ubuntu 22.04
      flavor: n3-L40x8
      key: fleet
      labels: [] ...
name:
  description: Name of the VM.
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
      sample: conflict
    message:
      description: The sentence.
      type: str
      sample: >-
        host 'gpu-host-002': there is a VM 'gpu-host-002' already, and its image is RunPod Ubuntu
        22.04, not ...
"""

from ansible_collections.hostler.fleet.plugins.module_utils._hyperstack_launch import MODULE


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
