# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a change of a VM may be made."""

from __future__ import annotations

FIELDS = r"""
state:
  description:
    - What the VM should be.
    - V(present) leaves the power state alone, V(reset) is the hard one of V(restarted).
  type: str
  choices: [present, running, stopped, paused, restarted, reset, absent]
  default: present
force:
  description:
    - Stop hard when the guest has not stopped in time, reboot by reset, delete a VM that runs.
  type: bool
  default: false
timeout:
  description: Seconds that a guest gets to shut down.
  type: int
  default: 120
allow_restart:
  description: Restart the VM where a change can't be made while it runs.
  type: bool
  default: false
delete_disks:
  description: With O(state=absent), delete the VM's writable, unshared volumes and files.
  type: bool
  default: false
preserve_volumes:
  description: With O(state=absent), keep every volume; wins over O(delete_disks).
  type: bool
  default: false
override_protection:
  description: Change a VM that the fleet's policy protects.
  type: bool
  default: false
wait_for:
  description: What to wait for once the VM runs.
  type: str
  choices: [ip, agent, ssh, port]
wait_timeout:
  description: Seconds to wait.
  type: int
  default: 300
wait_port:
  description: TCP port that O(wait_for=port) waits for.
  type: int
"""
