# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hostler.fleet.vm_console_info."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible_collections.hostler.fleet.plugins.module_utils._module import (
    LIBVIRT,
    Module,
    Params,
    Result,
    Spec,
)

if TYPE_CHECKING:
    from hostler import Fleet
    from hostler.models.console import Console

OPTIONS: Spec = {
    "name": {"type": "str", "required": True, "aliases": ["vm"]},
    "types": {"type": "list", "elements": "str", "choices": ["vnc", "spice", "serial"]},
    "show_password": {"type": "bool", "default": False, "no_log": False},
}


def run(fleet: Fleet, params: Params, _check: bool) -> Result:
    """Read a VM's consoles."""
    shown = bool(params["show_password"])
    found = fleet.consoles.info(params["name"], password=shown)
    wanted = [one for one in found if not params["types"] or one.type in params["types"]]
    return {"changed": False, "consoles": [_console(one) for one in wanted]}


def _console(console: Console) -> dict[str, Any]:
    secret = console.password
    return {
        **console.model_dump(mode="json"),
        "password": secret.get_secret_value() if secret else None,
    }


MODULE = Module(
    arguments={"argument_spec": {**LIBVIRT, **OPTIONS}},
    run=run,
    needs=("hostler.consoles.service", "hostler.backends.libvirt"),
)
