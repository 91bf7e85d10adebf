# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a VM, for one VM (at the top) and for each of a list."""

from __future__ import annotations

import re
from textwrap import indent

from ansible_collections.hostler.fleet.plugins.doc_fragments import (
    _vm_devices,
    _vm_fields,
    _vm_options,
)

_FIELDS = _vm_fields.FIELDS + _vm_devices.FIELDS + _vm_options.FIELDS

# What an item of the list leaves out is taken from the top: only there are defaults.
_WITHOUT_DEFAULTS = re.sub(r"(?m)^  default: .*\n", "", _FIELDS)

_NAMES = r"""
name:
  description: Name of the VM; either it or O(vms) is given.
  type: str
vms:
  description:
    - VMs that are worked on side by side.
    - What an item leaves out is taken from the task's own options.
  type: list
  elements: dict
  suboptions:
    name:
      description: Name of the VM.
      type: str
      required: true
"""

_OPTIONS = _FIELDS + _NAMES + indent(_WITHOUT_DEFAULTS, "    ")


class ModuleDocFragment:
    # Annotated: of other assignments ansible-test's yamllint wants one literal.
    DOCUMENTATION: str = "options:\n" + indent(_OPTIONS, "  ")
