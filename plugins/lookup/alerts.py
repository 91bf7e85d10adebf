# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: alerts
short_description: Read what is wrong
version_added: 0.1.0
author: Hostler contributors (@hostler)
description:
  - Returns the alerts that fire by the rules of the fleet, the worst first.
  - What can't be said, as samples are missing, is a warning.
extends_documentation_fragment:
  - hostler.fleet._config
  - hostler.fleet._openstack
  - hostler.fleet._netbox
requirements:
  - hostler[libvirt] >= 0.1.0, < 0.2 (Python package)
options:
  _terms:
    description: Only alerts about these resources, or on these hosts, by names or globs.
    type: list
    elements: str
  severities:
    description: Only alerts of these severities.
    type: list
    elements: str
    choices: [critical, warning, info]
  rules:
    description: Only alerts of these rules, by names or globs.
    type: list
    elements: str
  uri:
    description: Libvirt URI, to look at one hypervisor in place of the hosts of the pool.
    type: str
  timeout:
    description: Seconds that each host gets to answer.
    type: float
    default: 30
seealso:
  - module: hostler.fleet.alert_info
"""

EXAMPLES = r"""
- name: Say what is wrong
  ansible.builtin.debug:
    msg: "{{ item.message }}"
  loop: "{{ query('hostler.fleet.alerts') }}"
  loop_control:
    label: "{{ item.id }}"

- name: Go on only while nothing critical is wrong with a host
  ansible.builtin.assert:
    that: query('hostler.fleet.alerts', 'kvm1', severities=['critical']) | length == 0
"""

RETURN = r"""
_raw:
  description:
    - Alerts with C(id), C(rule), C(severity), C(state), C(resource), C(resource_type), C(host),
      C(value), C(threshold), C(unit), C(since), C(message) and C(labels).
    - They are those of M(hostler.fleet.alert_info), where each is described.
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.hostler.fleet.plugins.module_utils._alert import alerts
from ansible_collections.hostler.fleet.plugins.plugin_utils._lookup import HostlerLookup, Row

if t.TYPE_CHECKING:
    from hostler import Fleet


class LookupModule(HostlerLookup):
    def read(self, fleet: Fleet, terms: list[str], options: Row) -> tuple[list[Row], list[str]]:
        """Return alerts that fire."""
        told = alerts(fleet, {**options, "resources": terms})
        return told["alerts"], [
            f"{one['rule']} of {', '.join(one['resources'][:3])}: {one['reason']}"
            for one in told["unknown"]
        ]
