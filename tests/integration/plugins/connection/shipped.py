# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Not "local" to the action plugins, though it runs on this machine: modules are shipped."""

from __future__ import annotations

from ansible.plugins.connection.local import Connection as LocalConnection

DOCUMENTATION = """
name: shipped
short_description: this machine, as if it were another
description: The local connection under another name.
author: Hostler contributors
extends_documentation_fragment: [connection_pipelining]
options:
  become_success_timeout:
    description: As of the local connection.
    type: int
    default: 10
  become_strip_preamble:
    description: As of the local connection.
    type: bool
    default: true
"""


class Connection(LocalConnection):  # type: ignore[misc]
    transport = "shipped"
