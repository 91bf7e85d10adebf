#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: hyperstack_keypair
short_description: Add and remove SSH keys on Hyperstack
version_added: 0.1.0
description:
  - Adds an SSH key to an environment, or removes it. VMs that have it keep it.
  - A key of that name with other contents is not replaced; the task fails then.
author: Hostler contributors (@hostler)
options:
  name:
    description: Name of the key, exactly.
    type: str
    required: true
  environment:
    description: Name of the environment.
    type: str
    required: true
  public_key:
    description: The public key; needed for a new one. Its comment does not count.
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
  - module: hostler.fleet.hyperstack_environment
"""

EXAMPLES = r"""
- name: Add a key
  hostler.fleet.hyperstack_keypair:
    name: ops
    environment: default-CANADA-1
    public_key: "{{ lookup('ansible.builtin.file', '~/.ssh/id_ed25519.pub') }}"

- name: Remove a key
  hostler.fleet.hyperstack_keypair:
    name: ops
    environment: default-CANADA-1
    state: absent
"""

RETURN = r"""
name:
  description: Name of the key.
  returned: always
  type: str
  sample: me
keypair:
  description: The key as it is afterwards; none where it is not there, and in check mode.
  returned: success
  type: dict
  sample:
    id: 1016
    name: me
    public_key: ssh-ed25519 AAAAC3Nza ops@example.com
    fingerprint: aa:bb
    environment: {id: 1015, name: lab, created_at: '2026-01-31T12:00:00', region: US-1}
    created_at: '2026-01-31T12:00:00'
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
      sample: add key me to lab
    commands:
      description: Shell commands that an operator would have typed, the key and user data masked.
      type: list
      elements: str
      sample:
        - >-
          curl -X POST https://infrahub-api.nexgencloud.com/v1/core/keypairs -H 'api_key: ****' -H
          'Content-Type: application/json' -d '{"name": "me", "environment_name": "lab",
          "public_key": ...
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
    before_header: me
    after_header: me
    before: ''
    after: |
      name: me
      environment: lab
      public_key: ssh-ed25519 AAAAC3Nza ops@example.com
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
      sample: >-
        key 'x' in default-CANADA-1: it is not there, and a new one needs public_key.
"""

from ansible_collections.hostler.fleet.plugins.module_utils._hyperstack_catalogue import KEYPAIR


def main() -> None:
    KEYPAIR.main()


if __name__ == "__main__":
    main()
