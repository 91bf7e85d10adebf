# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hypervisor, and how much at once."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  uri:
    description:
      - Libvirt URI of the hypervisor, for example V(qemu:///system) or
        V(qemu+ssh://root@host/system).
      - E(LIBVIRT_DEFAULT_URI) is used where it and O(host) are left out, then the one of the
        configuration.
    type: str
  host:
    description:
      - Id of a host of the pool, in place of O(uri). See M(hostler.fleet.host).
    type: str
"""

    PARALLEL = r"""
options:
  parallel:
    description: How many VMs are worked on at once; the configuration's number where left out.
    type: int
"""
