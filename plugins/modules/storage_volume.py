#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: storage_volume
short_description: Manage volumes of storage pools, and their content
version_added: 0.1.0
description:
  - Creates, fills, clones, grows, downloads and deletes a volume.
  - A volume never shrinks, and one that is there keeps its content. O(image), O(clone_volume) and
    O(backing_volume) are for a new one.
  - A volume whose upload or copy was interrupted, by a broken connection or a killed process, is
    made anew.
  - Deleting one is refused while VMs have it as a disk, and always while it backs another volume.
author: Hostler contributors (@hostler)
options:
  pool:
    description: Pool that it is in; it must be active.
    type: str
    required: true
  name:
    description: Name of the volume.
    type: str
    required: true
  state:
    description:
      - V(present) creates it, or grows it.
      - V(absent) deletes it, and its data.
    type: str
    choices: [present, absent]
    default: present
  size:
    description:
      - What a guest sees, such as V(20GiB).
      - A new one that is made of nothing needs one.
      - One that VMs have as a disk is grown by the VM's C(disks), with M(hostler.fleet.vm).
    type: str
  format:
    description: Format of a new one; V(qcow2), or V(raw) in pools of block devices.
    type: str
    choices: [raw, qcow2]
  image:
    description:
      - Raw or qcow2 file to fill a new one with.
      - A path on the machine that runs the task, or an address (C(http://), C(https://)), whose
        file goes to the hypervisor as it comes in, by way of the machine that runs the task.
      - The login and the query of an address are never shown. Logins may be in C(~/.netrc) instead.
    type: str
  checksum:
    description:
      - What the image must have, C(sha256:) or C(sha512:) and hexadecimal digits.
      - In place of the digits, the address of a file that lists them (such as C(SHA256SUMS)), where
        the image is found by its name.
      - A volume whose image has another one is not kept.
    type: str
  clone_volume:
    description: Volume that a new one is a full copy of.
    type: str
  backing_volume:
    description: Volume that a new one is a linked clone of; it must stay.
    type: str
  source_pool:
    description: Pool of O(clone_volume) or O(backing_volume); O(pool) where left out.
    type: str
  download_to:
    description:
      - File, on the machine that runs the task, that is to have the volume's content.
      - It is written under another name and put in its place once it is whole. One that has that
        size and content already stays as it is.
      - Refused while running VMs can write to the volume.
    type: str
  force:
    description:
      - With O(state=absent), although VMs have it as a disk.
      - With O(download_to), although running VMs can write to it meanwhile.
    type: bool
    default: false
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.change
  - hostler.fleet._config
  - hostler.fleet._libvirt
seealso:
  - module: hostler.fleet.storage_volume_info
  - module: hostler.fleet.storage_pool
"""

EXAMPLES = r"""
- name: An empty volume; once it is there, it can grow
  hostler.fleet.storage_volume:
    pool: vms
    name: data.qcow2
    size: 20GiB

- name: One with the content of an image
  hostler.fleet.storage_volume:
    pool: vms
    name: base.qcow2
    image: debian-12.qcow2

- name: One from a web server
  hostler.fleet.storage_volume:
    pool: vms
    name: debian-12.qcow2
    image: https://cloud.debian.org/images/cloud/bookworm/latest/debian-12-genericcloud-amd64.qcow2
    checksum: sha512:https://cloud.debian.org/images/cloud/bookworm/latest/SHA512SUMS

- name: Its content in a file
  hostler.fleet.storage_volume:
    pool: vms
    name: base.qcow2
    download_to: /var/backups/base.qcow2

- name: A linked clone of it
  hostler.fleet.storage_volume:
    pool: vms
    name: web.qcow2
    backing_volume: base.qcow2
    size: 40GiB
"""

RETURN = r"""
name:
  description: Name of the volume.
  returned: always
  type: str
  sample: linked
volume:
  description: The volume as it is; none where there is none.
  returned: success
  type: dict
  contains:
    pool:
      description: Pool that it is in.
      type: str
      sample: pool
    name:
      description: Name.
      type: str
      sample: linked
    path:
      description: Where it is.
      type: str
      sample: /srv/fleet/pool/linked
    capacity:
      description: Size in bytes, as a guest sees it.
      type: int
      sample: 4194304
    allocation:
      description: Bytes that it takes.
      type: int
      sample: 200704
    format:
      description: V(qcow2) or V(raw), for example; none where its pool has no formats.
      type: str
      sample: qcow2
    backing:
      description: Path of the volume that it is a linked clone of.
      type: str
      sample: /srv/fleet/pool/data
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
      sample: create volume linked in pool pool
    commands:
      description: The plan as shell commands.
      type: list
      elements: str
      sample:
        - >-
          virsh -c qemu:///system vol-create-as pool linked 4194304b --format qcow2 --backing-vol
          /srv/fleet/pool/data
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
    before_header: linked
    after_header: linked
    before: ''
    after: |
      size: 4MiB
      format: qcow2
      backing: /srv/fleet/pool/data
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of error, for example V(not_found), V(conflict) or V(unreachable).
      type: str
      sample: plan_failed
    message:
      description: The sentence.
      type: str
      sample: >-
        could not upload https://**********@files.example.com/image.raw to volume other in pool
        pool: image https://**********@files.example.com/image.raw: its checksum is
        sha256:2962802d9e7896396f4338607b6e2d0c261058fca8c6b879c2d30f917495489a. ...
"""

from ansible_collections.hostler.fleet.plugins.module_utils._storage import VOLUME


def main() -> None:
    VOLUME.main()


if __name__ == "__main__":
    main()
