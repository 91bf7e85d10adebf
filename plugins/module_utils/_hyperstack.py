# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all modules for Hyperstack have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible.module_utils.basic import env_fallback
from ansible_collections.hostler.fleet.plugins.module_utils._module import CONFIG, Result, Spec
from ansible_collections.hostler.fleet.plugins.module_utils._results import one

if TYPE_CHECKING:
    from hostler.models.hyperstack_task import HyperstackResult

HYPERSTACK: Spec = {
    **CONFIG,
    "hyperstack_url": {"type": "str", "fallback": (env_fallback, ["HYPERSTACK_API_URL"])},
    "hyperstack_api_key": {
        "type": "str",
        "no_log": True,
        "fallback": (env_fallback, ["HYPERSTACK_API_KEY"]),
    },
}
READS = ("hostler.hyperstack.service", "hostler.backends.hyperstack")
CHANGES = (*READS, "hostler.plan.journal")

PROTOCOLS = [
    *("any", "ah", "dccp", "egp", "esp", "gre", "hopopt", "icmp", "icmpv6", "igmp", "ip", "ipip"),
    *("ipv6-encap", "ipv6-frag", "ipv6-icmp", "ipv6-nonxt", "ipv6-opts", "ipv6-route", "ospf"),
    *("pgm", "rsvp", "sctp", "tcp", "udp", "udplite", "vrrp"),
]
RULES: Spec = {
    "type": "list",
    "elements": "dict",
    "options": {
        "direction": {"type": "str", "choices": ["ingress", "egress"], "default": "ingress"},
        "protocol": {"type": "str", "choices": PROTOCOLS, "default": "tcp"},
        "ethertype": {"type": "str", "choices": ["IPv4", "IPv6"], "default": "IPv4"},
        "remote_ip_prefix": {"type": "str"},
        "port_range_min": {"type": "int"},
        "port_range_max": {"type": "int"},
    },
}


def item(result: HyperstackResult, kind: str) -> Result:
    """Make the result of a task about one thing; the thing itself under its kind's name."""
    return {**one(result), kind: result.view}
