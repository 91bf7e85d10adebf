# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: vms
short_description: VMs of libvirt hypervisors, and of Hyperstack
version_added: 0.1.0
author: Hostler contributors (@hostler)
description:
  - Reads the VMs of libvirt hypervisors side by side, over read-only connections, in a few round
    trips.
  - C(ansible_host) is set to an address of the VM where one is known. The connection plugin is left
    to you.
  - Every host gets the variable C(hostler_vm) with what is known of the VM. C(name), C(uuid),
    C(status), C(uri), C(host) (the hypervisor's name), C(cpu_cores), C(memory_mb), C(autostart),
    C(title), C(description), C(os_type), C(os_version), C(os_id), C(labels), C(metadata) and
    C(agent_connected) are those of M(hostler.fleet.vm_info). C(interfaces) has the network or
    bridge of each card by its MAC address, C(disks) the file, device or volume of each disk by its
    target. C(crashed) is V(true) where it is off as its QEMU died. C(addresses) has a list for each
    source that was asked, C(null) where it could not tell.
    What a VM does not have is left out.
  - VMs of Hyperstack are read with O(sources). Their C(hostler_vm) has C(environment), C(region),
    C(flavor), C(gpu), C(gpu_count) and C(image), their number as C(uuid), Hyperstack's word for the
    status as C(hyperstack_status), and V(hyperstack) as C(host). Their public address becomes
    C(ansible_host). A label such as V(stage=test) has a value, others an empty one.
  - The configuration file's name ends in C(hostler.yml) or C(hostler.yaml).
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
requirements:
  - hostler[libvirt] >= 0.1.0, < 0.2 (Python package)
notes:
  - What VMs tell about themselves (names, labels, addresses) is data. It is never a template, and
    only what is an address becomes C(ansible_host).
options:
  plugin:
    description: Marks the file as one for this plugin.
    type: str
    required: true
    choices: [hostler.fleet.vms]
  sources:
    description:
      - Where VMs are read from.
      - V(hyperstack) takes its address and key from the configuration, or from
        C(HYPERSTACK_API_URL) and C(HYPERSTACK_API_KEY).
    type: list
    elements: str
    choices: [libvirt, hyperstack]
    default: [libvirt]
  uri:
    description:
      - libvirt URIs of the hypervisors.
      - "When nothing is given: the fleet configuration's C(uri), else V(qemu:///system)."
    type: list
    elements: str
    env:
      - name: LIBVIRT_DEFAULT_URI
  host:
    description:
      - Ids of hosts of the pool, or globs, in place of O(uri). See M(hostler.fleet.host).
    type: list
    elements: str
  config:
    description: Path of a fleet configuration. Its C(uri) is used where O(uri) is not given.
    type: path
    env:
      - name: HOSTLER_CONFIG
  strict_hosts:
    description:
      - Fail when a hypervisor does not answer. Otherwise that is a warning, and its VMs are
        missing.
      - When none of them answers the plugin fails in any case.
    type: bool
    default: false
  timeout:
    description: Seconds that a hypervisor gets for all its answers.
    type: int
    default: 30
  states:
    description: Only VMs in one of these states. V(all) is every state.
    type: list
    elements: str
    choices: [all, running, paused, stopping, stopped, crashed, suspended, unknown]
    default: [all]
  names:
    description: Only VMs whose name matches one of these globs.
    type: list
    elements: str
    default: []
  exclude_names:
    description: No VMs whose name matches one of these globs.
    type: list
    elements: str
    default: []
  labels:
    description: Only VMs that carry all of these labels. The value V(*) is any value.
    type: dict
    default: {}
  exclude_labels:
    description: No VMs that carry any of these labels. The value V(*) is any value.
    type: dict
    default: {}
  hostnames:
    description:
      - What hosts are named by. The first of these that a VM has is taken, and its name where it
        has none of them.
      - V(name), V(uuid), V(title), or V(label:NAME) for the value of the label C(NAME).
      - VMs that would get the same name are told apart by C(@) and their hypervisor's name.
    type: list
    elements: str
    default: [name]
  address_sources:
    description:
      - Where addresses are looked for, the preferred one first.
      - V(lease) is the DHCP server of libvirt's networks.
      - V(arp) is the hypervisor's ARP table. It is asked about running VMs without a lease only.
      - V(agent) is the guest agent. It is asked with O(agent=true) only.
      - V(floating) is the public address of a VM of Hyperstack, V(fixed) the one within its
        environment.
    type: list
    elements: str
    choices: [agent, lease, arp, floating, fixed]
    default: [agent, lease, arp, floating]
  address_family:
    description:
      - Only addresses of this family become C(ansible_host). With V(any), IPv4 is preferred.
    type: str
    choices: [any, ipv4, ipv6]
    default: any
  address_networks:
    description:
      - Only addresses within one of these networks become C(ansible_host), the preferred network
        first.
    type: list
    elements: str
    default: []
  agent:
    description:
      - Ask the guest agents for addresses, where libvirt sees one connected.
      - libvirt lets only writing connections do that, so the account must be one that may write.
    type: bool
    default: false
  agent_timeout:
    description: Seconds that a guest agent gets to answer.
    type: int
    default: 2
  group_by:
    description:
      - Groups that are made without writing O(keyed_groups). They are named like C(status_running),
        C(host_kvm1), C(os_type_linux), C(label_role_web).
    type: list
    elements: str
    choices: [status, host, uri, os_type, labels, environment, region, flavor]
    default: []
  xml:
    description: Add the domain's XML, without its passwords, as C(hostler_vm.xml).
    type: bool
    default: false
"""

EXAMPLES = r"""
# The VMs of this machine: inventory.hostler.yml
plugin: hostler.fleet.vms

# The running web servers of three hypervisors, grouped by their hypervisor and by the label "stage"
---
plugin: hostler.fleet.vms
uri:
  - qemu+ssh://root@kvm1.example.com/system
  - qemu+ssh://root@kvm2.example.com/system
  - qemu+ssh://root@kvm3.example.com/system
states: [running]
labels:
  role: web
group_by: [host]
keyed_groups:
  - key: hostler_vm.labels.stage | default('none')
    prefix: stage

# Named by a label, reached over the management network at the addresses that the guests tell
---
plugin: hostler.fleet.vms
hostnames: ["label:fqdn", name]
agent: true
address_networks: [10.20.0.0/16]
compose:
  ansible_user: "'admin' if hostler_vm.os_type == 'windows' else 'root'"

# The VMs of Hyperstack, in groups such as region_CANADA_1 and label_runpod
---
plugin: hostler.fleet.vms
sources: [hyperstack]
group_by: [environment, region, flavor, status, labels]

# Kept for ten minutes
---
plugin: hostler.fleet.vms
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/ansible-inventory
cache_timeout: 600
"""

import os
import typing as t

from ansible.errors import AnsibleParserError
from ansible_collections.hostler.fleet.plugins.plugin_utils._inventory import (
    Choices,
    Row,
    check_hostnames,
    entries,
    parse_networks,
)
from ansible_collections.hostler.fleet.plugins.plugin_utils._inventory_base import HostlerInventory

_OF_LIBVIRT = ("agent", "lease", "arp")


class InventoryModule(HostlerInventory):
    NAME = "hostler.fleet.vms"

    def request(self) -> dict[str, t.Any]:
        states = self.get_option("states")
        sources = self.get_option("address_sources")
        asked = [
            s for s in sources if s in _OF_LIBVIRT and (s != "agent" or self.get_option("agent"))
        ]
        return {
            "systems": self.get_option("sources"),
            "hyperstack_url": os.environ.get("HYPERSTACK_API_URL"),
            "uri": self.get_option("uri"),
            "host": self.get_option("host"),
            "config": self.get_option("config"),
            "names": self.get_option("names"),
            "states": [] if "all" in states else states,
            "sources": asked,
            "agent_timeout": self.get_option("agent_timeout"),
            "timeout": self.get_option("timeout"),
            "xml": self.get_option("xml"),
        }

    def fetch(self, request: dict[str, t.Any]) -> list[Row]:
        # Not at the top: what is in the cache is found without libvirt and the SDK.
        from ansible_collections.hostler.fleet.plugins.plugin_utils._inventory_fetch import fetch

        self._choices()  # options that make no sense are told before anybody is asked
        return fetch(request)

    def populate(self, rows: list[Row]) -> None:
        self._warn(rows)
        made, warnings = entries(rows, self._choices())
        for warning in warnings:
            self.display.warning(warning)
        for entry in made:
            facts: dict[str, t.Any] = {"hostler_vm": entry.vm}
            if entry.address:
                facts["ansible_host"] = entry.address
            self.add(entry.name, facts, entry.groups)

    def _warn(self, hosts: list[Row]) -> None:
        errors = [host["error"] for host in hosts if host["error"]]
        if errors and (self.get_option("strict_hosts") or len(errors) == len(hosts)):
            raise AnsibleParserError(" ".join(errors))
        for error in errors:
            self.display.warning(f"{error} Its VMs are missing in the inventory.")
        for host in hosts:
            for note in host["notes"]:
                self.display.v(f"{host['uri']}: {note}")

    def _choices(self) -> Choices:
        try:
            networks = parse_networks(self.get_option("address_networks"))
            check_hostnames(self.get_option("hostnames"))
        except ValueError as error:
            raise AnsibleParserError(str(error)) from error
        names = (
            "hostnames",
            "exclude_names",
            "labels",
            "exclude_labels",
            "group_by",
            "address_sources",
            "address_family",
        )
        return Choices(**{name: self.get_option(name) for name in names}, address_networks=networks)
