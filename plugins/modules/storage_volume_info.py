#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: storage_volume_info
short_description: Read volumes of a storage pool
version_added: 0.1.0
description:
  - Reads the volumes of a storage pool, over a read-only connection. The pool must be active.
author: Hostler contributors (@hostler)
options:
  pool:
    description: Pool.
    type: str
    required: true
  names:
    description: Names of volumes, or globs; all of them where left out.
    type: list
    elements: str
    aliases: [name]
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.info
  - hostler.fleet._config
  - hostler.fleet._libvirt
seealso:
  - module: hostler.fleet.storage_volume
"""

EXAMPLES = r"""
- name: Read the volumes of a pool
  hostler.fleet.storage_volume_info:
    pool: vms
  register: storage

- name: Read some
  hostler.fleet.storage_volume_info:
    pool: vms
    names: ["web-*"]
"""

RETURN = r"""
volumes:
  description: Volumes, by name.
  returned: success
  type: list
  elements: dict
  contains:
    pool:
      description: Pool that it is in.
      type: str
      sample: pool
    name:
      description: Name.
      type: str
      sample: clone
    path:
      description: Where it is.
      type: str
      sample: /srv/fleet/pool/clone
    capacity:
      description: Size in bytes, as a guest sees it.
      type: int
      sample: 4194304
    allocation:
      description: Bytes that it takes.
      type: int
      sample: 2101248
    format:
      description: V(qcow2) or V(raw), for example; none where its pool has no formats.
      type: str
      sample: raw
    backing:
      description: Path of the volume that it is a linked clone of.
      type: str
      sample: /srv/fleet/pool/data
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of error, for example V(not_found), V(conflict) or V(unreachable).
      type: str
    message:
      description: The sentence.
      type: str
"""

from ansible_collections.hostler.fleet.plugins.module_utils._storage import VOLUMES


def main() -> None:
    VOLUMES.main()


if __name__ == "__main__":
    main()
