#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: hyperstack_firewall_info
short_description: Read firewalls on Hyperstack
version_added: 0.1.0
description:
  - Reads firewalls with their rules and the VMs that they are attached to, all pages of them.
author: Hostler contributors (@hostler)
options:
  name:
    description: Only the firewall of this name or number.
    type: str
  environment:
    description: Only firewalls of this environment.
    type: str
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.info
  - hostler.fleet._config
  - hostler.fleet._hyperstack
seealso:
  - module: hostler.fleet.hyperstack_firewall
  - module: hostler.fleet.hyperstack_firewall_attachment
"""

EXAMPLES = r"""
- name: Read all firewalls
  hostler.fleet.hyperstack_firewall_info:
  register: all_firewalls

- name: Say which VMs are guarded
  hostler.fleet.hyperstack_firewall_info:
    name: runpod
    environment: default-CANADA-1
  register: guard
"""

RETURN = r"""
firewalls:
  description: Firewalls.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Number.
      type: int
      sample: 1020
    name:
      description: Name.
      type: str
      sample: guard
    description:
      description: What it is for.
      type: str
      sample: ''
    environment:
      description: Environment.
      type: dict
      sample: {id: 1005, name: default-CANADA-1, created_at: '2026-01-31T12:00:00', region:
        CANADA-1}
    rules:
      description: Rules.
      type: list
      elements: dict
      sample:
        - direction: ingress
          protocol: tcp
          ethertype: IPv4
          remote_ip_prefix: 0.0.0.0/0
          port_range_min: 80
          port_range_max: 80
          id: 1022
          status: SUCCESS
    attachments:
      description: VMs that it is attached to; C(status) of each is V(SUCCESS) once it works.
      type: list
      elements: dict
      sample:
        - status: SUCCESS
          vm:
            id: 1016
            name: b
            status: ACTIVE
            created_at: '2026-01-31T12:00:00'
            flavor: n3-L40x1
            environment: default-CANADA-1
          id: 1024
          created_at: '2026-01-31T12:00:00'
    status:
      description: Status.
      type: str
      sample: SUCCESS
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

from ansible_collections.hostler.fleet.plugins.module_utils._hyperstack_firewall import INFO


def main() -> None:
    INFO.main()


if __name__ == "__main__":
    main()
