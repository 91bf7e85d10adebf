#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: vm_metrics_info
short_description: Read metrics of VMs
version_added: 0.1.0
description:
  - Reads the use of CPUs, memory, disks and networks of VMs, as it is now or over time.
  - Asks each host once for all of its VMs, and once more, O(window) later, where rates can't be
    measured from what was seen before.
  - History is what C(hostler metrics collect) has written into the store, or a Prometheus has.
  - What is not known is none, never zero.
author: Hostler contributors (@hostler)
options:
  names:
    description: Names of VMs, globs such as V(web-*), or UUIDs; all VMs where left out.
    type: list
    elements: str
    aliases: [name]
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.info
  - hostler.fleet._config
  - hostler.fleet._hyperstack
  - hostler.fleet._libvirt
  - hostler.fleet._metrics
  - hostler.fleet._metrics_vms
seealso:
  - module: hostler.fleet.host_metrics_info
  - plugin: hostler.fleet.vm_metrics
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Read what web servers use now
  hostler.fleet.vm_metrics_info:
    names: web-*
    metrics: [cpu, memory.usage_percent]
  register: web

- name: Name those that are busy
  ansible.builtin.debug:
    msg: "{{ web.vms | selectattr('metrics.cpu.usage_percent', 'gt', 80) | map(attribute='name') }}"

- name: Read the highest use of each hour of a day
  hostler.fleet.vm_metrics_info:
    names: db-1
    metrics: cpu.usage_percent
    hours: 24
    interval: 1h
    aggregation: max
  register: day
"""

RETURN = r"""
vms:
  description: VMs' figures, by name.
  returned: success
  type: list
  elements: dict
  contains:
    vm_id:
      description: UUID; the number that Hyperstack has for it there.
      type: str
      sample: c7a5fdbd-cdaf-4e95-8c4b-2c1b5e6f7a80
    name:
      description: Name.
      type: str
      sample: web-1
    host:
      description: Its host's id, or libvirt URI.
      type: str
      sample: kvm1
    status:
      description: State.
      type: str
      sample: running
    timestamp:
      description: When the newest of it was read.
      type: str
      sample: '2026-01-31T12:00:00Z'
    interval:
      description: What RV(vms[].metrics) are of; none for what is now.
      type: str
      sample: 1m
    seconds:
      description: What rates were measured over, where hosts were asked.
      type: float
      sample: 5.4
    source:
      description: V(live), V(store), V(hyperstack) or V(prometheus).
      type: str
      sample: store
    metrics:
      description: Figures by group and name. What is not known is none.
      type: dict
      sample:
        cpu: {}
        memory: {}
        disk: {}
        network: {}
        state: {up: 1.0, code: 1.0}
    guest:
      description: What its agent tells, with O(guest=true).
      type: dict
    history:
      description:
        - Where O(hours) are given. It has C(timestamps), where each point's time begins, and
          C(values), a list for each metric. A gap is none.
      type: dict
      sample:
        interval: 1m
        aggregation: max
        timestamps: ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00Z']
        values:
          cpu.usage_percent: [null, null]
          cpu.user_percent: [null, null]
          cpu.system_percent: [null, null]
          cpu.iowait_percent: [null, null]
          cpu.steal_percent: [null, null]
          cpu.count: [null, null]
          memory.total_gb: [null, null]
          memory.used_gb: [null, null]
unreachable_hosts:
  description: Hosts that nothing is known of now, and why.
  returned: success
  type: dict
  sample:
    gone: >-
      hypervisor qemu+tcp://127.0.0.1:1/system: unable to connect to server at '127.0.0.1:1':
      Connection refused
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of error, for example V(not_found), V(invalid_input) or V(unreachable).
      type: str
      sample: invalid_input
    message:
      description: The sentence.
      type: str
      sample: >-
        metrics: figures by 60 s are kept for 24 hours. Choose a longer interval, or fewer ...
"""

from ansible_collections.hostler.fleet.plugins.module_utils._metrics import VMS


def main() -> None:
    VMS.main()


if __name__ == "__main__":
    main()
