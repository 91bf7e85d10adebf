# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Hyperstack, and the key to it."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  hyperstack_url:
    description:
      - Address of Hyperstack's API, with its version.
      - E(HYPERSTACK_API_URL) is used where it is left out, then the one of the configuration, then
        V(https://infrahub-api.nexgencloud.com/v1).
    type: str
  hyperstack_api_key:
    description:
      - Key of Hyperstack's API.
      - E(HYPERSTACK_API_KEY) is used where it is left out, then the one of the configuration, if
        the address is that of the configuration too.
    type: str
requirements:
  - requests >= 2.31
"""
