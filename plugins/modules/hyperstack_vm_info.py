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
    name:
      description: Name.
      type: str
    status:
      description: State, in Hyperstack's words.
      type: str
      sample: ACTIVE
    power_state:
      description: Whether it runs.
      type: str
      sample: RUNNING
    environment:
      description: Environment.
      type: dict
    image:
      description: Image.
      type: dict
    flavor:
      description: Flavor.
      type: dict
    keypair:
      description: SSH key.
      type: dict
    floating_ip:
      description: Public address; none where it has none.
      type: str
    fixed_ip:
      description: Address within the environment.
      type: str
    labels:
      description: Labels.
      type: list
      elements: str
    security_rules:
      description: Rules of its own.
      type: list
      elements: dict
    volume_attachments:
      description: Volumes.
      type: list
      elements: dict
    callback_url:
      description: Whom Hyperstack tells of its events.
      type: str
    firewalls:
      description: Firewalls that are attached to it, with O(extra=firewalls).
      type: list
      elements: dict
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
