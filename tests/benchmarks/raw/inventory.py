# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The least that an inventory needs: list, statistics, XML of each. inventory.py URI."""

from __future__ import annotations

import sys

import libvirt

connection = libvirt.open(sys.argv[1])
domains = connection.listAllDomains()
connection.getAllDomainStats()
for domain in domains:
    domain.XMLDesc()
