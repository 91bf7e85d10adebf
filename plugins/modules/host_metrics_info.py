#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: host_metrics_info
short_description: Read metrics of hypervisors
version_added: 0.1.0
description:
  - Reads how busy hypervisors are, as it is now or over time, with their storage pools.
  - Figures of disks and networks are the sums of the host's VMs.
  - A host that can't be reached is a row with the status V(unreachable) and the reason.
  - History is what C(hostler metrics collect) has written into the store, or a Prometheus has.
  - What is not known is none, never zero.
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
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.info
  - hostler.fleet._config
  - hostler.fleet._metrics
seealso:
  - module: hostler.fleet.vm_metrics_info
  - module: hostler.fleet.host_info
  - plugin: hostler.fleet.host_metrics
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Read how busy all hosts are
  hostler.fleet.host_metrics_info:
  register: pool

- name: Name the hosts whose storage is nearly full
  ansible.builtin.debug:
    msg: "{{ full | map(attribute='host_id') }}"
  vars:
    full: "{{ pool.hosts | selectattr('metrics.storage.usage_percent', 'gt', 90) }}"

- name: Read a week of one host
  hostler.fleet.host_metrics_info:
    names: kvm1
    metrics: [cpu.usage_percent, memory.usage_percent]
    hours: 168
    interval: 1h
"""

RETURN = r"""
hosts:
  description: Hosts' figures, by id.
  returned: success
  type: list
  elements: dict
  contains:
    host_id:
      description: Its id, or libvirt URI.
      type: str
      sample: kvm1
    status:
      description: V(reachable) or V(unreachable); none where only the history was read.
      type: str
      sample: reachable
    reason:
      description: Why it is unreachable.
      type: str
      sample: >-
        hypervisor qemu+tcp://127.0.0.1:1/system: unable to connect to server at '127.0.0.1:1':
        Connection refused
    timestamp:
      description: When the newest of it was read.
      type: str
      sample: '2026-01-31T12:00:00Z'
    interval:
      description: What RV(hosts[].metrics) are of; none for what is now.
      type: str
      sample: 1h
    seconds:
      description: What rates were measured over, where hosts were asked.
      type: float
      sample: 2.598
    source:
      description: V(live), V(store) or V(prometheus).
      type: str
      sample: live
    metrics:
      description: Figures by group and name. What is not known is none.
      type: dict
      sample:
        cpu: {usage_percent: 100.0, user_percent: 72.96, system_percent: 27.04, iowait_percent:
          0.0, count: 2.0, allocated: 9.0}
        memory: {total_gb: 23.54, used_gb: 3.64, free_gb: 19.9, cache_gb: 2.82, usage_percent:
          15.46, allocated_gb: 0.594}
        disk: {read_iops: 0.0, write_iops: 0.0, read_mbps: 0.0, write_mbps: 0.0}
        network: {rx_mbps: 0.0, tx_mbps: 0.0, rx_packets: 0.0, tx_packets: 0.0}
        storage: {total_gb: 251.972, used_gb: 29.63, free_gb: 222.342, usage_percent: 11.76}
        vms: {total: 10.0, running: 9.0}
        state: {up: 1.0}
    pools:
      description: Its storage pools with their own RV(hosts[].metrics).
      type: list
      elements: dict
      sample:
        - name: default
          metrics:
            pool:
              total_gb: 251.972
              used_gb: 29.67
              free_gb: 222.302
              usage_percent: 11.78
    history:
      description:
        - Where O(hours) are given. It has C(timestamps), where each point's time begins, and
          C(values), a list for each metric. A gap is none.
      type: dict
      sample:
        interval: 1h
        aggregation: avg
        timestamps: ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00Z']
        values:
          cpu.usage_percent: [null, null]
          memory.usage_percent: [null, null]
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of error, for example V(not_found), V(invalid_input) or V(unreachable).
      type: str
    message:
      description: The sentence.
      type: str
"""

from ansible_collections.hostler.fleet.plugins.module_utils._metrics import HOSTS


def main() -> None:
    HOSTS.main()


if __name__ == "__main__":
    main()
