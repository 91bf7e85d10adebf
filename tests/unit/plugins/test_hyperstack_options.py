# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options for Hyperstack: what Fleet takes, secret where they must be."""

from __future__ import annotations

import inspect

from ansible_collections.hostler.fleet.plugins.module_utils import _hyperstack, _module

from hostler import Fleet


def test_fleet_takes_them() -> None:
    assert set(_module.FLEET) <= set(inspect.signature(Fleet).parameters)
    assert set(_hyperstack.HYPERSTACK) <= set(_module.FLEET)


def test_the_key_is_not_logged() -> None:
    secret = [name for name, option in _hyperstack.HYPERSTACK.items() if option.get("no_log")]
    assert secret == ["hyperstack_api_key"]
