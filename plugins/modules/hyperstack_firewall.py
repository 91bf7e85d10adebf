#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: hyperstack_firewall
short_description: Create, change and remove firewalls on Hyperstack
version_added: 0.1.0
description:
  - Brings a firewall to the rules that it should have. Rules are a set. What is missing is added
    first, then what is too much is removed, twins too.
  - A firewall that is attached to VMs is not removed. It serves VMs of its own environment only.
author: Hostler contributors (@hostler)
options:
  name:
    description: Name of the firewall, exactly.
    type: str
    required: true
  environment:
    description: Name of the environment that it serves.
    type: str
    required: true
  state:
    description: Whether it should be there.
    type: str
    choices: [present, absent]
    default: present
  description:
    description: What it is for. Hyperstack keeps that of the creation.
    type: str
  rules:
    description: All rules; left alone where left out.
    type: list
    elements: dict
    suboptions:
      direction:
        description: Which way.
        type: str
        choices: [ingress, egress]
        default: ingress
      protocol:
        description: Protocol.
        type: str
        choices:
          - any
          - ah
          - dccp
          - egp
          - esp
          - gre
          - hopopt
          - icmp
          - icmpv6
          - igmp
          - ip
          - ipip
          - ipv6-encap
          - ipv6-frag
          - ipv6-icmp
          - ipv6-nonxt
          - ipv6-opts
          - ipv6-route
          - ospf
          - pgm
          - rsvp
          - sctp
          - tcp
          - udp
          - udplite
          - vrrp
        default: tcp
      ethertype:
        description: Version of IP.
        type: str
        choices: [IPv4, IPv6]
        default: IPv4
      remote_ip_prefix:
        description: Network at the other end; all of them where left out.
        type: str
      port_range_min:
        description: Port, or the first one; all of them where left out.
        type: int
      port_range_max:
        description: Last port; the first one where left out.
        type: int
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.change
  - hostler.fleet._config
  - hostler.fleet._hyperstack
seealso:
  - module: hostler.fleet.hyperstack_firewall_attachment
  - module: hostler.fleet.hyperstack_firewall_info
"""

EXAMPLES = r"""
- name: Let SSH and a range of ports in
  hostler.fleet.hyperstack_firewall:
    name: runpod
    environment: default-CANADA-1
    rules:
      - port_range_min: 22
        remote_ip_prefix: 203.0.113.0/24
      - port_range_min: 10000
        port_range_max: 50000

- name: Remove a firewall
  hostler.fleet.hyperstack_firewall:
    name: runpod
    environment: default-CANADA-1
    state: absent
"""

RETURN = r"""
name:
  description: Name of the firewall.
  returned: always
  type: str
  sample: x
firewall:
  description:
    - The firewall as it is afterwards, with the fields that
      M(hostler.fleet.hyperstack_firewall_info) returns.
    - None where it is not there, and in check mode.
  returned: success
  type: dict
  sample:
    id: 1019
    name: x
    description: ''
    status: SUCCESS
    environment: {id: 1005, name: default-CANADA-1, created_at: '2026-01-31T12:00:00', region:
      CANADA-1}
    rules:
      - {direction: ingress, protocol: tcp, ethertype: IPv4, remote_ip_prefix: 0.0.0.0/0,
        port_range_min: 22, port_range_max: 22, id: 1020, status: SUCCESS}
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
      sample: >-
        create firewall x in default-CANADA-1; let firewall x have the rule ingress tcp 22 from
        0.0.0.0/0
    commands:
      description: Shell commands that an operator would have typed, the key and user data masked.
      type: list
      elements: str
      sample:
        - >-
          curl -X POST https://infrahub-api.nexgencloud.com/v1/core/firewalls -H 'api_key: ****'
          -H 'Content-Type: application/json' -d '{"name": "x", "environment_id": 1005,
          "description": ...
        - >-
          curl -X POST
          'https://infrahub-api.nexgencloud.com/v1/core/firewalls/<id>/firewall-rules' -H
          'api_key: ****' -H 'Content-Type: application/json' -d '{"direction": "ingress",
          "protocol": "tcp", "ethertype": ...
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
    before_header: x
    after_header: x
    before: ''
    after: |
      name: x
      environment: default-CANADA-1
      description: ''
      rules:
      - ingress tcp 22 from 0.0.0.0/0
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

from ansible_collections.hostler.fleet.plugins.module_utils._hyperstack_firewall import FIREWALL


def main() -> None:
    FIREWALL.main()


if __name__ == "__main__":
    main()
