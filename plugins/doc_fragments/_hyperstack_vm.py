# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a VM on Hyperstack, for one VM (at the top) and for each of a list."""

from __future__ import annotations

import re
from textwrap import indent

_FIELDS = r"""
environment:
  description: Name of the environment.
  type: str
state:
  description:
    - What the VM should be. One that is not there is made by V(present) and V(started).
    - V(present) leaves the power state alone.
    - V(started) starts a stopped VM and restores one that hibernates; V(restored) only the latter.
    - V(rebooted) restarts it hard, each time.
  type: str
  choices: [present, absent, started, stopped, hibernated, restored, rebooted]
  default: present
image:
  description: Name of the image; needed for a new VM. It can't be changed in place.
  type: str
flavor:
  description: Name of the flavor; needed for a new VM. It can't be changed in place.
  type: str
key:
  description: Name of the environment's SSH key; needed for a new VM. It can't be changed in place.
  type: str
user_data:
  description:
    - User data of cloud-init for a new VM, as text. In plans and diffs it is shown by its digest.
    - Hyperstack does not show it, so that it is never compared with what a VM has.
  type: str
labels:
  description: All labels of the VM.
  type: list
  elements: str
floating_ip:
  description:
    - Whether the VM has a public address. Attached and detached in place.
    - An address that is detached is lost.
  type: bool
port_randomization:
  description: Whether the public ports of a new VM are shuffled; Hyperstack's default is that.
  type: bool
security_rules:
  description:
    - Rules of its own that the VM should have, beside those of its firewalls.
    - Others stay, unless O(purge_rules=true).
  type: list
  elements: dict
  suboptions:
    direction:
      description: Which way.
      type: str
      choices: [ingress, egress]
      default: ingress
    protocol:
      description: Protocol.
      type: str
      choices:
        - any
        - ah
        - dccp
        - egp
        - esp
        - gre
        - hopopt
        - icmp
        - icmpv6
        - igmp
        - ip
        - ipip
        - ipv6-encap
        - ipv6-frag
        - ipv6-icmp
        - ipv6-nonxt
        - ipv6-opts
        - ipv6-route
        - ospf
        - pgm
        - rsvp
        - sctp
        - tcp
        - udp
        - udplite
        - vrrp
      default: tcp
    ethertype:
      description: Version of IP.
      type: str
      choices: [IPv4, IPv6]
      default: IPv4
    remote_ip_prefix:
      description: Network at the other end; all of them where left out.
      type: str
    port_range_min:
      description: Port, or the first one; all of them where left out.
      type: int
    port_range_max:
      description: Last port; the first one where left out.
      type: int
purge_rules:
  description: Remove rules of the VM's own that O(security_rules) does not have.
  type: bool
  default: false
volumes:
  description: Names of volumes that should be attached; at most 10. Others stay attached.
  type: list
  elements: str
purge_volumes:
  description: Detach volumes that O(volumes) does not have, except what the VM boots of.
  type: bool
  default: false
callback_url:
  description: Whom Hyperstack tells of the VM's events; empty for nobody.
  type: str
recreate:
  description:
    - Where image, flavor or key differ, delete the VM and make it anew. All that is on it is lost.
  type: bool
  default: false
retain_ip:
  description: Whether the VM keeps its public address while it hibernates.
  type: bool
  default: true
wait:
  description: Wait until the VM is what it should be.
  type: bool
  default: true
wait_timeout:
  description:
    - Seconds to wait at most.
    - A new VM that does not run by then, or goes into C(ERROR), is deleted again.
  type: int
  default: 1800
override_protection:
  description: Change a VM that the fleet's policy protects.
  type: bool
  default: false
"""

# What an item of the list leaves out is taken from the top: only there are defaults.
_WITHOUT_DEFAULTS = re.sub(r"(?m)^  default: .*\n", "", _FIELDS)

_NAMES = r"""
name:
  description: Name of the VM, exactly; either it or O(vms) is given.
  type: str
vms:
  description:
    - VMs that are worked on side by side.
    - What an item leaves out is taken from the task's own options.
  type: list
  elements: dict
  suboptions:
    name:
      description: Name of the VM, exactly.
      type: str
      required: true
"""

_OPTIONS = _FIELDS + _NAMES + indent(_WITHOUT_DEFAULTS, "    ")


class ModuleDocFragment:
    # Annotated: of other assignments ansible-test's yamllint wants one literal.
    DOCUMENTATION: str = "options:\n" + indent(_OPTIONS, "  ")
