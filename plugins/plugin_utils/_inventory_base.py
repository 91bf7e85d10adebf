# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the inventory plugins have in common: their file, their cache, adding a host."""

from __future__ import annotations

import gc
import typing as t
from collections.abc import Iterable
from difflib import get_close_matches

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

Row = dict[str, t.Any]
"""What one system has told; ``error`` says why it did not."""


class HostlerInventory(BaseInventoryPlugin, Constructable, Cacheable):
    """Reads rows, or takes them from the cache, and makes hosts of them."""

    def verify_file(self, path: str) -> bool:
        """Whether this is a file for the plugin, by its name."""
        return bool(super().verify_file(path)) and path.endswith(("hostler.yml", "hostler.yaml"))

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Fill the inventory."""
        super().parse(inventory, loader, path, cache)
        gc.freeze()  # what is loaded by now stays: it need not be looked through for garbage again
        self._refuse_unknown(self._read_config_data(path))
        request = self.request()
        rows = self._cached(path, request) if cache else None
        if rows is None:
            rows = self.fetch(request)
            self._keep(path, request, rows)
        self.populate(rows)
        gc.freeze()  # and so do the hosts: Ansible makes many objects of them

    def request(self) -> dict[str, t.Any]:
        """Return what decides what is read: cached answers to another request are not used."""
        raise NotImplementedError

    def fetch(self, request: dict[str, t.Any]) -> list[Row]:
        """Read the rows, which JSON can hold."""
        raise NotImplementedError

    def populate(self, rows: list[Row]) -> None:
        """Make hosts of the rows."""
        raise NotImplementedError

    def add(self, name: str, facts: dict[str, t.Any], groups: Iterable[str]) -> None:
        """Add a host with its variables to groups, and do what the constructed options say."""
        self.inventory.add_host(name)
        for key, value in facts.items():
            self.inventory.set_variable(name, key, value)
        for group in groups:
            self.inventory.add_child(
                self.inventory.add_group(self._sanitize_group_name(group)), name
            )
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), facts, name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), facts, name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), facts, name, strict=strict)

    def _refuse_unknown(self, config: t.Any) -> None:
        """Refuse options that there are none of: Ansible would pass over them in silence."""
        for name in sorted(set(config) - set(self._options)):
            near = get_close_matches(name, self._options, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise AnsibleParserError(f"there is no option {name!r}.{hint}")

    def _cached(self, path: str, request: dict[str, t.Any]) -> list[Row] | None:
        if not self.get_option("cache"):
            return None
        try:
            kept = self._cache[self.get_cache_key(path)]
        except KeyError:
            return None
        return kept["hosts"] if kept["request"] == request else None

    def _keep(self, path: str, request: dict[str, t.Any], rows: list[Row]) -> None:
        """Cache the answers, unless one is missing: that may be mended in a moment."""
        if self.get_option("cache") and not any(row["error"] for row in rows):
            self._cache[self.get_cache_key(path)] = {"request": request, "hosts": rows}
