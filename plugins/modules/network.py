#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: network
short_description: Manage virtual networks of hypervisors
version_added: 0.1.0
description:
  - Creates, changes, starts, stops and removes a virtual network of a hypervisor.
  - DHCP ranges, reservations and portgroups change while the network runs. Anything else stops and
    starts it, which is refused while VMs are connected to it.
  - Elements of its definition that have no option here stay as they are.
  - What is left out stays as it is. A list that is given is the whole list.
author: Hostler contributors (@hostler)
options:
  name:
    description: Name of the network.
    type: str
    required: true
  state:
    description:
      - V(present) creates it, or changes it.
      - V(absent) stops and removes it. VMs are not touched.
    type: str
    choices: [present, absent]
    default: present
  mode:
    description:
      - V(nat), V(routed) and V(isolated) make a bridge of their own; V(nat) for a new network.
      - V(bridge) and V(openvswitch) use one that the host has.
    type: str
    choices: [nat, routed, isolated, bridge, openvswitch]
  bridge:
    description: Name of the bridge; needed with V(bridge) and V(openvswitch).
    type: str
  domain:
    description: DNS domain of the guests.
    type: str
  mtu:
    description: Largest packet in bytes.
    type: int
  address:
    description: The host's own IPv4 address, with its prefix, such as V(10.0.0.1/24).
    type: str
  dhcp_ranges:
    description: Addresses that DHCP gives away; needs O(address).
    type: list
    elements: dict
    suboptions:
      start:
        description: First one.
        type: str
        required: true
      end:
        description: Last one.
        type: str
        required: true
  dhcp_hosts:
    description: Addresses that are kept for machines.
    type: list
    elements: dict
    suboptions:
      mac:
        description: MAC address.
        type: str
        required: true
      address:
        description: IPv4 address.
        type: str
        required: true
      name:
        description: Host name.
        type: str
  vlans:
    description: VLANs of all ports, with O(mode=openvswitch); several make a trunk.
    type: list
    elements: int
  portgroups:
    description: Kinds of ports.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name.
        type: str
        required: true
      default:
        description: Whether ports that name none are of this kind.
        type: bool
        default: false
      vlans:
        description: VLANs, with O(mode=openvswitch); several make a trunk.
        type: list
        elements: int
  active:
    description: Whether it runs; a new one does.
    type: bool
  autostart:
    description: Whether it starts with the host; a new one does.
    type: bool
  force:
    description: Stop, restart or remove it although VMs are connected. They lose their link.
    type: bool
    default: false
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.change
  - hostler.fleet._config
  - hostler.fleet._libvirt
seealso:
  - module: hostler.fleet.network_info
"""

EXAMPLES = r"""
- name: A network with DHCP behind NAT
  hostler.fleet.network:
    name: lab
    address: 10.20.0.1/24
    dhcp_ranges:
      - start: 10.20.0.100
        end: 10.20.0.200
    dhcp_hosts:
      - mac: "52:54:00:aa:bb:01"
        address: 10.20.0.10
        name: web

- name: VLANs on Open vSwitch
  hostler.fleet.network:
    name: switch
    mode: openvswitch
    bridge: br0
    portgroups:
      - name: office
        default: true
        vlans: [10]
      - name: trunk
        vlans: [10, 20]
"""

RETURN = r"""
name:
  description: Name of the network.
  returned: always
  type: str
  sample: switch
network:
  description: The network as it is; none where there is none.
  returned: success
  type: dict
  contains:
    name:
      description: Name.
      type: str
      sample: switch
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
      sample: true
    persistent:
      description: Whether it is defined, and there after a restart of the host.
      type: bool
      sample: true
    mode:
      description: How guests get out; libvirt's own word where it is none of this collection's.
      type: str
      sample: openvswitch
    bridge:
      description: Name of the bridge.
      type: str
      sample: br-none
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
      sample:
        - name: office
          default: true
          vlans:
            - 10
plan:
  description: What was done, or would be in check mode.
  returned: success
  type: dict
  contains:
    id:
      description: Id of the plan, for C(hostler plan show).
      type: str
      sample: 6a0f1c2b-5d1e9c0a
    summary:
      description: The plan in a few words.
      type: str
      sample: create network switch
    commands:
      description: The plan as shell commands.
      type: list
      elements: str
      sample:
        - virsh -c qemu:///system net-define switch.xml
        - virsh -c qemu:///system net-autostart switch
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
    before_header: switch
    after_header: switch
    before: ''
    after: |-
      mode: openvswitch
      bridge: br-none
      dhcp_ranges: []
      dhcp_hosts: []
      vlans: []
      portgroups:
      - name: office
        default: true ...
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of error, for example V(not_found), V(conflict) or V(unreachable).
      type: str
      sample: invalid_input
    message:
      description: The sentence.
      type: str
      sample: >-
        network 'other' on qemu:///system: 10.231.9.100 is not in the network of 10.231.8.1/24.
"""

from ansible_collections.hostler.fleet.plugins.module_utils._network import NETWORK


def main() -> None:
    NETWORK.main()


if __name__ == "__main__":
    main()
