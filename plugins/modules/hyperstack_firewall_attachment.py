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
  sample: guard
firewall:
  description:
    - The firewall as it is afterwards, with the fields that
      M(hostler.fleet.hyperstack_firewall_info) returns; none in check mode.
  returned: success
  type: dict
  sample:
    id: 1020
    name: guard
    description: ''
    status: SUCCESS
    environment: {id: 1005, name: default-CANADA-1, created_at: '2026-01-31T12:00:00', region:
      CANADA-1}
    rules:
      - {direction: ingress, protocol: tcp, ethertype: IPv4, remote_ip_prefix: 0.0.0.0/0,
        port_range_min: 80, port_range_max: 80, id: 1022, status: SUCCESS}
    attachments:
      - status: SUCCESS
        vm: {id: 1016, name: b, status: ACTIVE, created_at: '2026-01-31T12:00:00', flavor:
          n3-L40x1, environment: default-CANADA-1}
        id: 1024
        created_at: '2026-01-31T12:00:00'
    created_at: '2026-01-31T12:00:00'
plan:
  description: What was done or, in check mode, would be done.
  returned: when it could be planned
  type: dict
  contains:
    id:
      description: Identifier of the plan; M(hostler.fleet.plan_info) finds it once it was applied.
      type: str
      sample: 6a0f1c2b-5d1e9c0a
    summary:
      description: One sentence.
      type: str
      sample: detach firewall guard from VM a
    commands:
      description: Shell commands that an operator would have typed, the key and user data masked.
      type: list
      elements: str
      sample:
        - >-
          curl -X POST
          https://infrahub-api.nexgencloud.com/v1/core/virtual-machines/1015/attach-firewalls -H
          'api_key: ****' -H 'Content-Type: application/json' -d '{"firewalls": [1017]}'
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
    before_header: guard
    after_header: guard
    before: |
      firewall: guard
      vms:
      - a
      - b
    after: |
      firewall: guard
      vms:
      - b
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of error, for example V(not_found), V(conflict) or V(denied).
      type: str
      sample: not_found
    message:
      description: The sentence.
      type: str
      sample: 'firewall ''none'' in default-CANADA-1: it is not there (there: none).'
"""

from ansible_collections.hostler.fleet.plugins.module_utils._hyperstack_firewall import ATTACHMENT


def main() -> None:
    ATTACHMENT.main()


if __name__ == "__main__":
    main()
