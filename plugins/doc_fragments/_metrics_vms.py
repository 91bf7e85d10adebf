# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which metrics of VMs: beside those of _metrics."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  guest:
    description:
      - Ask guest agents for the operating system, users and file systems too.
      - A guest that does not answer costs O(agent_timeout).
    type: bool
    default: false
  system:
    description:
      - Where the VMs are.
      - Hyperstack is asked for the history that it keeps itself, whose newest values are some
        minutes old.
    type: str
    choices: [libvirt, hyperstack]
    default: libvirt
  agent_timeout:
    description: Seconds that a guest agent gets to answer.
    type: int
    default: 2
"""
