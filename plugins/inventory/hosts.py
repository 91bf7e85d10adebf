# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: hosts
short_description: GPU hosts of an OpenStack, and hypervisors of the pool
version_added: 0.1.0
author: Hostler contributors (@hostler)
description:
  - Reads the GPU hosts of an OpenStack, with the same few calls however many there are. It needs an
    administrator.
  - Reads the hypervisors that are registered in the pool, side by side. See M(hostler.fleet.host).
  - A GPU host is one that is in a pool, or of which Placement knows GPUs. Those in no pool are in
    the group C(unclassified).
  - Every host gets the variable C(hostler_host) with what is known of it. Its fields are those of
    the hosts of M(hostler.fleet.aggregate_info), C(source) and C(cloud). What could not be found
    out is C(null).
  - GPU hosts are named as Nova names them. Where they are reached at another name, O(compose) can
    set C(ansible_host).
  - Hypervisors are named by their ids. C(ansible_host) is what their URI has, by ssh with
    C(ansible_user) and C(ansible_port). C(hostler_host) has the fields of the hosts of
    M(hostler.fleet.host_info); its storage pools are C(storage_pools), and C(gpu_types) are the
    names of its GPUs. One that can't be reached is there, with the status V(unreachable).
  - The configuration file's name ends in C(hostler.yml) or C(hostler.yaml).
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
  - hostler.fleet._config
  - hostler.fleet._openstack
  - hostler.fleet._netbox
requirements:
  - hostler[openstack] >= 0.1.0, < 0.2 (Python package)
notes:
  - What systems tell of hosts (names, tenants, reasons) is data. It is never a template.
options:
  plugin:
    description: Marks the file as one for this plugin.
    type: str
    required: true
    choices: [hostler.fleet.hosts]
  sources:
    description: Systems that are asked for hosts.
    type: list
    elements: str
    choices: [openstack, libvirt]
    default: [openstack]
  timeout:
    description: Seconds that each hypervisor gets to answer.
    type: float
    default: 30
  gpu_types:
    description: Only hosts of one of these GPU types.
    type: list
    elements: str
    default: []
  pools:
    description: Only hosts in one of these pools.
    type: list
    elements: str
    choices: [ondemand, spot, runpod, contract]
    default: []
  statuses:
    description:
      - Only hosts of one of these states. V(disabled) ones take no VMs, V(down) ones do not report,
        V(unreachable) ones do not answer.
    type: list
    elements: str
    choices: [active, disabled, down, maintenance, unknown, unreachable]
    default: []
  group_by:
    description:
      - Groups that are made without writing O(keyed_groups). They are named like C(pool_spot),
        C(gpu_L40), C(tenant_acme), C(status_disabled), C(label_rack_r12), C(hypervisor_kvm).
    type: list
    elements: str
    choices:
      [aggregate, gpu, hypervisor, label, owner_group, pool, site, status, tenant, variant, zone]
    default: [pool, gpu, tenant, status, label, hypervisor]
"""

EXAMPLES = r"""
# The GPU hosts of the cloud that OS_CLOUD names: hosts.hostler.yml
plugin: hostler.fleet.hosts

# The hosts of one type that take no VMs, reached over the management network
---
plugin: hostler.fleet.hosts
cloud: production
gpu_types: [L40]
statuses: [disabled, down]
compose:
  ansible_host: hostler_host.hostname ~ '.mgmt.example.com'
  ansible_user: "'root'"

# Idle hosts in a group of their own, and one for each site
---
plugin: hostler.fleet.hosts
group_by: [pool, gpu, site]
groups:
  idle: not hostler_host.has_vms
keyed_groups:
  - key: hostler_host.owner_group | default('nobody', true)
    prefix: owner

# The hypervisors of the pool, those of a rack in a group
---
plugin: hostler.fleet.hosts
sources: [libvirt]
keyed_groups:
  - key: hostler_host.labels.rack | default('none')
    prefix: rack
groups:
  full: hostler_host.utilization.memory_percent > 90

# Kept for ten minutes
---
plugin: hostler.fleet.hosts
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/ansible-inventory
cache_timeout: 600
"""

import os
import typing as t

from ansible.errors import AnsibleParserError
from ansible_collections.hostler.fleet.plugins.plugin_utils._inventory_base import HostlerInventory
from ansible_collections.hostler.fleet.plugins.plugin_utils._inventory_hosts import (
    Choices,
    Row,
    entries,
)

ENVIRONMENT = (
    "HOSTLER_CONFIG",
    "HOSTLER_STORE",
    "NETBOX_URL",
    "OS_AUTH_URL",
    "OS_CLIENT_CONFIG_FILE",
    "OS_CLOUD",
    "OS_REGION_NAME",
)
"""What else decides who is asked."""


class InventoryModule(HostlerInventory):
    NAME = "hostler.fleet.hosts"

    def request(self) -> dict[str, t.Any]:
        # it is kept with the answers, so the token is not part of it
        names = ("sources", "config", "cloud", "netbox_url", "netbox_required", "timeout")
        options = {name: self.get_option(name) for name in names}
        return {**options, "environment": {name: os.environ.get(name) for name in ENVIRONMENT}}

    def fetch(self, request: dict[str, t.Any]) -> list[Row]:
        # Not at the top: what is in the cache is found without the SDK.
        from ansible_collections.hostler.fleet.plugins.plugin_utils import _inventory_hosts_fetch

        token = self.get_option("netbox_token")
        return _inventory_hosts_fetch.fetch({**request, "netbox_token": token})

    def populate(self, rows: list[Row]) -> None:
        if errors := [row["error"] for row in rows if row["error"]]:
            raise AnsibleParserError(" ".join(errors))
        for row in rows:
            for note in row["notes"]:
                self.display.warning(note)
        names = ("gpu_types", "pools", "statuses", "group_by")
        choices = Choices(**{name: self.get_option(name) for name in names})
        try:
            made = entries(rows, choices)
        except ValueError as error:
            raise AnsibleParserError(str(error)) from error
        for entry in made:
            self.add(entry.name, {"hostler_host": entry.host, **entry.connect}, entry.groups)
