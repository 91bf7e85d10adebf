# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: vm_metrics
short_description: Read metrics of VMs
version_added: 0.1.0
author: Hostler contributors (@hostler)
description:
  - Returns the use of CPUs, memory, disks and networks of VMs, as it is now or over time.
  - Asks each host once for all of its VMs, and once more, O(window) later, where rates can't be
    measured from what was seen before. Lookups of one loop share what was seen.
  - History is what C(hostler metrics collect) has written into the store, or a Prometheus has.
extends_documentation_fragment:
  - hostler.fleet._config
  - hostler.fleet._hyperstack
  - hostler.fleet._libvirt
  - hostler.fleet._metrics
  - hostler.fleet._metrics_vms
requirements:
  - hostler[libvirt,metrics] >= 0.1.0, < 0.2 (Python package)
options:
  _terms:
    description: Names of VMs, globs such as V(web-*), or UUIDs; all VMs where left out.
    type: list
    elements: str
seealso:
  - module: hostler.fleet.vm_metrics_info
"""

EXAMPLES = r"""
- name: Say how busy a VM is
  ansible.builtin.debug:
    msg: "{{ lookup('hostler.fleet.vm_metrics', 'web-1').metrics.cpu.usage_percent }} %"

- name: Say what web servers have used in the last five minutes
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.metrics.memory.used_gb }} GiB"
  loop: "{{ query('hostler.fleet.vm_metrics', 'web-*', metrics='memory', interval='5m') }}"
  loop_control:
    label: "{{ item.name }}"

- name: Say when a VM was busiest
  ansible.builtin.debug:
    msg: "{{ times[use.index(use | select('ne', none) | max)] }}"
  vars:
    day: "{{ lookup('hostler.fleet.vm_metrics', 'db-1', metrics='cpu.usage_percent', hours=24) }}"
    times: "{{ day.history.timestamps }}"
    use: "{{ day.history['values']['cpu.usage_percent'] }}"
"""

RETURN = r"""
_raw:
  description:
    - Figures of each VM, by name, with C(vm_id), C(name), C(host), C(status), C(timestamp),
      C(interval), C(seconds), C(source), C(metrics), C(guest) and C(history).
    - They are those of M(hostler.fleet.vm_metrics_info), where each is described.
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.hostler.fleet.plugins.module_utils._metrics import vms
from ansible_collections.hostler.fleet.plugins.plugin_utils._lookup import HostlerLookup, Row

if t.TYPE_CHECKING:
    from hostler import Fleet


class LookupModule(HostlerLookup):
    def read(self, fleet: Fleet, terms: list[str], options: Row) -> tuple[list[Row], list[str]]:
        """Return VMs' figures."""
        told = vms(fleet, {**options, "names": terms})
        return told["vms"], told["warnings"]
