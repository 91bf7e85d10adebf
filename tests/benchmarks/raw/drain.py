# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Empties the first of hosts: drain.py PARALLEL URI..."""

from __future__ import annotations

import sys

from hostler import Fleet
from hostler.config import FleetConfig

parallel, *uris = sys.argv[1:]
hosts = {f"h{number}": {"uri": uri, "cpu_overcommit": 32} for number, uri in enumerate(uris)}
with Fleet(FleetConfig.model_validate({"hosts": hosts})) as fleet:
    task = {"host": "h0", "state": "drained"}
    (done,) = fleet.hosts.maintenance.run([task], parallel=int(parallel))
if done.error or len(done.moves) != 10:
    sys.exit(done.error or f"{len(done.moves)} VMs were moved")
