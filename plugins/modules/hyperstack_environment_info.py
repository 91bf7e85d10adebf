#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: hyperstack_environment_info
short_description: Read environments on Hyperstack
version_added: 0.1.0
description:
  - Reads environments with the names of their SSH keys and, where asked, how many VMs they may
    have.
author: Hostler contributors (@hostler)
options:
  name:
    description: Only the environment of this name.
    type: str
  region:
    description: Only environments of this region, whatever its case.
    type: str
  quota:
    description: Read quotas too, a call for each environment.
    type: bool
    default: false
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.info
  - hostler.fleet._config
  - hostler.fleet._hyperstack
seealso:
  - module: hostler.fleet.hyperstack_environment
"""

EXAMPLES = r"""
- name: Read all environments
  hostler.fleet.hyperstack_environment_info:
  register: all_environments

- name: Read how many VMs an environment may have
  hostler.fleet.hyperstack_environment_info:
    name: default-CANADA-1
    quota: true
  register: lab
"""

RETURN = r"""
environments:
  description: Environments.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Number.
      type: int
      sample: 1015
    name:
      description: Name.
      type: str
      sample: lab
    region:
      description: Region.
      type: str
      sample: US-1
    keypairs:
      description: Names of its SSH keys.
      type: list
      elements: str
      sample:
        - me
    quota:
      description: How many VMs it may have, with O(quota=true).
      type: dict
      sample: {available_vms: 100, current_vms: 0, max_vms: 100, cidr: 10.0.0.0/16, status: true,
        message: Quota, percentage_used: 0.0}
    features:
      description: What its region can do.
      type: dict
      sample: {}
    created_at:
      description: When it was made.
      type: str
      sample: '2026-01-31T12:00:00'
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of error, for example V(not_found), V(conflict) or V(denied).
      type: str
    message:
      description: The sentence.
      type: str
"""

from ansible_collections.hostler.fleet.plugins.module_utils._hyperstack_catalogue import (
    ENVIRONMENTS,
)


def main() -> None:
    ENVIRONMENTS.main()


if __name__ == "__main__":
    main()
