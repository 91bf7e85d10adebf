#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: storage_pool_info
short_description: Read storage pools
version_added: 0.1.0
description:
  - Reads the storage pools of a hypervisor, over a read-only connection.
  - Sizes are bytes. Those of a pool that is not active are none, since nobody knows them.
author: Hostler contributors (@hostler)
options:
  names:
    description: Names of pools, or globs; all of them where left out.
    type: list
    elements: str
    aliases: [name]
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.info
  - hostler.fleet._config
  - hostler.fleet._libvirt
seealso:
  - module: hostler.fleet.storage_pool
"""

EXAMPLES = r"""
- name: Read all pools
  hostler.fleet.storage_pool_info:
  register: storage

- name: Say which are nearly full
  ansible.builtin.debug:
    msg: "{{ item.name }}"
  loop: "{{ storage.pools | selectattr('active') }}"
  when: item.available < item.capacity * 0.1

- name: Read one
  hostler.fleet.storage_pool_info:
    name: vms
"""

RETURN = r"""
pools:
  description: Pools, by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name.
      type: str
      sample: vms
    uuid:
      description: UUID.
      type: str
      sample: c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80
    active:
      description: Whether it runs.
      type: bool
      sample: true
    autostart:
      description: Whether it starts with the host.
      type: bool
      sample: true
    persistent:
      description: Whether it is defined, and there after a restart of the host.
      type: bool
      sample: true
    type:
      description: Type, for example V(dir).
      type: str
      sample: dir
    path:
      description: Where the volumes are.
      type: str
      sample: /var/lib/libvirt/examples
    source_host:
      description: Server that it comes from.
      type: str
    source_path:
      description: Folder on that server.
      type: str
    source_devices:
      description: Devices that it is made of.
      type: list
      elements: str
      sample: []
    source_name:
      description: Volume group, zpool or Ceph pool.
      type: str
    source_format:
      description: Format of the file system or partition table.
      type: str
    capacity:
      description: Size in bytes; none while it is not active.
      type: int
      sample: 270553174016
    allocation:
      description: Bytes in use; none while it is not active.
      type: int
      sample: 31851163648
    available:
      description: Bytes that are free; none while it is not active.
      type: int
      sample: 238702010368
    volumes:
      description: How many volumes it has; none while it is not active.
      type: int
      sample: 0
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
      sample: >-
        storage pool 'other' on qemu:///system: there is none. See which there are: virsh
        pool-list --all
"""

from ansible_collections.hostler.fleet.plugins.module_utils._storage import POOLS


def main() -> None:
    POOLS.main()


if __name__ == "__main__":
    main()
