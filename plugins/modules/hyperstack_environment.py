#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: hyperstack_environment
short_description: Create and remove environments on Hyperstack
version_added: 0.1.0
description:
  - Makes an environment in a region, or removes one that is empty. Keys in it go with it.
author: Hostler contributors (@hostler)
options:
  name:
    description: Name of the environment, exactly.
    type: str
    required: true
  region:
    description: Region; needed for a new one. An environment stays in its region.
    type: str
  state:
    description: Whether it should be there.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.change
  - hostler.fleet._config
  - hostler.fleet._hyperstack
seealso:
  - module: hostler.fleet.hyperstack_environment_info
  - module: hostler.fleet.hyperstack_keypair
"""

EXAMPLES = r"""
- name: Have an environment
  hostler.fleet.hyperstack_environment:
    name: lab
    region: CANADA-1

- name: Remove it
  hostler.fleet.hyperstack_environment:
    name: lab
    state: absent
"""

RETURN = r"""
name:
  description: Name of the environment.
  returned: always
  type: str
  sample: lab-CANADA-2
environment:
  description: The environment as it is afterwards; none where it is not there, and in check mode.
  returned: success
  type: dict
  sample: {id: 1019, name: lab-CANADA-2, region: CANADA-2, created_at: '2026-01-31T12:00:00'}
plan:
  description: What was done or, in check mode, would be done.
  returned: when it could be planned
  type: dict
  contains:
    id:
      description: Identifier of the plan; M(hostler.fleet.plan_info) finds it once it was applied.
      type: str
      sample: 6a0f1c2b-5d1e9c0a
    summary:
      description: One sentence.
      type: str
      sample: create environment lab-CANADA-2 in CANADA-2
    commands:
      description: Shell commands that an operator would have typed, the key and user data masked.
      type: list
      elements: str
      sample:
        - >-
          curl -X POST https://infrahub-api.nexgencloud.com/v1/core/environments -H 'api_key:
          ****' -H 'Content-Type: application/json' -d '{"name": "lab-CANADA-2", "region":
          "CANADA-2"}'
    warnings:
      description: What a person should know.
      type: list
      elements: str
      sample: []
diff:
  description: Before and after, as YAML.
  returned: changed
  type: dict
  sample:
    before_header: lab-CANADA-2
    after_header: lab-CANADA-2
    before: ''
    after: |
      name: lab-CANADA-2
      region: CANADA-2
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of error, for example V(not_found), V(conflict) or V(denied).
      type: str
      sample: invalid_input
    message:
      description: The sentence.
      type: str
      sample: 'environment ''x'': it is not there, and a new one needs a region.'
"""

from ansible_collections.hostler.fleet.plugins.module_utils._hyperstack_catalogue import ENVIRONMENT


def main() -> None:
    ENVIRONMENT.main()


if __name__ == "__main__":
    main()
