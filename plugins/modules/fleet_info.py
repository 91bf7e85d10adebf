#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_info
short_description: Sum up all hypervisors and clouds
version_added: 0.1.0
description:
  - Sums up what the hosts of the pool have, and what is used of it.
  - What hosts that can't be reached have is not in the sums; RV(unreachable_hosts) names them.
  - The GPUs of an OpenStack come along where one is configured.
author: Hostler contributors (@hostler)
options:
  timeout:
    description: Seconds that each host gets to answer.
    type: float
    default: 30
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.info
  - hostler.fleet._config
  - hostler.fleet._openstack
  - hostler.fleet._netbox
seealso:
  - module: hostler.fleet.host_info
"""

EXAMPLES = r"""
- name: Sum up the fleet
  hostler.fleet.fleet_info:
  register: fleet

- name: Sum it up, and give each host five seconds
  hostler.fleet.fleet_info:
    timeout: 5
"""

RETURN = r"""
total_hosts:
  description: Hosts of the pool.
  returned: success
  type: int
  sample: 3
active_hosts:
  description: Hosts that were reached and take VMs.
  returned: success
  type: int
  sample: 2
total_cpu_cores:
  description: CPUs.
  returned: success
  type: int
  sample: 16
used_cpu_cores:
  description: Virtual CPUs of VMs that are not off.
  returned: success
  type: int
  sample: 2
total_memory_gb:
  description: Memory in GiB.
  returned: success
  type: float
  sample: 32.0
used_memory_gb:
  description: Memory of VMs that are not off, in GiB.
  returned: success
  type: float
  sample: 2.0
total_storage_gb:
  description: Storage in GiB; what several hosts have in common counts once.
  returned: success
  type: float
  sample: 0.0
used_storage_gb:
  description: Storage in use, in GiB.
  returned: success
  type: float
  sample: 0.0
utilization_percentage:
  description: Mean of what is used of CPUs, memory and storage.
  returned: success
  type: float
  sample: 9.3
total_vms:
  description: VMs.
  returned: success
  type: int
  sample: 1
vms_by_status:
  description: How many there are of each status.
  returned: success
  type: dict
  sample: {running: 1}
total_gpus:
  description: GPUs of the hosts.
  returned: success
  type: int
  sample: 1
used_gpus:
  description: GPUs that were given to VMs.
  returned: success
  type: int
  sample: 1
unreachable_hosts:
  description: Why hosts could not be reached, by id.
  returned: success
  type: dict
  sample:
    down: >-
      hypervisor qemu+tcp://127.0.0.1:1/system: unable to connect to server at '127.0.0.1:1':
      Connection refused. Check the URI, and that ...
clouds:
  description: GPUs of the OpenStack by type, as M(hostler.fleet.aggregate_info) has them.
  returned: success
  type: list
  elements: dict
  sample: []
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of error, for example V(not_found), V(conflict) or V(unreachable).
      type: str
    message:
      description: The sentence.
      type: str
"""

from ansible_collections.hostler.fleet.plugins.module_utils._host import STATS


def main() -> None:
    STATS.main()


if __name__ == "__main__":
    main()
