#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: hyperstack_vm_info
short_description: Read VMs on Hyperstack
version_added: 0.1.0
description:
  - Reads VMs, all pages of them. Fields are as Hyperstack shows them, new ones too.
author: Hostler contributors (@hostler)
options:
  names:
    description: Names of VMs, or globs such as V(train-*); all VMs where left out.
    type: list
    elements: str
    aliases: [name]
  environment:
    description: Only VMs of this environment.
    type: str
  status:
    description: Only VMs of these states, for example V(ACTIVE).
    type: list
    elements: str
  labels:
    description: Only VMs that carry all of these labels.
    type: list
    elements: str
  extra:
    description:
      - What to read beside the ordinary fields. Each costs a call or two for each VM, V(firewalls)
        a list for all.
    type: list
    elements: str
    choices: [metrics, events, logs, firewalls]
  metrics_duration:
    description: How far back metrics go.
    type: str
    choices: [1h, 2h, 4h, 6h, 12h, 1d, 3d, 7d, 15d, 30d]
    default: 1h
  log_lines:
    description: How many lines of the console's log are read.
    type: int
    default: 100
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.info
  - hostler.fleet._config
  - hostler.fleet._hyperstack
seealso:
  - module: hostler.fleet.hyperstack_vm
"""

EXAMPLES = r"""
- name: Read all VMs
  hostler.fleet.hyperstack_vm_info:
  register: all_vms

- name: Read what the VMs of an environment do
  hostler.fleet.hyperstack_vm_info:
    environment: default-CANADA-1
    status: [ACTIVE]
    extra: [metrics, firewalls]
    metrics_duration: 1d
"""

RETURN = r"""
vms:
  description: VMs, by name.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Number.
      type: int
      sample: 1016
    name:
      description: Name.
      type: str
      sample: web-1
    status:
      description: State, in Hyperstack's words.
      type: str
      sample: SHUTOFF
    power_state:
      description: Whether it runs.
      type: str
      sample: SHUTDOWN
    environment:
      description: Environment.
      type: dict
      sample: {id: 1005, name: default-CANADA-1, created_at: '2026-01-31T12:00:00', region:
        CANADA-1}
    image:
      description: Image.
      type: dict
      sample: {name: Ubuntu 22.04}
    flavor:
      description: Flavor.
      type: dict
      sample: {id: 1011, name: n3-L40x1, region_name: CANADA-1, cpu: 4, ram: 16.0, disk: 100.0,
        ephemeral: 0.0, gpu: L40}
    keypair:
      description: SSH key.
      type: dict
      sample: {name: ops}
    floating_ip:
      description: Public address; none where it has none.
      type: str
      sample: 185.0.4.17
    fixed_ip:
      description: Address within the environment.
      type: str
      sample: 10.0.4.17
    labels:
      description: Labels.
      type: list
      elements: str
      sample:
        - b
    security_rules:
      description: Rules of its own.
      type: list
      elements: dict
      sample:
        - direction: ingress
          protocol: tcp
          ethertype: IPv4
          remote_ip_prefix: 0.0.0.0/0
          port_range_min: 22
          port_range_max: 22
          id: 1015
          status: SUCCESS
    volume_attachments:
      description: Volumes.
      type: list
      elements: dict
      sample: []
    callback_url:
      description: Whom Hyperstack tells of its events.
      type: str
    firewalls:
      description: Firewalls that are attached to it, with O(extra=firewalls).
      type: list
      elements: dict
      sample: []
    metrics:
      description: Series of its use by name, with O(extra=metrics).
      type: dict
    events:
      description: What happened to it, with O(extra=events).
      type: list
      elements: dict
    logs:
      description: The console's log, with O(extra=logs).
      type: str
      sample: |-
        [0] web-1 boots
        [1] web-1 boots
        [2] web-1 boots
    vm_state:
      description: State in words of its cloud.
      type: str
      sample: stopped
    os:
      description: Operating system, by its image.
      type: str
      sample: Ubuntu
    floating_ip_status:
      description: What becomes of its public address.
      type: str
      sample: ATTACHED
    port_randomization:
      description: Whether ports of its public address are others than its own.
      type: bool
      sample: true
    locked:
      description: Whether it is locked.
      type: bool
      sample: false
    created_at:
      description: When it was made.
      type: str
      sample: '2026-01-31T12:00:00'
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of error, for example V(not_found), V(conflict) or V(denied).
      type: str
    message:
      description: The sentence.
      type: str
"""

from ansible_collections.hostler.fleet.plugins.module_utils._hyperstack_vm import INFO


def main() -> None:
    INFO.main()


if __name__ == "__main__":
    main()
