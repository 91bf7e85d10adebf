# SPDX-License-Identifier: Apache-2.0
"""Firewalls: each operation sends one request."""

from __future__ import annotations

from hostler.backends.hyperstack.client import Client
from hostler.backends.hyperstack.parsing import parsed
from hostler.models.hyperstack import Firewall
from hostler.models.hyperstack_rule import Rule

_FIREWALLS = "/core/firewalls"


class FirewallApi:
    """Firewalls."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self) -> list[Firewall]:
        """Read the firewalls of all environments.

        What they are attached to is written back: a filter that finds too little would detach.
        """
        rows = self._client.pages(_FIREWALLS, "firewalls")
        return [parsed(Firewall, row, f"{self._client}: {_FIREWALLS}") for row in rows]

    def get(self, number: int) -> Firewall:
        """Read one firewall.

        Raises:
            NotFound: it is gone.
        """
        body = self._client.read(f"{_FIREWALLS}/{number}", on=self._on(number))
        return parsed(Firewall, body.get("firewall"), self._on(number))

    def create(self, name: str, environment: int, description: str) -> None:
        """Make a firewall."""
        body = {"name": name, "environment_id": environment, "description": description}
        self._client.act("POST", _FIREWALLS, body, on=f"firewall {name!r}")

    def delete(self, number: int) -> None:
        """Delete a firewall; Hyperstack refuses while it is attached."""
        self._client.act("DELETE", f"{_FIREWALLS}/{number}", on=self._on(number))

    def add_rule(self, number: int, rule: Rule) -> None:
        """Add a rule."""
        path = f"{_FIREWALLS}/{number}/firewall-rules"
        self._client.act("POST", path, rule.payload(), on=self._on(number))

    def remove_rule(self, number: int, rule: int) -> None:
        """Remove a rule."""
        path = f"{_FIREWALLS}/{number}/firewall-rules/{rule}"
        self._client.act("DELETE", path, on=self._on(number))

    def _on(self, number: int) -> str:
        return f"firewall {number} on {self._client}"
