#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: aggregate_target_info
short_description: Find the best aggregate for a GPU host
version_added: 0.1.0
description:
  - Says which aggregate suits a GPU host best and why, and what speaks for and against the others.
  - A host with VMs stays where it is, as does one of a contract. An empty one goes where GPUs are
    short; where none are, on-demand lends what it does not need to spot.
  - Nothing is moved.
author: Hostler contributors (@hostler)
options:
  hostname:
    description: Name of the host, as Nova spells it.
    type: str
    required: true
    aliases: [host]
  gpu_type:
    description: GPU type that the host is expected to have; another one is an error.
    type: str
  pool:
    description: Only aggregates of this pool. Contracts are left out unless asked for.
    type: str
    choices: [ondemand, spot, runpod, contract]
  variant:
    description: Only aggregates of this variant, for example V(NVLink).
    type: str
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.info
  - hostler.fleet._config
  - hostler.fleet._openstack
  - hostler.fleet._netbox
seealso:
  - module: hostler.fleet.aggregate_info
"""

EXAMPLES = r"""
- name: Find the best aggregate for a host
  hostler.fleet.aggregate_target_info:
    hostname: gpu-host-001
  register: target

- name: Say it
  ansible.builtin.debug:
    msg: "{{ target.recommended_aggregate }}: {{ target.reasoning }}"

- name: Find the spot aggregate for a host
  hostler.fleet.aggregate_target_info:
    hostname: gpu-host-001
    pool: spot
"""

RETURN = r"""
hostname:
  description: Name of the host.
  returned: success
  type: str
  sample: gpu-host-004
gpu_type:
  description: Its GPU type; none where it is not known.
  returned: success
  type: str
  sample: A100
current_aggregate:
  description: The pool that it is in; none where it is in none, or in several.
  returned: success
  type: str
  sample: A100-n3
recommended_aggregate:
  description: The best aggregate, which may be the one where it is; none where nothing is suitable.
  returned: success
  type: str
  sample: A100-n3-NVLink-spot
reasoning:
  description: Why, in words.
  returned: success
  type: str
  sample: 'Host has 2 VMs: moving it to spot aggregate needs force or drain.'
alternatives:
  description: What was considered, the best first.
  returned: success
  type: list
  elements: dict
  contains:
    aggregate:
      description: Name of the aggregate.
      type: str
      sample: A100-n3-NVLink-spot
    pool:
      description: Pool.
      type: str
      sample: spot
    variant:
      description: Variant.
      type: str
      sample: NVLink
    suitable:
      description: Whether the host could go there, or stay there.
      type: bool
      sample: true
    reasons:
      description: What speaks against it, and what else is to know.
      type: list
      elements: str
      sample:
        - no other hosts
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of error, for example V(not_found), V(denied) or V(unreachable).
      type: str
      sample: unreachable
    message:
      description: The sentence.
      type: str
      sample: >-
        Keystone of cloud 'gone': can't be reached: connection refused. Check the address and that
        it is ...
"""

from ansible_collections.hostler.fleet.plugins.module_utils._gpu_info import TARGET


def main() -> None:
    TARGET.main()


if __name__ == "__main__":
    main()
