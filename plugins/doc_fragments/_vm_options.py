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
host:
  description:
    - Id of the host of the pool that the VM is on. See M(hostler.fleet.host).
    - V(auto) finds the VM, on whichever host it is. A new one is placed where it fits best, by
      O(placement); RV(placement) says why there.
    - Where neither a host nor a URI is named, by the task, E(LIBVIRT_DEFAULT_URI) or the
      configuration, and the pool has hosts, it is V(auto).
  type: str
placement:
  description:
    - How the host of a new VM is chosen, with O(host=auto). A VM that exists stays where it is.
    - Hosts that are disabled, in maintenance, unreachable or full are passed over.
  type: dict
  suboptions:
    strategy:
      description:
        - V(spread) takes the host with the fewest VMs.
        - V(pack) takes the fullest one that still has room.
        - V(most_free) takes the one with the most free memory.
      type: str
      choices: [spread, pack, most_free]
      default: spread
    host_labels:
      description: Only hosts that carry all of these labels; the value V(*) stands for any.
      type: dict
    affinity:
      description:
        - Only hosts that have a VM with all of these labels.
        - The first VM that carries them itself may go anywhere.
      type: dict
    anti_affinity:
      description: Only hosts that have no VM with all of these labels.
      type: dict
    gpu:
      description: GPUs that the VM is given whole, by PCI passthrough.
      type: dict
      suboptions:
        model:
          description: A glob of the model, in any case, such as V(*L40S*), or V(10de:26b9).
          type: str
          required: true
        count:
          description: How many.
          type: int
          default: 1
"""
