# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event source hostler.fleet.fleet_alerts: alerts as they begin and end."""

from __future__ import annotations

import asyncio
from typing import Any

DOCUMENTATION = r"""
short_description: Tell when alerts fire, and when they are over
description:
  - Looks at hosts, VMs, storage and GPU pools by the rules of the fleet, as C(hostler alerts) does.
  - An event has the type V(resource.alert); its C(data) has C(rule), C(state), C(severity),
    C(resource), C(resource_type), C(host), C(value), C(threshold), C(unit), C(since), C(message)
    and C(labels).
  - C(state) is V(firing) or V(resolved), or V(unknown) when nothing can be said.
options:
  config:
    description: Path of the fleet's configuration; E(HOSTLER_CONFIG) where left out.
    type: str
  uri:
    description: Libvirt URI of the hypervisor, where only one is looked at.
    type: str
  cloud:
    description: Which OpenStack, a cloud of clouds.yaml; E(OS_CLOUD) where left out.
    type: str
  poll:
    description: Seconds from one look to the next.
    type: float
    default: 15
"""

EXAMPLES = r"""
- name: Watch alerts
  hosts: localhost
  sources:
    - hostler.fleet.fleet_alerts:
        config: /etc/hostler/fleet.yml
  rules:
    - name: Say so
      condition: event.data.state == "firing" and event.data.severity == "critical"
      action:
        debug:
"""

FLEET = ("config", "uri", "cloud")
STREAM = ("poll",)


async def main(queue: asyncio.Queue[dict[str, Any]], args: dict[str, Any]) -> None:
    """Put alerts into the queue, until the rulebook ends.

    Raises:
        HostlerError: an option makes no sense.
    """
    from hostler import Fleet
    from hostler.errors import InvalidInput

    for name in sorted(set(args) - {*FLEET, *STREAM, "name"}):
        raise InvalidInput(f"there is no option {name!r}", on="hostler.fleet.fleet_alerts")
    with (
        Fleet(**_given(args, FLEET)) as fleet,
        fleet.events(hosts=(), alerts=True, **_given(args, STREAM)) as stream,
    ):
        async for event in stream:
            await queue.put(event.model_dump(mode="json"))


def _given(args: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: args[name] for name in names if args.get(name) is not None}
