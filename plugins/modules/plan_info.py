#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: plan_info
short_description: Read plans that were applied
version_added: 0.1.0
description:
  - Reads plans and their steps from the journal, newest first.
  - A plan that was left half way can be finished with C(hostler plan resume) or taken back with
    C(hostler plan undo).
author: Hostler contributors (@hostler)
options:
  id:
    description: Only the plan with this identifier, or the one that begins so.
    type: str
  unfinished:
    description: Only plans that were left half way.
    type: bool
    default: false
  limit:
    description: How many plans to return at most.
    type: int
    default: 50
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.info
  - hostler.fleet._config
seealso:
  - module: hostler.fleet.command_log_info
"""

EXAMPLES = r"""
- name: Read what was left half way
  hostler.fleet.plan_info:
    unfinished: true

- name: Read the plan of a task
  hostler.fleet.plan_info:
    id: "{{ web.plan.id }}"
"""

RETURN = r"""
plans:
  description: Plans, newest first.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Identifier; it sorts by time.
      type: str
      sample: 6a0f1c2b-5d1e9c0a
    target:
      description: What it changed.
      type: str
      sample: vm/one
    summary:
      description: One sentence.
      type: str
      sample: delete VM one on qemu:///system
    status:
      description: V(running), V(done), V(failed) or V(undone).
      type: str
      sample: done
    running:
      description: Whether a process is applying it right now.
      type: bool
      sample: false
    before:
      description: What was there before.
      type: dict
      sample:
        name: one
        cpus: 1
        cpus_max: 1
        cpu: {mode: custom, model: qemu64}
        memory: 64MiB
        memory_max: 64MiB
        machine: pc-q35-7.2
        arch: x86_64
    after:
      description: What was to be there afterwards.
      type: dict
      sample:
        name: one
        cpus: 1
        cpus_max: 1
        cpu: {mode: custom, model: qemu64}
        memory: 64MiB
        memory_max: 64MiB
        machine: pc-q35-7.2
        arch: x86_64
    warnings:
      description: What a person should know.
      type: list
      elements: str
      sample: []
    created_at:
      description: When it was begun, in UTC.
      type: str
      sample: '2026-01-31T12:00:00+00:00'
    user:
      description: Who began it.
      type: str
      sample: root
    host:
      description: Where that was.
      type: str
      sample: kvm1
    pid:
      description: Identifier of the process.
      type: int
      sample: 2399
    steps:
      description: What it did, in order.
      type: list
      elements: dict
      contains:
        summary:
          description: The step in words.
          type: str
          sample: undefine domain one
        command:
          description: The shell command that an operator would have typed, secrets masked.
          type: str
          sample: >-
            virsh -c qemu:///system undefine one --nvram --managed-save --snapshots-metadata
        status:
          description: V(pending), V(started), V(done), V(failed), V(unsure) or V(undone).
          type: str
          sample: done
        error:
          description: Why it failed; empty where it did not.
          type: str
          sample: ''
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
      sample: there is no plan 'nothing' in the journal. See 'hostler plan list'.
"""

from ansible_collections.hostler.fleet.plugins.module_utils._journal import PLANS


def main() -> None:
    PLANS.main()


if __name__ == "__main__":
    main()
