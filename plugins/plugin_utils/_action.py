# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugins: a module's work inside Ansible's own process."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action import ActionBase
from ansible_collections.hostler.fleet.plugins.module_utils._module import (
    Module,
    Params,
    Result,
)


class HostlerAction(ActionBase):
    """Runs a module here where the task's connection is local; else ships it."""

    _requires_connection = False
    _supports_async = True
    module: ClassVar[Module]

    def __init_subclass__(cls) -> None:
        # Ansible loads the class in the parent process: every task's fork inherits the imports.
        cls.module.preload()

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> Result:
        """Run the task."""
        super().run(tmp, task_vars)
        args = self.module.prepare(plain(self._task.args))
        if not self._in_process():
            shipped = self._execute_module(
                module_args=args, task_vars=task_vars, wrap_async=bool(self._task.async_val)
            )
            return dict(shipped)
        params, problem = self._checked(args)
        if problem:
            return {"failed": True, "msg": problem}
        result = self.module.perform(params, check=self._task.check_mode, tell=self._display.v)
        for warning in result.pop("warnings", []):
            self._display.warning(warning)
        return result

    def _in_process(self) -> bool:
        """Whether this process is where the module would run, and as it would run."""
        environment: dict[str, str] = {}
        self._compute_environment_string(environment)
        local = self._connection.transport == "local" and self._connection.become is None
        return local and not environment and not self._task.async_val

    def _checked(self, args: Params) -> tuple[Params, str]:
        checked = ArgumentSpecValidator(**self.module.arguments).validate(args)
        problem = ""
        if checked.error_messages:
            problem = checked.errors.msg
            if isinstance(checked.errors[0], UnsupportedError):
                name = self._task.resolved_action or self._task.action
                problem = f"Unsupported parameters for ({name}) module: {problem}"
        return checked.validated_parameters, problem


def plain(value: Any) -> Any:
    """Turn Ansible's tagged values into the plain ones that a shipped module gets as JSON."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    for kind in (str, int, float):
        if isinstance(value, kind) and not isinstance(value, bool):
            return kind(value)
    return value
