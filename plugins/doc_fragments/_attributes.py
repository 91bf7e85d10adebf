# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module can do, and what it needs."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
requirements:
  - python >= 3.11
  - hostler >= 0.1.0, < 0.2
attributes:
  platform:
    description: Operating systems that the module runs on; the hypervisor may be another machine.
    support: full
    platforms: posix
  action_group:
    description: C(group/hostler.fleet.fleet) in C(module_defaults) sets options for all modules.
    support: full
    membership: [hostler.fleet.fleet]
  async:
    description: Can be run with the C(async) keyword.
    support: full
notes:
  - With a local connection the work is done inside Ansible's own process, in milliseconds.
  - Any other connection, and the keywords C(async), C(become) and C(environment), ship an
    ordinary module to that host.
"""

    # modules that change things
    CHANGE = r"""
attributes:
  check_mode:
    description: Predicts what a run would change, and touches nothing.
    support: full
  diff_mode:
    description: Shows what is before and what is after.
    support: full
  idempotent:
    description: A second run changes nothing.
    support: full
"""

    # modules that read
    INFO = r"""
attributes:
  check_mode:
    description: Predicts what a run would change, and touches nothing.
    support: full
    details:
      - This module changes nothing.
  diff_mode:
    description: Shows what is before and what is after.
    support: N/A
    details:
      - This module changes nothing.
  idempotent:
    description: A second run changes nothing.
    support: full
    details:
      - This module changes nothing.
"""
