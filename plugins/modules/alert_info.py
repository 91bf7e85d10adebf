#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: alert_info
short_description: Read what is wrong
version_added: 0.1.0
description:
  - Looks at hosts, VMs, storage pools and GPU pools by the rules of the fleet, as they stand in
    C(fleet.yml), and returns the alerts that fire.
  - A host or cloud that can't be read is an alert of its own. What can't be said for want of
    samples is in RV(unknown), never left out.
  - How long something has been so is known where metrics are collected, by
    C(hostler metrics collect).
author: Hostler contributors (@hostler)
options:
  severities:
    description: Only alerts of these severities.
    type: list
    elements: str
    choices: [critical, warning, info]
    aliases: [severity]
  rules:
    description: Only alerts of these rules, by names or globs.
    type: list
    elements: str
    aliases: [rule]
  resources:
    description: Only alerts about these resources, or on these hosts, by names or globs.
    type: list
    elements: str
    aliases: [resource]
  uri:
    description: Libvirt URI, to look at one hypervisor in place of the hosts of the pool.
    type: str
  timeout:
    description: Seconds that each host gets to answer.
    type: float
    default: 30
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.info
  - hostler.fleet._config
  - hostler.fleet._openstack
  - hostler.fleet._netbox
seealso:
  - module: hostler.fleet.host_info
  - module: hostler.fleet.host_metrics_info
  - plugin: hostler.fleet.alerts
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Look at everything
  hostler.fleet.alert_info:
  register: found

- name: Say what is wrong, the worst first
  ansible.builtin.debug:
    msg: "{{ item.severity }}: {{ item.message }}"
  loop: "{{ found.alerts }}"
  loop_control:
    label: "{{ item.id }}"

- name: Refuse to go on while something critical is wrong with the hosts of a rack
  hostler.fleet.alert_info:
    severities: critical
    resources: kvm-r12-*
  register: rack
  failed_when: rack is failed or rack.counts.critical > 0
"""

RETURN = r"""
timestamp:
  description: When it was looked.
  returned: success
  type: str
  sample: '2026-01-31T12:00:00Z'
counts:
  description: How many alerts fire, by severity.
  returned: success
  type: dict
  sample: {critical: 1, warning: 0, info: 0}
alerts:
  description: Alerts that fire, the worst first.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The same as long as it is the same alert.
      type: str
      sample: vm_down:kvm1/db
    rule:
      description: Name of the rule.
      type: str
      sample: vm_down
    severity:
      description: V(critical), V(warning) or V(info).
      type: str
      sample: critical
    state:
      description: V(firing) or V(pending).
      type: str
      sample: firing
    resource:
      description: Name of what it is about.
      type: str
      sample: db
    resource_type:
      description: V(host), V(vm), V(pool), V(gpu_pool), V(aggregate), V(gpu_host) or V(cloud).
      type: str
      sample: kvm1
    host:
      description: Id of the host that it is on, or its URI.
      type: str
      sample: kvm1
    value:
      description: What was found.
      type: float
      sample: 1.0
    threshold:
      description: What the rule compares it with.
      type: float
      sample: 0.0
    unit:
      description: Unit of both.
      type: str
      sample: ''
    since:
      description: When it was first seen to be so, without a gap; none where nobody looked before.
      type: str
    message:
      description: A sentence for people.
      type: str
      sample: 'db on kvm1: should run, and does not'
    labels:
      description: Labels of the host or VM, or GPU type and pool.
      type: dict
      sample: {keep_running: 'true'}
pending:
  description: What holds, and not yet for as long as its rule says; fields are those of RV(alerts).
  returned: success
  type: list
  elements: dict
  sample: []
unknown:
  description: What can't be said, and why.
  returned: success
  type: list
  elements: dict
  contains:
    rule:
      description: Name of the rule.
      type: str
      sample: host_cpu
    severity:
      description: Its severity.
      type: str
      sample: warning
    resource_type:
      description: What it is about.
      type: str
      sample: host
    host:
      description: The host that the resources are on.
      type: str
    resources:
      description: Names; V(*) stands for all.
      type: list
      elements: str
      sample:
        - kvm1
        - kvm2
    reason:
      description: Why.
      type: str
      sample: it is above 90, and nobody knows since when
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of error, for example V(not_found) or V(invalid_config).
      type: str
      sample: not_found
    message:
      description: The sentence.
      type: str
      sample: >-
        rule 'nothing': there is no such rule; there are host_unreachable, vm_down, vm_crashed,
        cloud_unreachable, gpu_pool_full, aggregate_no_free_host, placement_drift, ...
"""

from ansible_collections.hostler.fleet.plugins.module_utils._alert import INFO


def main() -> None:
    INFO.main()


if __name__ == "__main__":
    main()
