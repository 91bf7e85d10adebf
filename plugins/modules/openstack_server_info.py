#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: openstack_server_info
short_description: Read OpenStack servers
version_added: 0.1.0
description:
  - Reads the servers of all projects, with id, status, host and addresses.
  - Names are compared to the letter. Where no server fits, RV(servers) is empty.
  - Makes the same few calls however many servers there are. It needs an administrator.
author: Hostler contributors (@hostler)
options:
  name:
    description: Only servers of exactly this name, or the one of this id.
    type: str
  host:
    description: Only servers on this host.
    type: str
  project:
    description: Only servers of the project of this name or id.
    type: str
  status:
    description: Only servers of this status, for example V(ACTIVE), whatever its case.
    type: str
  ports:
    description: Read the servers' ports too.
    type: bool
    default: false
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.info
  - hostler.fleet._config
  - hostler.fleet._openstack
seealso:
  - module: hostler.fleet.openstack_network_info
  - module: hostler.fleet.openstack_server_port
"""

EXAMPLES = r"""
- name: Read a server and its ports
  hostler.fleet.openstack_server_info:
    name: gpu-host-001-train
    ports: true
  register: found

- name: Say its id and status
  ansible.builtin.debug:
    msg: "{{ found.servers[0].id }} is {{ found.servers[0].status }}"

- name: Read what has failed on a host
  hostler.fleet.openstack_server_info:
    host: gpu-host-001
    status: error
"""

RETURN = r"""
servers:
  description: The servers that fit, by name.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Its id.
      type: str
      sample: c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80
    name:
      description: Name, which other servers may have too.
      type: str
      sample: a-train-2
    status:
      description: Status in Nova, for example V(ACTIVE), V(SHUTOFF) or V(ERROR).
      type: str
      sample: ACTIVE
    task_state:
      description: What is just being done with it.
      type: str
    power_state:
      description: Whether it runs, by its host, for example V(running) or V(shutdown).
      type: str
      sample: running
    host:
      description: Host that it is on.
      type: str
      sample: gpu-host-001
    availability_zone:
      description: Availability zone.
      type: str
      sample: nova
    flavor:
      description: Name of its flavor.
      type: str
      sample: n3-L40x4
    tenant:
      description: Name of its project; none where we may not list projects.
      type: str
      sample: tenant-a
    tenant_id:
      description: Id of its project.
      type: str
      sample: 8a8bbda92ede4e1ab43ddad0e0e7c4bd
    image:
      description: Id of its image; none where it boots from a volume.
      type: str
      sample: c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80
    created:
      description: When it was made, in UTC.
      type: str
      sample: '2026-01-31T12:00:00Z'
    updated:
      description: When it last changed, in UTC.
      type: str
      sample: '2026-01-31T12:00:00Z'
    locked:
      description: Whether it is locked against changes.
      type: bool
      sample: false
    addresses:
      description: IP addresses by the network's name.
      type: dict
      sample:
        tenant-a-net: [192.168.0.159]
        storage-network: [10.150.0.30]
    ports:
      description: Its ports; none unless O(ports=true).
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
          sample: fa:16:3e:72:2f:a5
        addresses:
          description: IP addresses.
          type: list
          elements: str
          sample:
            - 192.168.0.159
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
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of error, for example V(denied) or V(unreachable).
      type: str
      sample: denied
    message:
      description: The sentence.
      type: str
      sample: >-
        Nova of cloud 'box-reader': we may not do that: Policy doesn't allow
        os_compute_api:servers:detail:get_all_tenants to be performed. ...
"""

from ansible_collections.hostler.fleet.plugins.module_utils._openstack_info import SERVERS


def main() -> None:
    SERVERS.main()


if __name__ == "__main__":
    main()
