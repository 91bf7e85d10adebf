#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: hyperstack_firewall_attachment
short_description: Attach firewalls to VMs on Hyperstack
version_added: 0.1.0
description:
  - Attaches one firewall to VMs, detaches it, or makes them the only ones. Whatever else is
    attached stays, whether it is other firewalls of these VMs or this firewall on other VMs.
  - Hyperstack takes what it is sent as the whole set. So everything is read first, nothing is
    written after a read that failed, and it is read again until it is in effect. What another VM
    has lost meanwhile is put back once; if that does not help, the task fails and says what.
  - VMs must be C(ACTIVE) or C(SHUTOFF).
author: Hostler contributors (@hostler)
options:
  firewall:
    description: Name of the firewall, or its number.
    type: str
    required: true
  environment:
    description: Name of the environment of both.
    type: str
    required: true
  vms:
    description: Names of VMs, or their numbers.
    type: list
    elements: str
    required: true
  state:
    description:
      - V(present) attaches it to these VMs, V(absent) detaches it from them.
      - V(exact) also detaches it from all others; an empty list is all of them.
    type: str
    choices: [present, absent, exact]
    default: present
  wait_timeout:
    description: Seconds that Hyperstack gets to bring it into effect.
    type: int
    default: 300
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.change
  - hostler.fleet._config
  - hostler.fleet._hyperstack
seealso:
  - module: hostler.fleet.hyperstack_firewall
  - module: hostler.fleet.hyperstack_firewall_info
"""

EXAMPLES = r"""
- name: Guard a VM
  hostler.fleet.hyperstack_firewall_attachment:
    firewall: runpod
    environment: default-CANADA-1
    vms: [train-1]

- name: Detach a firewall from all VMs
  hostler.fleet.hyperstack_firewall_attachment:
    firewall: "971"
    environment: default-CANADA-1
    vms: []
    state: exact
"""

RETURN = r"""
name:
  description: The firewall, as it was named.
  returned: always
  type: str
  sample: web
firewall:
  description:
    - The firewall as it is afterwards, with the fields that
      M(hostler.fleet.hyperstack_firewall_info) returns; none in check mode.
  returned: success
  type: dict
plan:
  description: What was done or, in check mode, would be done.
  returned: when it could be planned
  type: dict
  contains:
    id:
      description: Identifier of the plan; M(hostler.fleet.plan_info) finds it once it was applied.
      type: str
    summary:
      description: One sentence.
      type: str
    commands:
      description: Shell commands that an operator would have typed, the key and user data masked.
      type: list
      elements: str
    warnings:
      description: What a person should know.
      type: list
      elements: str
diff:
  description: Before and after, as YAML.
  returned: changed
  type: dict
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

from ansible_collections.hostler.fleet.plugins.module_utils._hyperstack_firewall import ATTACHMENT


def main() -> None:
    ATTACHMENT.main()


if __name__ == "__main__":
    main()
