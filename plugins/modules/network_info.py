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
    uuid:
      description: UUID.
      type: str
    active:
      description: Whether it runs.
      type: bool
    autostart:
      description: Whether it starts with the host.
      type: bool
    persistent:
      description: Whether it is defined, and there after a restart of the host.
      type: bool
    mode:
      description: How guests get out; libvirt's own word where it is none of this collection's.
      type: str
    bridge:
      description: Name of the bridge.
      type: str
    domain:
      description: DNS domain of the guests.
      type: str
    mtu:
      description: Largest packet in bytes.
      type: int
    address:
      description: The host's own address, with its prefix.
      type: str
    dhcp_ranges:
      description: Addresses that DHCP gives away.
      type: list
      elements: dict
    dhcp_hosts:
      description: Addresses that are kept for machines.
      type: list
      elements: dict
    vlans:
      description: VLANs of all ports.
      type: list
      elements: int
    portgroups:
      description: Kinds of ports.
      type: list
      elements: dict
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of error, for example V(not_found), V(conflict) or V(unreachable).
      type: str
    message:
      description: The sentence.
      type: str
"""

from ansible_collections.hostler.fleet.plugins.module_utils._network import NETWORKS


def main() -> None:
    NETWORKS.main()


if __name__ == "__main__":
    main()
