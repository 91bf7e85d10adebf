#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: openstack_server_port
short_description: Connect an OpenStack server to a network
version_added: 0.1.0
description:
  - Makes a port in a network and attaches it to a server, or detaches it and deletes it.
  - A port is known by its name within its network, so that a second run finds the one that the
    first made. It is in the server's project.
  - Names are compared to the letter. Where several servers, networks or ports have a name, nothing
    is done, and the error says their ids.
  - Where the server is just doing something else, attaching is tried again until O(timeout). A port
    that could not be attached is deleted again.
  - A port that is there and differs from what is wanted is left alone, and the task fails. So it is
    where another server has the port.
  - It needs an administrator.
author: Hostler contributors (@hostler)
options:
  server:
    description: The server's name or id.
    type: str
    required: true
  network:
    description: The network's name or id.
    type: str
    required: true
  state:
    description:
      - V(present) makes the port and attaches it.
      - V(absent) detaches it and deletes it.
    type: str
    choices: [present, absent]
    default: present
  name:
    description: The port's name; C(SERVER-NETWORK-port), of their names, where left out.
    type: str
  subnet:
    description: The subnet of a new port, by name or id; Neutron chooses where it is left out.
    type: str
  fixed_ip:
    description:
      - The IP address of a new port; Neutron chooses where it is left out.
      - It needs O(subnet) where the network has several.
    type: str
  mac:
    description: The MAC address of a new port; Neutron chooses where it is left out.
    type: str
  security_groups:
    description:
      - The security groups of a new port, by name or id, of the server's project.
      - The project's default group where left out, none where the list is empty.
    type: list
    elements: str
  timeout:
    description: Seconds that attaching or detaching may take.
    type: int
    default: 120
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.change
  - hostler.fleet._config
  - hostler.fleet._openstack
seealso:
  - module: hostler.fleet.openstack_network_info
  - module: hostler.fleet.openstack_server_info
"""

EXAMPLES = r"""
- name: Connect a server to the storage network
  hostler.fleet.openstack_server_port:
    server: gpu-host-001-train
    network: storage-network
  register: storage

- name: Say its address
  ansible.builtin.debug:
    msg: "{{ storage.port.addresses | first }}"

- name: With an address and security groups of its own
  hostler.fleet.openstack_server_port:
    server: gpu-host-003-infer
    network: storage-network
    fixed_ip: 10.150.0.20
    security_groups: [nfs]

- name: Take it off
  hostler.fleet.openstack_server_port:
    server: gpu-host-001-train
    network: storage-network
    state: absent
"""

RETURN = r"""
name:
  description: The port's name.
  returned: always, but for bad input
  type: str
  sample: a-train-2-storage-network-port
port:
  description: The port as it is now, in check mode too; none where it is not there.
  returned: always, but for bad input
  type: dict
  contains:
    id:
      description: Its id.
      type: str
      sample: c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80
    name:
      description: Name.
      type: str
      sample: a-train-2-storage-network-port
    network_id:
      description: Id of its network.
      type: str
      sample: c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80
    project_id:
      description: Id of its project.
      type: str
      sample: 8a8bbda92ede4e1ab43ddad0e0e7c4bd
    server_id:
      description: Id of the server that it is attached to.
      type: str
      sample: c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80
    mac:
      description: MAC address.
      type: str
      sample: fa:16:3e:7b:82:35
    addresses:
      description: IP addresses.
      type: list
      elements: str
      sample:
        - 10.150.0.30
    status:
      description: What Neutron says of it, for example V(ACTIVE) or V(DOWN).
      type: str
      sample: ACTIVE
    vif_type:
      description:
        - How its host plugs it in, for example V(ovs), or V(binding_failed) where it could not.
        - None unless we are administrator.
      type: str
      sample: ovs
    security_groups:
      description: Ids of its security groups.
      type: list
      elements: str
      sample:
        - c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80
plan:
  description: Id, summary, commands and warnings of the plan.
  returned: when it could be planned
  type: dict
  sample:
    id: 6a0f1c2b-5d1e9c0a
    summary: >-
      make port a-train-2-storage-network-port in network storage-network; attach port
      a-train-2-storage-network-port to server a-train-2
    commands:
      - >-
        openstack port create --network storage-network --project 8a8bbda92ede4e1ab43ddad0e0e7c4bd
        --fixed-ip subnet=c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80,ip-address=10.150.0.30
        --security-group c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80 a-train-2-storage-network-port
      - >-
        openstack server add port c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80
        a-train-2-storage-network-port
diff:
  description: Network, server and addresses before and after, as YAML.
  returned: changed
  type: dict
  sample:
    before_header: a-train-2-storage-network-port
    after_header: a-train-2-storage-network-port
    before: ''
    after: |
      name: a-train-2-storage-network-port
      network: storage-network
      server: a-train-2
      addresses:
      - 10.150.0.30
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of error, for example V(not_found), V(conflict) or V(denied).
      type: str
      sample: conflict
    message:
      description: The sentence.
      type: str
      sample: >-
        port 'a-train-2-storage-network-port': its address is 10.150.0.30, not 10.150.0.31. Remove
        it first (state: absent), or give the ...
"""

from ansible_collections.hostler.fleet.plugins.module_utils._openstack_port import MODULE


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
