#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: command_log_info
short_description: Read the command log
version_added: 0.1.0
description:
  - Reads from the journal which commands were run, by whom and how they ended, newest first.
author: Hostler contributors (@hostler)
options:
  limit:
    description: How many commands to return at most.
    type: int
    default: 100
  since:
    description: Only commands from this time on, in ISO 8601; UTC where it names no zone.
    type: str
  status:
    description: Only commands that ended so; the end of V(unsure) ones could not be found out.
    type: str
    choices: [started, done, failed, unsure, undone]
  target:
    description: Only commands on this, for example V(vm/web1).
    type: str
  plan_id:
    description: Only commands of this plan.
    type: str
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.info
  - hostler.fleet._config
seealso:
  - module: hostler.fleet.plan_info
"""

EXAMPLES = r"""
- name: Read the last ten commands
  hostler.fleet.command_log_info:
    limit: 10

- name: Read what failed since yesterday
  hostler.fleet.command_log_info:
    status: failed
    since: "{{ '%Y-%m-%dT%H:%M:%SZ' | strftime(now().timestamp() - 86400, utc=true) }}"
"""

RETURN = r"""
commands:
  description: Commands, newest first.
  returned: success
  type: list
  elements: dict
  contains:
    timestamp:
      description: When it was started, in UTC.
      type: str
      sample: '2026-01-31T12:00:00+00:00'
    command:
      description: The shell command that an operator would have typed, secrets masked.
      type: str
      sample: virsh -c qemu:///system define one.xml
    summary:
      description: The command in words.
      type: str
      sample: define domain one
    status:
      description: How it ended.
      type: str
      sample: done
    execution_time:
      description: How long it took, in seconds.
      type: float
      sample: 0.005
    user:
      description: Who ran it.
      type: str
      sample: root
    plan_id:
      description: The plan that it belongs to.
      type: str
      sample: 6a0f1c2b-5d1e9c0a
    target:
      description: What it changed.
      type: str
      sample: vm/one
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
      sample: invalid_input
    message:
      description: The sentence.
      type: str
      sample: >-
        since: 'tomorrow' is not a time in ISO 8601. Write it like 2026-01-31T12:00:00Z.
"""

from ansible_collections.hostler.fleet.plugins.module_utils._journal import COMMAND_LOG


def main() -> None:
    COMMAND_LOG.main()


if __name__ == "__main__":
    main()
