# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookups: options are checked, errors are sentences, a loop shares a fleet."""

from __future__ import annotations

import typing as t
from collections.abc import Sequence
from difflib import get_close_matches

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.hostler.fleet.plugins.module_utils._module import open_once
from ansible_collections.hostler.fleet.plugins.module_utils._sdk import sdk_problem
from ansible_collections.hostler.fleet.plugins.plugin_utils._action import plain

if t.TYPE_CHECKING:
    from hostler import Fleet

Row = dict[str, t.Any]


class HostlerLookup(LookupBase):
    """Reads through the SDK, in Ansible's process."""

    def run(self, terms: t.Any, variables: t.Any = None, **kwargs: t.Any) -> list[Row]:
        """Return what is looked up."""
        self.set_options(var_options=variables, direct=kwargs)
        for name in sorted(set(kwargs) - set(self.get_options())):
            near = get_close_matches(name, self.get_options(), n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise AnsibleLookupError(f"there is no option {name!r}.{hint}")
        if problem := sdk_problem():
            raise AnsibleLookupError(problem)
        from hostler.errors import HostlerError

        words = [str(term) for term in self._flatten(plain(terms))]
        options = {name: plain(value) for name, value in self.get_options().items()}
        try:
            found, warnings = self.read(open_once(options), words, options)
        except HostlerError as error:
            raise AnsibleLookupError(str(error)) from error
        for warning in warnings:
            self._display.warning(warning)
        return found

    def read(self, fleet: Fleet, terms: list[str], options: Row) -> tuple[list[Row], Sequence[str]]:
        """Return what is looked up, and warnings."""
        raise NotImplementedError
