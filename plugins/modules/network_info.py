#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: network_info
short_description: Read virtual networks of hypervisors
version_added: 0.1.0
description:
  - Reads the virtual networks of a hypervisor, over a read-only connection.
author: Hostler contributors (@hostler)
options:
  names:
    description: Names of networks, or globs; all of them where left out.
    type: list
    elements: str
    aliases: [name]
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.info
  - hostler.fleet._config
  - hostler.fleet._libvirt
seealso:
  - module: hostler.fleet.network
"""

EXAMPLES = r"""
- name: Read all networks
  hostler.fleet.network_info:
  register: found

- name: Read one
  hostler.fleet.network_info:
    name: lab
"""

RETURN = r"""
networks:
  description: Networks, by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name.
      type: str
      sample: lan
    uuid:
      description: UUID.
      type: str
      sample: c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80
    active:
      description: Whether it runs.
      type: bool
      sample: false
    autostart:
      description: Whether it starts with the host.
      type: bool
      sample: false
    persistent:
      description: Whether it is defined, and there after a restart of the host.
      type: bool
      sample: true
    mode:
      description: How guests get out; libvirt's own word where it is none of this collection's.
      type: str
      sample: isolated
    bridge:
      description: Name of the bridge.
      type: str
      sample: virbr1
    domain:
      description: DNS domain of the guests.
      type: str
      sample: lab.example.com
    mtu:
      description: Largest packet in bytes.
      type: int
    address:
      description: The host's own address, with its prefix.
      type: str
      sample: 10.231.7.2/24
    dhcp_ranges:
      description: Addresses that DHCP gives away.
      type: list
      elements: dict
      sample:
        - start: 10.231.7.100
          end: 10.231.7.200
    dhcp_hosts:
      description: Addresses that are kept for machines.
      type: list
      elements: dict
      sample:
        - mac: 52:54:00:aa:bb:01
          address: 10.231.7.10
          name: web
    vlans:
      description: VLANs of all ports.
      type: list
      elements: int
      sample: []
    portgroups:
      description: Kinds of ports.
      type: list
      elements: dict
      sample: []
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
      sample: "network 'other' on qemu:///system: there is none. See 'hostler network list'."
"""

from ansible_collections.hostler.fleet.plugins.module_utils._network import NETWORKS


def main() -> None:
    NETWORKS.main()


if __name__ == "__main__":
    main()
