#!/usr/bin/python
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: hyperstack_stock_info
short_description: Read the stock of GPUs on Hyperstack
version_added: 0.1.0
description:
  - Reads how many GPUs of which models there are, by region.
author: Hostler contributors (@hostler)
options:
  region:
    description: Only of this region, whatever its case.
    type: str
  model:
    description: Only this model.
    type: str
extends_documentation_fragment:
  - hostler.fleet._attributes
  - hostler.fleet._attributes.info
  - hostler.fleet._config
  - hostler.fleet._hyperstack
seealso:
  - module: hostler.fleet.hyperstack_flavor_info
"""

EXAMPLES = r"""
- name: Read the whole stock
  hostler.fleet.hyperstack_stock_info:
  register: all_stock

- name: Read how many L40 there are
  hostler.fleet.hyperstack_stock_info:
    region: CANADA-1
    model: L40
"""

RETURN = r"""
stock:
  description: Stock, one for each region and model.
  returned: success
  type: list
  elements: dict
  contains:
    region:
      description: Region.
      type: str
      sample: CANADA-1
    model:
      description: Model.
      type: str
      sample: L40
    available:
      description: How many, as Hyperstack says it.
      type: str
      sample: '12'
    configurations:
      description: How many VMs of each size that would be.
      type: dict
      sample: {1x: 12, 8x: 1}
    stock_type:
      description: What it is a stock of.
      type: str
      sample: GPU
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

from ansible_collections.hostler.fleet.plugins.module_utils._hyperstack_catalogue import STOCK


def main() -> None:
    STOCK.main()


if __name__ == "__main__":
    main()
