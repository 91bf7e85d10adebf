# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: system_metrics
short_description: Read metrics of all hypervisors together
version_added: 0.1.0
author: Hostler contributors (@hostler)
description:
  - Returns the figures of all hosts together, as they are now or over time. Percentages are of what
    all of them have, rates are sums.
  - With what is now come sums of hosts and clouds as M(hostler.fleet.fleet_info) has them.
extends_documentation_fragment:
  - hostler.fleet._config
  - hostler.fleet._metrics
  - hostler.fleet._netbox
  - hostler.fleet._openstack
requirements:
  - hostler[libvirt,metrics] >= 0.1.0, < 0.2 (Python package)
options:
  _terms:
    description: Ids of hosts of the pool, or globs; all of them where left out.
    type: list
    elements: str
seealso:
  - module: hostler.fleet.fleet_info
  - module: hostler.fleet.host_metrics_info
"""

EXAMPLES = r"""
- name: Say how busy the fleet is
  ansible.builtin.debug:
    msg: "{{ lookup('hostler.fleet.system_metrics').metrics.cpu.usage_percent }} % of all CPUs"

- name: Say how much memory was free at the worst time of the day
  ansible.builtin.debug:
    msg: "{{ day.history['values']['memory.free_gb'] | select('ne', none) | min }} GiB"
  vars:
    day: "{{ lookup('hostler.fleet.system_metrics', metrics='memory', hours=24) }}"
"""

RETURN = r"""
_raw:
  description:
    - One dictionary with C(timestamp), C(interval), C(source), C(total_hosts), C(active_hosts),
      C(unreachable_hosts), C(metrics), C(history), C(hosts), each host's own figures, and C(stats).
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.hostler.fleet.plugins.module_utils._metrics import system
from ansible_collections.hostler.fleet.plugins.plugin_utils._lookup import HostlerLookup, Row

if t.TYPE_CHECKING:
    from hostler import Fleet


class LookupModule(HostlerLookup):
    def read(self, fleet: Fleet, terms: list[str], options: Row) -> tuple[list[Row], list[str]]:
        """Return the figures of all hosts together."""
        told = system(fleet, {**options, "names": terms})
        return [told["system"]], told["warnings"]
