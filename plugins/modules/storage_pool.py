#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: storage_pool
short_description: Manage storage pools
version_added: 0.1.0
description:
  - Creates, changes, starts, stops and removes a storage pool of a hypervisor.
  - Volumes are never deleted, nor is a disk ever formatted. A folder that is missing is made.
  - Stopping, moving or removing a pool in which VMs have disks is refused.
  - Elements of its definition that have no option here stay as they are.
  - What is left out stays as it is.
author: Hostler contributors (@hostler)
options:
  name:
    description: Name of the pool.
    type: str
    required: true
  state:
    description:
      - V(present) creates it, or changes it.
      - V(absent) stops and removes it. Its volumes stay where they are.
    type: str
    choices: [present, absent]
    default: present
  type:
    description:
      - Type of the pool; V(dir) for a new one. It can't be changed.
      - See U(https://libvirt.org/storage.html).
    type: str
    choices:
      - dir
      - disk
      - fs
      - gluster
      - iscsi
      - iscsi-direct
      - logical
      - mpath
      - netfs
      - rbd
      - scsi
      - vstorage
      - zfs
  path:
    description: Folder where the volumes are, or where the source is mounted.
    type: str
  source_host:
    description: Server of a pool on the network, for example of O(type=netfs).
    type: str
  source_path:
    description: Folder on that server.
    type: str
  source_devices:
    description: Block devices that it is made of, or the iSCSI target.
    type: list
    elements: str
  source_name:
    description: Name of the volume group, zpool or Ceph pool.
    type: str
  source_format:
    description: Format of the file system or partition table, for example V(nfs).
    type: str
  active:
    description: Whether it runs; a new one does.
    type: bool
  autostart:
    description: Whether it starts with the host; a new one does.
    type: bool
  force:
    description: Stop, move or remove it although VMs have disks in it. The VMs stay as they are.
    type: bool
    default: false
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.change
  - hostler.fleet._config
  - hostler.fleet._libvirt
seealso:
  - module: hostler.fleet.storage_pool_info
"""

EXAMPLES = r"""
- name: A folder for VMs
  hostler.fleet.storage_pool:
    name: vms
    path: /srv/vms

- name: A share of a file server
  hostler.fleet.storage_pool:
    name: images
    type: netfs
    path: /srv/images
    source_host: nas.example.com
    source_path: /export/images
    source_format: nfs

- name: Remove it; its volumes stay
  hostler.fleet.storage_pool:
    name: vms
    state: absent
"""

RETURN = r"""
name:
  description: Name of the pool.
  returned: always
  type: str
  sample: pool
pool:
  description: The pool as it is; none where there is none.
  returned: success
  type: dict
  contains:
    name:
      description: Name.
      type: str
      sample: pool
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
      sample: false
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
      sample: /srv/fleet/elsewhere
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
      sample: 30380208128
    available:
      description: Bytes that are free; none while it is not active.
      type: int
      sample: 240172965888
    volumes:
      description: How many volumes it has; none while it is not active.
      type: int
      sample: 0
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
      sample: change storage pool pool
    commands:
      description: The plan as shell commands.
      type: list
      elements: str
      sample:
        - virsh -c qemu:///system pool-destroy pool
        - virsh -c qemu:///system pool-define pool.xml
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
    before_header: pool
    after_header: pool
    before: |
      type: dir
      path: /srv/fleet/pool
      active: true
      autostart: true
    after: |
      type: dir
      path: /srv/fleet/elsewhere
      active: true
      autostart: false
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of error, for example V(not_found), V(conflict) or V(unreachable).
      type: str
      sample: conflict
    message:
      description: The sentence.
      type: str
      sample: >-
        storage pool 'default' on qemu:///system: it is a pool of type dir, and logical is wanted.
        ...
"""

from ansible_collections.hostler.fleet.plugins.module_utils._storage import POOL


def main() -> None:
    POOL.main()


if __name__ == "__main__":
    main()
