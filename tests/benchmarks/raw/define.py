# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The least that defining VMs needs. define.py URI FILE, the file a JSON list of domain XML."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import libvirt

connection = libvirt.open(sys.argv[1])
for xml in json.loads(Path(sys.argv[2]).read_text()):
    connection.defineXML(xml)
