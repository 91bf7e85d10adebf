#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: vm_info
short_description: Read VMs
version_added: 0.1.0
description:
  - Reads the VMs of a hypervisor over one read-only connection, with a few calls whatever their
    number; those of all hosts of the pool, side by side, where neither a host nor a URI is named.
  - What could not be found out is none, never a made-up value.
author: Hostler contributors (@hostler)
options:
  names:
    description: Names of VMs, or globs such as V(web-*); all VMs where left out.
    type: list
    elements: str
    aliases: [name]
  fields:
    description: What to read beside the ordinary fields; each costs time.
    type: list
    elements: str
    choices: [config, hardware, stats, addresses, snapshots, xml]
  sort:
    description: Field to sort by; a V(-) before it turns the order round.
    type: str
    choices: [name, status, cpu_cores, memory_mb, -name, -status, -cpu_cores, -memory_mb]
    default: name
  page:
    description: Page to return, from 1.
    type: int
    default: 1
  limit:
    description: VMs per page; V(0) returns all.
    type: int
    default: 0
  agent_timeout:
    description: Seconds that a guest agent gets to answer.
    type: int
    default: 2
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.info
  - hostler.fleet._config
  - hostler.fleet._libvirt
  - hostler.fleet._vm_filters
seealso:
  - module: hostler.fleet.vm
"""

EXAMPLES = r"""
- name: Read all VMs
  hostler.fleet.vm_info:
  register: all_vms

- name: Read the VMs of one host of the pool
  hostler.fleet.vm_info:
    host: kvm1

- name: Read running web servers with their addresses
  hostler.fleet.vm_info:
    name: web-*
    status: running
    fields: [addresses]
  register: web

- name: Read the second page of the largest VMs
  hostler.fleet.vm_info:
    sort: -memory_mb
    page: 2
    limit: 20
"""

RETURN = r"""
vms:
  description: VMs.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name.
      type: str
    uuid:
      description: UUID; RV(vms[].id) is the same.
      type: str
    id:
      description: UUID.
      type: str
    status:
      description: State.
      type: str
      sample: running
    uri:
      description: Libvirt URI of the hypervisor.
      type: str
    host:
      description: Host name of the hypervisor.
      type: str
    host_id:
      description: Its id in the pool; null when it was named by its URI.
      type: str
    cpu_cores:
      description: Virtual CPUs.
      type: int
    memory_mb:
      description: Memory in MiB.
      type: int
    disk_gb:
      description: Size of all disks in GiB, where it was read.
      type: float
    resources:
      description: CPUs, memory and disks in all of their units.
      type: dict
    network:
      description: Addresses, and who told them.
      type: dict
    os_type:
      description: Kind of operating system.
      type: str
    os_version:
      description: Version of the operating system.
      type: str
    labels:
      description: Labels.
      type: dict
    metadata:
      description: Metadata.
      type: dict
    autostart:
      description: Whether the VM starts with its hypervisor.
      type: bool
    changes_pending:
      description: What comes into effect with the next start.
      type: list
      elements: str
    hardware:
      description: The hardware in full, with O(fields=hardware).
      type: dict
    stats:
      description: Use of CPU, memory, disks and network, with O(fields=stats).
      type: dict
    snapshots:
      description: Snapshots, with O(fields=snapshots).
      type: list
      elements: dict
    xml:
      description: Libvirt's XML, with O(fields=xml).
      type: str
    warnings:
      description: What could not be read of it, and why. The task warns of it too.
      type: list
      elements: str
total:
  description: How many VMs were found, on all pages.
  returned: success
  type: int
  sample: 42
unreachable_hosts:
  description:
    - Why hosts of the pool could not be asked, by their ids. Their VMs are not in RV(vms).
    - A VM that is named and may be on one of them makes the task fail.
  returned: success
  type: dict
  sample: {}
pagination:
  description: Which part of them RV(vms) is.
  returned: success
  type: dict
  sample: {page: 2, limit: 20, total: 42, pages: 3}
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

from ansible_collections.hostler.fleet.plugins.module_utils._vm_info import MODULE


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
