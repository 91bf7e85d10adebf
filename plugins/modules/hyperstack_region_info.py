#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: hyperstack_region_info
short_description: Read the regions of Hyperstack
version_added: 0.1.0
description:
  - Reads the regions.
author: Hostler contributors (@hostler)
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.info
  - hostler.fleet._config
  - hostler.fleet._hyperstack
seealso:
  - module: hostler.fleet.hyperstack_environment
"""

EXAMPLES = r"""
- name: Read the regions
  hostler.fleet.hyperstack_region_info:
  register: all_regions

- name: Make an environment in each
  hostler.fleet.hyperstack_environment:
    name: "lab-{{ item.name }}"
    region: "{{ item.name }}"
  loop: "{{ all_regions.regions }}"
"""

RETURN = r"""
regions:
  description: Regions.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Number.
      type: int
      sample: 1001
    name:
      description: Name.
      type: str
      sample: NORWAY-1
    country:
      description: Country.
      type: str
      sample: Norway
    description:
      description: Description.
      type: str
      sample: NORWAY-1
    features:
      description: What VMs there can do.
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
      sample: denied
    message:
      description: The sentence.
      type: str
      sample: >-
        Hyperstack https://infrahub-api.nexgencloud.com/v1: /core/regions: the API key is not
        accepted: The API key is invalid (401 Unauthorized). ...
"""

from ansible_collections.hostler.fleet.plugins.module_utils._hyperstack_catalogue import REGIONS


def main() -> None:
    REGIONS.main()


if __name__ == "__main__":
    main()
