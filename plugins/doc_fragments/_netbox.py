# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which NetBox tells whose hosts are."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  netbox_url:
    description:
      - Address of the NetBox that knows whose the hosts are, for example
        V(https://netbox.example.com).
      - E(NETBOX_URL) is used where it is left out, then the one of the configuration. Without any,
        NetBox is not asked, and what it would tell is null.
    type: str
  netbox_token:
    description:
      - Token of NetBox's API that may read devices and tenants.
      - E(NETBOX_TOKEN) is used where it is left out, then the one of the configuration, if the
        address is that of the configuration too.
    type: str
  netbox_required:
    description:
      - Whether a NetBox that can't be reached is an error. Else it is a warning, and what it would
        tell is null.
      - The configuration's word holds where it is left out, and without that it is no error.
    type: bool
"""
