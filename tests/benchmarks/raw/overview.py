# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The overviews of all GPU types."""

from __future__ import annotations

from hostler import Fleet

with Fleet() as fleet:
    world = fleet.gpu.observe()
    print([fleet.gpu.overview(one.name, world).gpu_overview for one in fleet.gpu.types(world)])
