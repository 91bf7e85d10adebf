#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: command_log
short_description: Clear the command log
version_added: 0.1.0
description:
  - Forgets finished plans and their commands.
  - Plans that were left half way stay, with their commands, so that they can be resumed or undone.
author: Hostler contributors (@hostler)
options:
  state:
    description: What the command log should be.
    type: str
    choices: [cleared]
    required: true
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.change
  - hostler.fleet._config
seealso:
  - module: hostler.fleet.command_log_info
"""

EXAMPLES = r"""
- name: Forget what is finished
  hostler.fleet.command_log:
    state: cleared

- name: Forget what is finished, in a journal of its own
  hostler.fleet.command_log:
    state: cleared
    config: fleet.yml
"""

RETURN = r"""
cleared:
  description: How many commands were forgotten; in check mode, how many would be.
  returned: success
  type: int
  sample: 1
diff:
  description: Before and after, as YAML.
  returned: changed
  type: dict
  sample:
    before_header: command log
    after_header: command log
    before: |
      finished_commands: 1
    after: |
      finished_commands: 0
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

from ansible_collections.hostler.fleet.plugins.module_utils._journal import CLEAR


def main() -> None:
    CLEAR.main()


if __name__ == "__main__":
    main()
