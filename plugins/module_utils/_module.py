# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module as both of its doors see it: the shipped module and the action plugin."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import AnsibleModule, env_fallback
from ansible_collections.hostler.fleet.plugins.module_utils._sdk import sdk_problem

if TYPE_CHECKING:
    from hostler import Fleet
    from hostler.errors import HostlerError

Params = dict[str, Any]
Result = dict[str, Any]
Spec = dict[str, Any]
Tell = Callable[[str], None]
"""Takes a line about how far the work is."""

CONFIG: Spec = {
    "config": {"type": "path", "fallback": (env_fallback, ["HOSTLER_CONFIG"])},
}
LIBVIRT: Spec = {
    **CONFIG,
    "uri": {"type": "str"},
    "host": {"type": "str"},
}
OPENSTACK: Spec = {
    **CONFIG,
    "cloud": {"type": "str", "fallback": (env_fallback, ["OS_CLOUD"])},
}
PARALLEL: Spec = {"parallel": {"type": "int"}}
FLEET = (
    *("config", "uri", "host", "cloud"),
    *("netbox_url", "netbox_token", "netbox_required"),
    *("hyperstack_url", "hyperstack_api_key"),
)
"""The options that a Fleet is opened with."""

_fleets: dict[tuple[object, ...], Fleet] = {}


def _as_given(args: Params) -> Params:
    return args


def _none(_params: Params) -> list[str]:
    return []


def _to_nobody(_line: str) -> None:
    """Ansible hears nothing of a shipped module before its end."""


@dataclass(frozen=True)
class Module:
    """What a module takes and does.

    Attributes:
        arguments: the arguments of AnsibleModule.
        run: does the work; takes the fleet, the checked options and whether this is check mode.
        needs: the SDK's modules that it uses.
        prepare: brings a task's raw arguments into the form that is checked and shipped.
        secrets: finds the parts of options that must not be told.
        tells: the work takes long: run also takes what is told of its way.
    """

    arguments: dict[str, Any]
    run: Callable[..., Result]
    needs: tuple[str, ...]
    prepare: Callable[[Params], Params] = _as_given
    secrets: Callable[[Params], list[str]] = _none
    tells: bool = False

    def main(self) -> None:
        """Be the shipped module."""
        module = AnsibleModule(supports_check_mode=True, **self.arguments)
        if not sdk_problem():
            module.no_log_values.update(self.secrets(module.params))
        result = self.perform(module.params, check=module.check_mode)
        for warning in result.pop("warnings", []):
            module.warn(warning)
        if result.pop("failed", False):
            module.fail_json(**result)
        module.exit_json(**result)

    def perform(self, params: Params, *, check: bool, tell: Tell = _to_nobody) -> Result:
        """Do the work and return the task's result, failures too."""
        if problem := sdk_problem():
            return failure(problem, "missing_library")
        from hostler.errors import HostlerError

        try:
            more = (tell,) if self.tells else ()
            return self.run(open_once(self._own(params)), params, check, *more)
        except HostlerError as error:
            return failed(error)

    def _own(self, params: Params) -> Params:
        """Return the options by their names, without the aliases that Ansible adds."""
        return {name: params.get(name) for name in self.arguments["argument_spec"]}

    def preload(self) -> None:
        """Import what the work needs, so that processes forked from this one have it."""
        gc.disable()  # there is none in modules and classes
        with suppress(ImportError):  # perform() says what is missing
            for name in ("hostler.fleet", *self.needs):
                import_module(name)
            import_module("hostler.models").build()
        gc.freeze()  # forks need not look for garbage in all this, nor copy the pages it is on
        gc.enable()


def failed(error: HostlerError) -> Result:
    """Make a task's result of an error."""
    return failure(str(error), error.code)


def failure(message: str, code: str) -> Result:
    """Make a task's result of the sentence and the code of an error."""
    return {"failed": True, "msg": message, "error": {"code": code, "message": message}}


def given(params: Mapping[str, Any], options: Spec) -> Params:
    """Return the options that were given; those left out are None in Ansible's parameters."""
    return {
        name: _given(params[name], option)
        for name, option in options.items()
        if params.get(name) is not None
    }


def _given(value: Any, option: Spec) -> Any:
    if "options" not in option:
        return value
    if isinstance(value, list):
        return [given(item, option["options"]) for item in value]
    return given(value, option["options"])


def open_once(params: Params) -> Fleet:
    """Open a fleet once in each process, for the items of a loop; a fork opens its own."""
    from hostler import Fleet

    options = {name: params.get(name) for name in FLEET}
    key = (os.getpid(), *options.values(), os.environ.get("HOSTLER_STORE"))
    if key not in _fleets:
        _fleets[key] = Fleet(**options)
    return _fleets[key]
