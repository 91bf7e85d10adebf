# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moves hosts to the other one of two aggregates: moves.py PARALLEL AGGREGATE AGGREGATE HOST..."""

from __future__ import annotations

import sys

from hostler import Fleet

parallel, one, other, *hosts = sys.argv[1:]
with Fleet() as fleet:
    (first,) = fleet.gpu.aggregates(name=one)
    target = other if hosts[0] in {host.hostname for host in first.hosts} else one
    tasks = [{"host": host, "target": target} for host in hosts]
    for result in fleet.gpu.migrations.run(tasks, parallel=int(parallel)):
        if result.error:
            sys.exit(result.error)
