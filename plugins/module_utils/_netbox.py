# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of modules that ask NetBox; Fleet takes them under the same names."""

from __future__ import annotations

from ansible.module_utils.basic import env_fallback
from ansible_collections.hostler.fleet.plugins.module_utils._module import Spec

NETBOX: Spec = {
    "netbox_url": {"type": "str", "fallback": (env_fallback, ["NETBOX_URL"])},
    "netbox_token": {
        "type": "str",
        "no_log": True,
        "fallback": (env_fallback, ["NETBOX_TOKEN"]),
    },
    "netbox_required": {"type": "bool"},
}
