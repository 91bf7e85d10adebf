#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: hyperstack_image_info
short_description: Read images on Hyperstack
version_added: 0.1.0
description:
  - Reads images, all pages of them.
author: Hostler contributors (@hostler)
options:
  region:
    description: Only of this region, whatever its case.
    type: str
  type:
    description: Only of this type, for example V(Ubuntu), whatever its case.
    type: str
  name:
    description: Only the image of exactly this name.
    type: str
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.info
  - hostler.fleet._config
  - hostler.fleet._hyperstack
seealso:
  - module: hostler.fleet.hyperstack_vm
  - module: hostler.fleet.hyperstack_flavor_info
"""

EXAMPLES = r"""
- name: Read all images
  hostler.fleet.hyperstack_image_info:
  register: all_images

- name: Read the images of a region
  hostler.fleet.hyperstack_image_info:
    region: canada-1
    type: Ubuntu
"""

RETURN = r"""
images:
  description: Images.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Number.
      type: int
      sample: 1009
    name:
      description: Name.
      type: str
      sample: Debian 12
    region:
      description: Region; RV(images[].region_name) is the same.
      type: str
      sample: CANADA-1
    size:
      description: Size in words.
      type: str
      sample: 10.0 GB
    size_bytes:
      description: Size in bytes.
      type: float
      sample: 10000000000.0
    type:
      description: Type.
      type: str
      sample: Debian
    version:
      description: Version of the operating system.
      type: str
      sample: '22.04'
    region_name:
      description: Region.
      type: str
      sample: CANADA-1
    description:
      description: Description.
      type: str
    display_size:
      description: Size, rounded.
      type: str
      sample: 10.0 GB
    is_public:
      description: Whether everybody may use it.
      type: bool
      sample: true
    flavor_restrictions:
      description: Which flavors it may be used with.
      type: dict
      sample: {has_flavor_restrictions: false}
    labels:
      description: Labels.
      type: list
      elements: dict
      sample: []
    created_at:
      description: When it was made.
      type: str
      sample: '2026-01-31T12:00:00'
error:
  description: What failed, for programs; the task's C(msg) says it to people.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of error, for example V(not_found), V(conflict) or V(denied).
      type: str
    message:
      description: The sentence.
      type: str
"""

from ansible_collections.hostler.fleet.plugins.module_utils._hyperstack_catalogue import IMAGES


def main() -> None:
    IMAGES.main()


if __name__ == "__main__":
    main()
