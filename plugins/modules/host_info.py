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
      sample: kvm1
    uri:
      description: Libvirt URI.
      type: str
      sample: qemu+tcp://192.0.2.1/system
    status:
      description: V(active), V(disabled), V(maintenance) or V(unreachable).
      type: str
      sample: active
    reason:
      description: Why it is unreachable.
      type: str
      sample: >-
        hypervisor qemu+tcp://127.0.0.1:1/system: unable to connect to server at '127.0.0.1:1':
        Connection refused. Check the URI, and that ...
    labels:
      description: Labels.
      type: dict
      sample: {rack: r12}
    hostname:
      description: Its own name.
      type: str
      sample: hostler-a
    ip_address:
      description: Address or name in its URI.
      type: str
      sample: 192.0.2.1
    uuid:
      description: UUID of the machine.
      type: str
      sample: c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80
    hypervisor_type:
      description: The best that it runs VMs by, for example V(kvm).
      type: str
      sample: kvm
    hypervisor_version:
      description: Version of the hypervisor.
      type: str
      sample: 7.2.22
    libvirt_version:
      description: Version of libvirt.
      type: str
      sample: 9.0.0
    cpu:
      description: Model, vendor, frequency and topology of its CPUs.
      type: dict
      sample: {model: kvm64, vendor: AMD, cpus: 2, mhz: 2596, sockets: 1, cores_per_socket: 2,
        threads_per_core: 1}
    cpu_cores:
      description: CPUs that it has.
      type: int
      sample: 2
    memory_mb:
      description: Memory in MiB.
      type: int
      sample: 24105
    memory_free_mb:
      description: Memory in MiB that is free, or holds caches.
      type: int
      sample: 20747
    memory_used_mb:
      description: Memory in MiB that is in use by all that runs there.
      type: int
      sample: 3357
    numa:
      description: NUMA nodes with their CPUs and memory.
      type: list
      elements: dict
      sample:
        - id: 0
          cpus:
            - 0
            - 1
          memory_mb: 18010
          memory_free_mb: 11731
    storage_gb:
      description: Size of its storage pools in GiB; folders of one file system count once.
      type: float
      sample: 251.972
    storage_used_gb:
      description: What is used of it.
      type: float
      sample: 29.63
    pools:
      description: Storage pools.
      type: list
      elements: dict
      sample:
        - name: default
          type: dir
          active: true
          autostart: true
          path: /var/lib/libvirt/images
          capacity_gb: 251.972
          allocation_gb: 29.63
          available_gb: 222.342
    networks:
      description: Virtual networks.
      type: list
      elements: dict
      sample:
        - name: default
          active: true
          autostart: true
          bridge: virbr0
          mode: nat
    gpus:
      description: GPUs with address, vendor, model, IOMMU group and the VMs that have them.
      type: list
      elements: dict
      sample:
        - address: '0000:03:00.0'
          pci_class: '030200'
          kind: 3d
          vendor: NVIDIA Corporation
          vendor_id: '0x10de'
          model: AD102GL [L40S]
          model_id: '0x26b9'
          used_by:
            - train
    devices:
      description: All PCI devices, with O(fields=devices).
      type: list
      elements: dict
    vm_count:
      description: VMs that it has.
      type: int
      sample: 5
    vms_by_status:
      description: How many there are of each status.
      type: dict
      sample: {running: 5}
    used:
      description: CPUs and memory (MiB) of VMs that are not off.
      type: dict
      sample: {cpus: 5.0, memory_mb: 320}
    allocated:
      description: CPUs and memory (MiB) of all VMs that it has.
      type: dict
      sample: {cpus: 5.0, memory_mb: 320}
    reserved:
      description: CPUs and memory (MiB) of VMs that are being placed on it.
      type: dict
      sample: {cpus: 0.0, memory_mb: 0}
    capacity:
      description: CPUs and memory (MiB) that may be allocated.
      type: dict
      sample: {cpus: 8.0, memory_mb: 24105}
    utilization:
      description: Percentages that VMs use of CPUs and memory, and that is used of the storage.
      type: dict
      sample: {cpu_percent: 250.0, memory_percent: 1.3, storage_percent: 11.8}
    load:
      description: How busy its CPUs are in percent, with O(fields=load).
      type: dict
      sample: {cpu_percent: 100.0}
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
      sample:
        - host_id: kvm1
          name: db-1
          uuid: c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80
          status: running
          cpu_cores: 1
          memory_mb: 64
          seen_at: '2026-01-31T12:00:00Z'
          age_seconds: 0.3
    read_seconds:
      description: How long it took to read the host.
      type: float
      sample: 0.309
    driver:
      description: Libvirt driver, for example V(QEMU).
      type: str
      sample: QEMU
    arch:
      description: Architecture.
      type: str
      sample: x86_64
    enabled:
      description: Whether VMs may be placed on it.
      type: bool
      sample: true
    maintenance:
      description: Whether it is being emptied, or was.
      type: bool
      sample: false
    memory_gb:
      description: Memory in GiB.
      type: float
      sample: 23.54
    notes:
      description: What could not be read of it, and why.
      type: list
      elements: str
      sample: []
    source:
      description: Where it is registered, V(store) or V(fleet.yml).
      type: str
      sample: store
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
      sample: 'host ''kvm3'': there is no such host in the pool. Did you mean ''kvm2''?'
"""

from ansible_collections.hostler.fleet.plugins.module_utils._host import INFO


def main() -> None:
    INFO.main()


if __name__ == "__main__":
    main()
