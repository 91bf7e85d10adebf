# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an overview of GPU hosts can't do without, as openstacksdk does it: all servers."""

from __future__ import annotations

import openstack

print(len(list(openstack.connect().compute.servers(details=True, all_projects=True))))
