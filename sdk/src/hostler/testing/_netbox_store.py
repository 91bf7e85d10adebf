# SPDX-License-Identifier: Apache-2.0
"""What the stand-in for NetBox holds."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import Any

Row = dict[str, Any]

OWNERS_SINCE = (4, 5)
PAGES_SINCE = (4, 1)
"""Since when objects tell the URL of their page (``display_url``)."""


def slug_of(name: str) -> str:
    """Return a name as NetBox makes a slug of it."""
    return re.sub(r"[^a-z0-9_]+", "-", name.lower()).strip("-")


class NetboxStore:
    """Tables of objects, each as NetBox's API writes it; what is named and missing is added."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.release = tuple(int(number) for number in version.split(".")[:2])
        self.lock = threading.RLock()
        self.tables: dict[str, list[Row]] = {
            "dcim/devices": [],
            "dcim/sites": [],
            "tenancy/tenant-groups": [],
            "tenancy/tenants": [],
        }
        if self.release >= OWNERS_SINCE:
            self.tables |= {"users/owner-groups": [], "users/owners": []}

    def add_device(
        self,
        name: str | None,
        *,
        site: str = "Site A",
        tenant: str | None = None,
        owner: str | None = None,
        status: str = "active",
        custom_fields: Mapping[str, Any] | None = None,
    ) -> int:
        """Add a device; returns its id.

        Args:
            name: NetBox has devices without one too.
            site: name of its site.
            tenant: name of its tenant.
            owner: name of its owner (NetBox 4.5 and newer).
            status: active, planned, staged, offline, failed, inventory or decommissioning.
            custom_fields: their values. Every device has the fields that any device has.
        """
        with self.lock:
            device: Row = {
                "name": name,
                "status": {"value": status, "label": status.title()},
                "site": self._brief("dcim/sites", site),
                "tenant": self._brief("tenancy/tenants", tenant),
                "role": {"id": 1, "name": "GPU Servers", "slug": "gpu-servers"},
                "tags": [],
                "custom_fields": dict(custom_fields or {}),
                "config_context": {"ntp": ["192.0.2.1"]},
            }
            if self.release >= OWNERS_SINCE:
                device["owner"] = self._brief("users/owners", owner)
            number = self._add("dcim/devices", device, name or "")
            devices = self.tables["dcim/devices"]
            fields = {field: None for row in devices for field in row["custom_fields"]}
            for row in devices:
                row["custom_fields"] = {**fields, **row["custom_fields"]}
            return number

    def remove_device(self, number: int) -> None:
        """Remove a device by its id."""
        with self.lock:
            devices = self.tables["dcim/devices"]
            devices[:] = [row for row in devices if row["id"] != number]

    def add_tenant(self, name: str, *, group: str | None = None) -> int:
        """Add a tenant, and the tenant group that it is in; returns its id."""
        return self._add_named("tenancy/tenants", name, "tenancy/tenant-groups", group)

    def add_owner(self, name: str, *, group: str | None = None) -> int:
        """Add an owner, and the owner group that it is in; returns its id."""
        return self._add_named("users/owners", name, "users/owner-groups", group)

    def _add_named(self, table: str, name: str, groups: str, group: str | None) -> int:
        with self.lock:
            row = {**self._names(table, name), "group": self._brief(groups, group)}
            return self._add(table, row, name)

    def _brief(self, table: str, name: str | None) -> Row | None:
        """Return an object as others refer to it; it is added where there is none of its name."""
        if name is None:
            return None
        if not any(row["name"] == name for row in self.tables[table]):
            grouped = {"group": None} if table in ("tenancy/tenants", "users/owners") else {}
            self._add(table, {**self._names(table, name), **grouped}, name)
        row = next(row for row in self.tables[table] if row["name"] == name)
        return {key: row[key] for key in ("id", "url", "display", "name", "slug") if key in row}

    @staticmethod
    def _names(table: str, name: str) -> Row:
        return (
            {"name": name} if table.startswith("users/") else {"name": name, "slug": slug_of(name)}
        )

    def _add(self, table: str, row: Row, display: str) -> int:
        """Add an object; URLs begin with ``{base}``, which the answer fills in."""
        rows = self.tables[table]
        number = max((row["id"] for row in rows), default=0) + 1
        head: Row = {"id": number, "url": f"{{base}}/api/{table}/{number}/"}
        if self.release >= PAGES_SINCE:
            head["display_url"] = f"{{base}}/{table}/{number}/"
        rows.append({**head, "display": display, **row, "description": ""})
        return number
