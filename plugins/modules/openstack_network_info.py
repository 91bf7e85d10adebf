#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: openstack_network_info
short_description: Read OpenStack networks and their subnets
version_added: 0.1.0
description:
  - Reads the networks that we may see, with their subnets.
  - Names are compared to the letter. Where no network fits, RV(networks) is empty.
author: Hostler contributors (@hostler)
options:
  name:
    description: Only networks of exactly this name, or the one of this id.
    type: str
  ports:
    description: Count the ports of each network too, of those that we may see.
    type: bool
    default: false
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.info
  - hostler.fleet._config
  - hostler.fleet._openstack
seealso:
  - module: hostler.fleet.openstack_server_info
  - module: hostler.fleet.openstack_server_port
"""

EXAMPLES = r"""
- name: Read a network
  hostler.fleet.openstack_network_info:
    name: storage-network
  register: found

- name: Say its id and VLAN
  ansible.builtin.debug:
    msg: "{{ found.networks[0].id }} is VLAN {{ found.networks[0].segmentation_id }}"

- name: Read all networks
  hostler.fleet.openstack_network_info:
    cloud: production
"""

RETURN = r"""
networks:
  description: The networks that fit, as Neutron lists them.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Its id.
      type: str
      sample: c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80
    name:
      description: Name, which other networks may have too.
      type: str
      sample: storage-network
    status:
      description: What Neutron says of it, for example V(ACTIVE).
      type: str
      sample: ACTIVE
    shared:
      description: Whether all projects may use it.
      type: bool
      sample: true
    external:
      description: Whether it leads out of the cloud.
      type: bool
      sample: false
    project_id:
      description: Id of its project.
      type: str
      sample: 8a8bbda92ede4e1ab43ddad0e0e7c4bd
    mtu:
      description: Largest packet, in bytes.
      type: int
      sample: 9000
    network_type:
      description: Kind of network, for example V(vlan); none unless we are administrator.
      type: str
      sample: vlan
    physical_network:
      description: Physical network below it; none unless we are administrator.
      type: str
      sample: physnet1
    segmentation_id:
      description: VLAN or tunnel; none unless we are administrator.
      type: int
      sample: 150
    subnets:
      description: Its subnets.
      type: list
      elements: dict
      contains:
        id:
          description: Its id.
          type: str
          sample: c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80
        name:
          description: Name.
          type: str
          sample: storage-subnet
        network_id:
          description: Id of its network.
          type: str
          sample: c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80
        cidr:
          description: Its addresses.
          type: str
          sample: 10.150.0.0/20
        gateway_ip:
          description: Address of the gateway; none where it has none.
          type: str
          sample: 10.150.0.1
        dhcp:
          description: Whether there is DHCP.
          type: bool
          sample: false
        allocation_pools:
          description: From where Neutron takes addresses.
          type: list
          elements: str
          sample:
            - 10.150.0.2-10.150.15.254
    ports:
      description: Number of its ports; none unless O(ports=true).
      type: int
      sample: 0
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of error, for example V(denied) or V(unreachable).
      type: str
      sample: invalid_input
    message:
      description: The sentence.
      type: str
      sample: >-
        cloud 'bocks': no cloud to connect to: Cloud bocks was not found. Set OS_CLOUD, or name
        ...
"""

from ansible_collections.hostler.fleet.plugins.module_utils._openstack_info import NETWORKS


def main() -> None:
    NETWORKS.main()


if __name__ == "__main__":
    main()
