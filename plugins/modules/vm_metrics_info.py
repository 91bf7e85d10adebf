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
    name:
      description: Name.
      type: str
    host:
      description: Its host's id, or libvirt URI.
      type: str
    status:
      description: State.
      type: str
      sample: running
    timestamp:
      description: When the newest of it was read.
      type: str
    interval:
      description: What RV(vms[].metrics) are of; none for what is now.
      type: str
    seconds:
      description: What rates were measured over, where hosts were asked.
      type: float
    source:
      description: V(live), V(store), V(hyperstack) or V(prometheus).
      type: str
    metrics:
      description: Figures by group and name. What is not known is none.
      type: dict
      sample: {cpu: {usage_percent: 45.2}, memory: {used_gb: 11.65}}
    guest:
      description: What its agent tells, with O(guest=true).
      type: dict
    history:
      description:
        - Where O(hours) are given. It has C(timestamps), where each point's time begins, and
          C(values), a list for each metric. A gap is none.
      type: dict
unreachable_hosts:
  description: Hosts that nothing is known of now, and why.
  returned: success
  type: dict
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

from ansible_collections.hostler.fleet.plugins.module_utils._metrics import VMS


def main() -> None:
    VMS.main()


if __name__ == "__main__":
    main()
