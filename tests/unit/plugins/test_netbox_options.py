# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options for NetBox: documented, secret where they must be, and what Fleet takes."""

from __future__ import annotations

import inspect

import yaml
from ansible_collections.hostler.fleet.plugins.doc_fragments._netbox import ModuleDocFragment
from ansible_collections.hostler.fleet.plugins.module_utils._netbox import NETBOX

from hostler import Fleet


def test_documented() -> None:
    documented = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]
    assert {n: o["type"] for n, o in documented.items()} == {
        n: o["type"] for n, o in NETBOX.items()
    }
    for name, option in NETBOX.items():
        for variable in option.get("fallback", (None, []))[1]:
            assert f"E({variable})" in " ".join(documented[name]["description"])


def test_fleet_takes_them() -> None:
    assert set(NETBOX) <= set(inspect.signature(Fleet).parameters)


def test_the_token_is_not_logged() -> None:
    assert [name for name, option in NETBOX.items() if option.get("no_log")] == ["netbox_token"]
