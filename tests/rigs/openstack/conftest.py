# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rig's own test."""

from __future__ import annotations

from rigs.openstack.fixtures import changed, faults, rig

__all__ = ["changed", "faults", "rig"]
