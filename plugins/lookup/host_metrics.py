# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: host_metrics
short_description: Read metrics of hypervisors
version_added: 0.1.0
author: Hostler contributors (@hostler)
description:
  - Returns how busy hypervisors are, as it is now or over time, with their storage pools.
  - History is what C(hostler metrics collect) has written into the store, or a Prometheus has.
extends_documentation_fragment:
  - hostler.fleet._config
  - hostler.fleet._metrics
requirements:
  - hostler[libvirt,metrics] >= 0.1.0, < 0.2 (Python package)
options:
  _terms:
    description: Ids of hosts of the pool, or globs; all of them where left out.
    type: list
    elements: str
  uri:
    description: Libvirt URI of a hypervisor that need not be in the pool, in place of terms.
    type: str
seealso:
  - module: hostler.fleet.host_metrics_info
"""

EXAMPLES = r"""
- name: Say how busy each host is
  ansible.builtin.debug:
    msg: "{{ item.host_id }}: {{ item.metrics.cpu.usage_percent }} %"
  loop: "{{ query('hostler.fleet.host_metrics', metrics='cpu') }}"
  loop_control:
    label: "{{ item.host_id }}"

- name: Refuse to go on while a host's storage is nearly full
  ansible.builtin.assert:
    that: storage.usage_percent < 90
  vars:
    storage: "{{ lookup('hostler.fleet.host_metrics', 'kvm1').metrics.storage }}"
"""

RETURN = r"""
_raw:
  description:
    - Figures of each host, by id, with C(host_id), C(status), C(reason), C(timestamp), C(interval),
      C(seconds), C(source), C(metrics), C(pools) and C(history).
    - They are those of M(hostler.fleet.host_metrics_info), where each is described.
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.hostler.fleet.plugins.module_utils._metrics import hosts
from ansible_collections.hostler.fleet.plugins.plugin_utils._lookup import HostlerLookup, Row

if t.TYPE_CHECKING:
    from hostler import Fleet


class LookupModule(HostlerLookup):
    def read(self, fleet: Fleet, terms: list[str], options: Row) -> tuple[list[Row], list[str]]:
        """Return hosts' figures."""
        told = hosts(fleet, {**options, "names": terms})
        return told["hosts"], told["warnings"]
