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
      sample: one
    uuid:
      description: UUID; RV(vms[].id) is the same.
      type: str
      sample: c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80
    id:
      description: UUID.
      type: str
      sample: c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80
    status:
      description: State.
      type: str
      sample: stopped
    uri:
      description: Libvirt URI of the hypervisor.
      type: str
      sample: qemu:///system
    host:
      description: Host name of the hypervisor.
      type: str
      sample: kvm1
    host_id:
      description: Its id in the pool; null when it was named by its URI.
      type: str
      sample: kvm1
    cpu_cores:
      description: Virtual CPUs.
      type: int
      sample: 1
    memory_mb:
      description: Memory in MiB.
      type: int
      sample: 64
    disk_gb:
      description: Size of all disks in GiB, where it was read.
      type: float
      sample: 0.0
    resources:
      description: CPUs, memory and disks in all of their units.
      type: dict
      sample: {cpu: 1, cpu_cores: 1, cpu_max: 1, memory_mb: 64, memory_gb: 0.062, memory_max_mb:
        64, disk_gb: 0.0, storage_gb: 0.0}
    network:
      description: Addresses, and who told them.
      type: dict
      sample: {}
    os_type:
      description: Kind of operating system.
      type: str
      sample: linux
    os_version:
      description: Version of the operating system.
      type: str
    labels:
      description: Labels.
      type: dict
      sample: {stage: test}
    metadata:
      description: Metadata.
      type: dict
      sample: {}
    autostart:
      description: Whether the VM starts with its hypervisor.
      type: bool
      sample: false
    changes_pending:
      description: What comes into effect with the next start.
      type: list
      elements: str
      sample:
        - graphics
    hardware:
      description: The hardware in full, with O(fields=hardware).
      type: dict
      sample:
        arch: x86_64
        machine: pc-q35-7.2
        firmware: bios
        secure_boot: false
        cpu_mode: custom
        cpu_model: qemu64
        graphics:
          - {type: vnc, listen: 127.0.0.1}
        video: vga
    stats:
      description: Use of CPU, memory, disks and network, with O(fields=stats).
      type: dict
      sample: {state.state: 5, state.reason: 0, cpu.time: 720000000, cpu.user: 240000000,
        cpu.system: 480000000, balloon.current: 65536, balloon.maximum: 65536, vcpu.current: 1}
    snapshots:
      description: Snapshots, with O(fields=snapshots).
      type: list
      elements: dict
      sample:
        - name: now
          description: as it is
          created_at: '2026-01-31T12:00:00Z'
          state: shutoff
          memory: false
          external: false
          current: false
    xml:
      description: Libvirt's XML, with O(fields=xml).
      type: str
    warnings:
      description: What could not be read of it, and why. The task warns of it too.
      type: list
      elements: str
      sample: []
    title:
      description: Title.
      type: str
    description:
      description: Description.
      type: str
    status_reason:
      description: Why it has that status.
      type: str
    hypervisor:
      description: How it is run, for example V(kvm).
      type: str
      sample: qemu
    hypervisor_details:
      description: Name of its hypervisor, with version and UUID.
      type: dict
      sample: {host: kvm1, version: 7.2.22, uuid: c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80}
    os_id:
      description: Operating system by its identifier of libosinfo.
      type: str
      sample: http://libosinfo.org/linux/2022
    vnc_enabled:
      description: Whether it has a VNC server.
      type: bool
      sample: true
    vnc_port:
      description: Port of that.
      type: int
      sample: 5900
    persistent:
      description: Whether it stays defined once it is off.
      type: bool
      sample: true
    managed_save:
      description: Whether its memory is saved, and comes back with the next start.
      type: bool
      sample: false
    agent_connected:
      description: Whether its guest agent is connected.
      type: bool
      sample: true
    created_at:
      description: When it was made; none where that was not by us.
      type: str
      sample: '2026-01-31T12:00:00Z'
    updated_at:
      description: When it was last changed by us.
      type: str
      sample: '2026-01-31T12:00:00Z'
total:
  description: How many VMs were found, on all pages.
  returned: success
  type: int
  sample: 1
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
  sample: {page: 1, limit: 0, total: 1, pages: 1}
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of error, for example V(not_found), V(conflict) or V(unreachable).
      type: str
      sample: unreachable
    message:
      description: The sentence.
      type: str
      sample: >-
        VM 'never': it may be on host down, never seen so far, which can't be reached. ...
"""

from ansible_collections.hostler.fleet.plugins.module_utils._vm_info import MODULE


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
