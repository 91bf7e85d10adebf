#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: vm_log_info
short_description: Read a VM's logs
version_added: 0.1.0
description:
  - Reads the journal or syslog inside the guest by its agent, what the guest printed to a serial
    console that keeps a log, and the hypervisor's own log.
  - Reads the console's log of a VM on Hyperstack with O(environment).
  - What a log does not tell (times, levels) is none.
author: Hostler contributors (@hostler)
options:
  name:
    description: Name of the VM.
    type: str
    required: true
    aliases: [vm]
  lines:
    description: How many entries of each source, the last ones.
    type: int
    default: 100
  since:
    description:
      - No entry before this, V(15m), V(2h) or V(1d) ago, or an ISO timestamp (UTC without a zone).
      - Entries of which the time is not known are left out then.
    type: str
  sources:
    description:
      - Where from. Where it is left out, all that can be read, with a warning for each other.
      - V(guest) needs a guest agent that may run commands, or read files.
      - V(console) needs O(hostler.fleet.vm#module:console) with a C(log). On another machine the
        file has to be in a storage pool.
      - V(hypervisor) is only read on the hypervisor itself.
    type: list
    elements: str
    choices: [guest, console, hypervisor]
  agent_timeout:
    description: Seconds that the guest agent gets to answer.
    type: int
    default: 5
  environment:
    description: Environment of a VM on Hyperstack.
    type: str
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.info
  - hostler.fleet._config
  - hostler.fleet._libvirt
  - hostler.fleet._hyperstack
seealso:
  - module: hostler.fleet.vm
  - module: hostler.fleet.vm_info
  - module: hostler.fleet.hyperstack_vm_info
"""

EXAMPLES = r"""
- name: Read what a VM wrote in the last quarter of an hour
  hostler.fleet.vm_log_info:
    name: web1
    since: 15m
  register: found

- name: Say what went wrong
  ansible.builtin.debug:
    msg: "{{ found.logs | selectattr('level', 'eq', 'ERROR') | map(attribute='message') }}"

- name: Read the last lines that a guest printed
  hostler.fleet.vm_log_info:
    name: web1
    sources: [console]
    lines: 20
"""

RETURN = r"""
vm:
  description: Name of the VM.
  returned: success
  type: str
  sample: watched
logs:
  description: Entries in order of their times; one that has none stays behind the one before it.
  returned: success
  type: list
  elements: dict
  contains:
    timestamp:
      description: When it was written.
      type: str
      sample: '2026-01-31T12:00:00Z'
    level:
      description: Level as syslog calls it, for example V(WARNING).
      type: str
      sample: WARNING
    source:
      description: V(guest), V(console), V(hypervisor) or V(hyperstack).
      type: str
      sample: hypervisor
    unit:
      description: Who wrote it, in the guest.
      type: str
    message:
      description: Text.
      type: str
      sample: >-
        starting up libvirt version: 9.0.0, package: 9.0.0-4+deb12u2 (Debian), qemu version:
        7.2.22Debian 1:7.2+dfsg-7+deb12u18+b3, kernel: 6.18.44-fc-v669, hostname: vm
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of error, for example V(not_found), V(conflict) or V(unreachable).
      type: str
      sample: invalid_input
    message:
      description: The sentence.
      type: str
      sample: >-
        logs: since: 'yesterday' is no time such as 15m, 2h or 2026-01-31T12:00Z.
"""

from ansible_collections.hostler.fleet.plugins.module_utils._vm_log import MODULE


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
