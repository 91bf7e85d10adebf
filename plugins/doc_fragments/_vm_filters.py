# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that choose VMs."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  status:
    description: Only VMs of these states.
    type: list
    elements: str
    choices: [running, paused, stopping, stopped, crashed, suspended, unknown]
  os_type:
    description: Only VMs of this kind of operating system.
    type: str
  labels:
    description: Only VMs that carry all of these labels; the value V(*) stands for any.
    type: dict
  search:
    description: Only VMs with this in their name or UUID, in any case.
    type: str
"""
