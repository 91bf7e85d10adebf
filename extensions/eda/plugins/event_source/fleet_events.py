# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event source hostler.fleet.fleet_events: what happens to VMs and hosts."""

from __future__ import annotations

import asyncio
from typing import Any

DOCUMENTATION = r"""
short_description: Tell what happens to VMs and hosts
description:
  - Listens to libvirt hypervisors, and looks at an OpenStack, as C(hostler events) does.
  - An event has C(type), C(timestamp), C(source), C(host), C(uri), C(vm), C(missed) and C(data).
  - A host that goes away is connected to again; what changed meanwhile comes with C(missed).
options:
  config:
    description: Path of the fleet's configuration; E(HOSTLER_CONFIG) where left out.
    type: str
  uri:
    description: Libvirt URI of the hypervisor, in place of O(hosts).
    type: str
  hosts:
    description: Ids of hosts of the pool, or globs; all where left out.
    type: list
    elements: str
  vms:
    description: Only events of these VMs (names or globs), and those of none.
    type: list
    elements: str
  types:
    description: Only events of these types, or globs such as V(vm.*).
    type: list
    elements: str
  openstack:
    description: Look at the servers and computes of the OpenStack too.
    type: bool
    default: false
  alerts:
    description: Tell when alerts fire and are over, too. See C(fleet_alerts).
    type: bool
    default: false
  cloud:
    description: Which OpenStack, a cloud of clouds.yaml; E(OS_CLOUD) where left out.
    type: str
  poll:
    description: Seconds between looks at the OpenStack, and for alerts.
    type: float
    default: 15
  size:
    description: How many events wait for a slow reader, of each host.
    type: int
    default: 1000
"""

EXAMPLES = r"""
- name: Watch VMs of the pool
  hosts: localhost
  sources:
    - hostler.fleet.fleet_events:
        config: /etc/hostler/fleet.yml
        types: [vm.status.changed]
  rules:
    - name: Say so
      condition: event.data.new_status == "stopped"
      action:
        debug:
"""

FLEET = ("config", "uri", "cloud")
STREAM = ("hosts", "vms", "types", "openstack", "alerts", "poll", "size")


async def main(queue: asyncio.Queue[dict[str, Any]], args: dict[str, Any]) -> None:
    """Put events into the queue, until the rulebook ends.

    Raises:
        HostlerError: an option makes no sense, or there is no such host.
    """
    from hostler import Fleet
    from hostler.errors import InvalidInput

    for name in sorted(set(args) - {*FLEET, *STREAM, "name"}):
        raise InvalidInput(f"there is no option {name!r}", on="hostler.fleet.fleet_events")
    with Fleet(**_given(args, FLEET)) as fleet, fleet.events(**_given(args, STREAM)) as stream:
        async for event in stream:
            await queue.put(event.model_dump(mode="json"))


def _given(args: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: args[name] for name in names if args.get(name) is not None}
