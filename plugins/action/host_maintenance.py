# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.hostler.fleet.plugins.module_utils._host_maintenance import MODULE
from ansible_collections.hostler.fleet.plugins.plugin_utils._action import HostlerAction


class ActionModule(HostlerAction):
    module = MODULE
