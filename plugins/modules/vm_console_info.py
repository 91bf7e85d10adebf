#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: vm_console_info
short_description: Tell where a VM's consoles are
version_added: 0.1.0
description:
  - Tells the ports of a VM's VNC and SPICE servers, how they are reached from where the module
    runs, and whether there is a serial port.
  - Browsers and terminals are let in by C(hostler vm vnc --proxy) and C(hostler vm console).
author: Hostler contributors (@hostler)
options:
  name:
    description: Name of the VM.
    type: str
    required: true
    aliases: [vm]
  types:
    description: Only these consoles.
    type: list
    elements: str
    choices: [vnc, spice, serial]
  show_password:
    description:
      - Return passwords too. Set C(no_log) on the task then.
      - It needs a connection that may write.
    type: bool
    default: false
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.info
  - hostler.fleet._config
  - hostler.fleet._libvirt
seealso:
  - module: hostler.fleet.vm
  - module: hostler.fleet.vm_info
"""

EXAMPLES = r"""
- name: Find a VM's VNC server
  hostler.fleet.vm_console_info:
    name: web1
    types: [vnc]
  register: found

- name: Say where it is
  ansible.builtin.debug:
    msg: "{{ found.consoles[0].host }}:{{ found.consoles[0].port }}"

- name: Read the password too
  hostler.fleet.vm_console_info:
    name: web1
    show_password: true
  no_log: true
  register: secret
"""

RETURN = r"""
consoles:
  description: Graphics servers in the VM's order, then the serial port.
  returned: success
  type: list
  elements: dict
  contains:
    vm:
      description: Name of the VM.
      type: str
      sample: watched
    type:
      description: V(vnc), V(spice) or V(serial).
      type: str
      sample: vnc
    running:
      description: Whether the VM runs; only then a console is there.
      type: bool
      sample: true
    host:
      description: Where to connect to; none where it can't be reached without help.
      type: str
      sample: 127.0.0.1
    port:
      description: Port; none where it has none, or the VM is off.
      type: int
      sample: 5900
    tls_port:
      description: Port for TLS, of SPICE.
      type: int
    listen:
      description: Address that it listens on, at its host.
      type: str
      sample: 127.0.0.1
    via:
      description: How it is reached, V(direct), by V(ssh), or only by V(libvirt).
      type: str
      sample: libvirt
    tls:
      description: Whether it speaks TLS; none for VNC, where the host's C(qemu.conf) tells.
      type: bool
    has_password:
      description: Whether there is a password; none without O(show_password).
      type: bool
    password:
      description: Password, with O(show_password).
      type: str
    tty:
      description: Terminal of a serial port, at the host.
      type: str
      sample: /dev/pts/0
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of error, for example V(not_found), V(conflict) or V(unreachable).
      type: str
      sample: not_found
    message:
      description: The sentence.
      type: str
      sample: >-
        VM 'nobody' on qemu:///system: Domain not found: no domain with matching name 'nobody'.
"""

from ansible_collections.hostler.fleet.plugins.module_utils._vm_console import MODULE


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
