#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: host_info
short_description: Read hypervisors
version_added: 0.1.0
description:
  - Reads hypervisors side by side, each over one read-only connection with a fixed number of round
    trips.
  - A host that can't be reached is a row with the status V(unreachable) and the reason. It holds
    the others up no longer than O(timeout).
  - What could not be found out is none, never a made-up value.
author: Hostler contributors (@hostler)
options:
  names:
    description: Ids of hosts of the pool, or globs; all of them where left out.
    type: list
    elements: str
    aliases: [name, id]
  uri:
    description: Libvirt URI of a hypervisor that need not be in the pool, in place of O(names).
    type: str
  labels:
    description: Only hosts that carry all of these labels; the value V(*) stands for any.
    type: dict
  fields:
    description:
      - What to read beside the ordinary fields.
      - V(load) watches the CPUs for 0.3 seconds. V(capabilities) needs a connection that may write.
      - V(vms) tells the VMs, of an unreachable host as they were last seen, with their age.
    type: list
    elements: str
    choices: [load, devices, capabilities, vms]
  timeout:
    description: Seconds that each host gets to answer.
    type: float
    default: 30
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.info
  - hostler.fleet._config
seealso:
  - module: hostler.fleet.host
  - module: hostler.fleet.fleet_info
"""

EXAMPLES = r"""
- name: Read all hosts of the pool
  hostler.fleet.host_info:
  register: pool

- name: Say which ones are down, and why
  ansible.builtin.debug:
    msg: "{{ item.id }}: {{ item.reason }}"
  loop: "{{ pool.hosts | selectattr('status', 'eq', 'unreachable') }}"
  loop_control:
    label: "{{ item.id }}"

- name: Read the VMs of a rack, as they are or were last seen
  hostler.fleet.host_info:
    labels:
      rack: r12
    fields: [vms, load]
  register: rack
"""

RETURN = r"""
hosts:
  description: Hosts, by id.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id in the pool; none for one that is read by its O(uri).
      type: str
    uri:
      description: Libvirt URI.
      type: str
    status:
      description: V(active), V(disabled), V(maintenance) or V(unreachable).
      type: str
    reason:
      description: Why it is unreachable.
      type: str
    labels:
      description: Labels.
      type: dict
    hostname:
      description: Its own name.
      type: str
    ip_address:
      description: Address or name in its URI.
      type: str
    uuid:
      description: UUID of the machine.
      type: str
    hypervisor_type:
      description: The best that it runs VMs by, for example V(kvm).
      type: str
    hypervisor_version:
      description: Version of the hypervisor.
      type: str
    libvirt_version:
      description: Version of libvirt.
      type: str
    cpu:
      description: Model, vendor, frequency and topology of its CPUs.
      type: dict
    cpu_cores:
      description: CPUs that it has.
      type: int
    memory_mb:
      description: Memory in MiB.
      type: int
    memory_free_mb:
      description: Memory in MiB that is free, or holds caches.
      type: int
    memory_used_mb:
      description: Memory in MiB that is in use by all that runs there.
      type: int
    numa:
      description: NUMA nodes with their CPUs and memory.
      type: list
      elements: dict
    storage_gb:
      description: Size of its storage pools in GiB; folders of one file system count once.
      type: float
    storage_used_gb:
      description: What is used of it.
      type: float
    pools:
      description: Storage pools.
      type: list
      elements: dict
    networks:
      description: Virtual networks.
      type: list
      elements: dict
    gpus:
      description: GPUs with address, vendor, model, IOMMU group and the VMs that have them.
      type: list
      elements: dict
    devices:
      description: All PCI devices, with O(fields=devices).
      type: list
      elements: dict
    vm_count:
      description: VMs that it has.
      type: int
    vms_by_status:
      description: How many there are of each status.
      type: dict
    used:
      description: CPUs and memory (MiB) of VMs that are not off.
      type: dict
    allocated:
      description: CPUs and memory (MiB) of all VMs that it has.
      type: dict
    reserved:
      description: CPUs and memory (MiB) of VMs that are being placed on it.
      type: dict
    capacity:
      description: CPUs and memory (MiB) that may be allocated.
      type: dict
    utilization:
      description: Percentages that VMs use of CPUs and memory, and that is used of the storage.
      type: dict
    load:
      description: How busy its CPUs are in percent, with O(fields=load).
      type: dict
    uptime_seconds:
      description: How long it has been up; only known of the machine that reads.
      type: int
    capabilities:
      description: What it can run, with O(fields=capabilities).
      type: dict
    vms:
      description: VMs with C(seen_at) and C(age_seconds), with O(fields=vms).
      type: list
      elements: dict
    read_seconds:
      description: How long it took to read the host.
      type: float
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

from ansible_collections.hostler.fleet.plugins.module_utils._host import INFO


def main() -> None:
    INFO.main()


if __name__ == "__main__":
    main()
