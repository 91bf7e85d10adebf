# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens the fleet that a lookup or an inventory names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ansible_collections.hostler.fleet.plugins.plugin_utils._action import plain

if TYPE_CHECKING:
    from hostler import Fleet

OPTIONS = ("config", "cloud", "netbox_url", "netbox_token", "netbox_required")


def open_fleet(options: Mapping[str, Any]) -> Fleet:
    """Open a fleet by a plugin's options.

    Raises:
        HostlerError: the configuration is bad.
    """
    from hostler import Fleet

    return Fleet(**{name: plain(options[name]) for name in OPTIONS})
