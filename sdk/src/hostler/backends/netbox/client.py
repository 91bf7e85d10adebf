# SPDX-License-Identifier: Apache-2.0
"""Netbox: looks hosts up by name, many at once."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from weakref import WeakValueDictionary

from pynetbox.core.query import Request

from hostler.backends.netbox import answers
from hostler.backends.netbox.answers import Group, Row, asked_for, by_name, chunks, reference
from hostler.backends.netbox.faults import translated
from hostler.backends.netbox.session import open_session
from hostler.errors import InvalidInput
from hostler.models.netbox import NetboxConfig, NetboxHost

PARALLEL = 4
_FIELDS = "id,name,site,tenant,owner,status,custom_fields"


class Netbox:
    """One NetBox. Threads may share it; the same question is asked once.

    Args:
        config: settings with a URL, as ``NetboxConfig.resolved`` returns them.

    Raises:
        InvalidInput: no URL, or the file of certificates can't be read.
    """

    def __init__(self, config: NetboxConfig) -> None:
        if not config.url:
            raise InvalidInput("no address", on="NetBox", hint="Set netbox.url or NETBOX_URL.")
        self.config = config
        self._session = open_session(config)
        self._locks: WeakValueDictionary[tuple[str, ...], threading.Lock] = WeakValueDictionary()
        self._guard = threading.Lock()

    def __str__(self) -> str:
        return f"NetBox {self.config.url}"

    def close(self) -> None:
        """Close the connections, and the file of kept answers."""
        self._session.close()  # type: ignore[no-untyped-call]

    def hosts(self, names: Iterable[str]) -> tuple[dict[str, NetboxHost], list[str]]:
        """Look hosts up by their exact names: one call for each 50 of them and of their tenants.

        Returns:
            The host of every name that was asked for, and warnings. A host that NetBox does not
            have has the source ``unresolved`` and nothing else.

        Raises:
            InvalidInput: a name is empty, or the configuration names a site or field that is not.
            Conflict: several devices have the same name; says where.
            Unreachable: NetBox is down.
            Timeout: no answer in time.
            Denied: the token may not read what is needed.
            BackendError: whoever answers is no NetBox, or returns other things than asked for.
        """
        asked = set(names)
        if "" in asked:
            raise InvalidInput("a host's name is empty", on=str(self))
        rows = self._rows("dcim/devices", "name", sorted(asked))
        fresh = {row["id"]: cached for row, cached in rows}
        found, warnings = by_name(asked, (row for row, _ in rows), self.config.site)
        groups, more = self._groups(found)
        hosts = {
            name: self._host(name, found[name], groups[name], cached=fresh[found[name]["id"]])
            if name in found
            else NetboxHost(name=name)
            for name in sorted(asked)
        }
        return hosts, warnings + more

    def _host(self, name: str, device: Row, group: Group, *, cached: bool) -> NetboxHost:
        tenant, site = device.get("tenant") or {}, device.get("site") or {}
        fields = device.get("custom_fields") or {}
        return NetboxHost(
            name=name,
            tenant=tenant.get("name"),
            tenant_slug=tenant.get("slug"),
            owner_group=group.name,
            owner_group_slug=group.slug,
            nvlink=answers.flag(fields.get(self.config.nvlink_field)),
            site=site.get("name"),
            status=answers.word(device.get("status")),
            url=f"{self.config.url}/dcim/devices/{device['id']}/",
            source="cache" if cached else "netbox",
        )

    def _groups(self, found: Mapping[str, Row]) -> tuple[dict[str, Group], list[str]]:
        """Return the owner group of each device, and warnings."""
        source = self.config.owner_group
        if source == "tenant_group":
            return self._groups_of(found, "tenant", "tenancy/tenants")
        if source == "owner_group":
            self._need_owners(found.values())
            return self._groups_of(found, "owner", "users/owners")
        take = self._by_field if source == "custom_field" else self._by_mapping
        return {name: take(device) for name, device in found.items()}, []

    def _groups_of(
        self, found: Mapping[str, Row], field: str, path: str
    ) -> tuple[dict[str, Group], list[str]]:
        """Return the group of what devices refer to; NetBox tells it with those objects only."""
        ids = {name: reference(device, field) for name, device in found.items()}
        wanted = sorted({number for number in ids.values() if number is not None})
        rows = self._rows(path, "id", [str(number) for number in wanted])
        groups = {row["id"]: answers.group(row.get("group")) for row, _ in rows}
        hidden = [str(number) for number in wanted if number not in groups]
        warnings = []
        if hidden:
            words = answers.listed(hidden)
            warnings.append(f"NetBox does not show us the {field} with the id {words}.")
        return {name: groups.get(number or 0, Group()) for name, number in ids.items()}, warnings

    def _need_owners(self, devices: Collection[Row]) -> None:
        if devices and not any("owner" in device for device in devices):
            raise InvalidInput(
                "its devices have no owners",
                on=str(self),
                hint="netbox.owner_group: owner_group needs NetBox 4.5 or newer.",
            )

    def _by_field(self, device: Row) -> Group:
        fields, name = device.get("custom_fields") or {}, self.config.owner_group_field
        if name not in fields:
            there = answers.listed(sorted(fields)) or "none"
            raise InvalidInput(
                f"its devices have no custom field {name!r}",
                on=str(self),
                hint=f"Set netbox.owner_group_field to one of these: {there}.",
            )
        return answers.group(fields[name])

    def _by_mapping(self, device: Row) -> Group:
        tenant, groups = device.get("tenant") or {}, self.config.owner_groups
        words = (str(tenant.get("name")), str(tenant.get("slug")))
        return Group(next((groups[word] for word in words if word in groups), None))

    def _rows(self, path: str, field: str, wanted: Iterable[str]) -> list[tuple[Row, bool]]:
        """Return objects, and whether each is of an answer that was kept."""
        with ThreadPoolExecutor(PARALLEL) as pool:
            answered = pool.map(lambda words: self._ask(path, field, words), chunks(wanted))
            return [(row, cached) for rows, cached in answered for row in rows]

    def _ask(self, path: str, field: str, words: tuple[str, ...]) -> tuple[list[Row], bool]:
        with self._guard:
            lock = self._locks.setdefault((path, *words), threading.Lock())
        with lock:
            transport = self._session.transport
            before = transport.sent
            try:
                rows = self._read(path, field, words)
            except sqlite3.Error:  # kept answers that can't be read are not used
                self._session.settings.disabled = True
                rows = self._read(path, field, words)
            return rows, transport.sent == before

    def _read(self, path: str, field: str, words: tuple[str, ...]) -> list[Row]:
        filters: dict[str, object] = {field: list(words)}
        if path == "dcim/devices":
            filters |= {"fields": _FIELDS, "exclude": "config_context"}
            filters |= {"site": self.config.site} if self.config.site else {}
        # Its Request, as its Records guess from URLs, and ask again for fields that are not there.
        request = Request(
            base=f"{self.config.url}/api/{path}/",
            http_session=self._session,
            filters=filters,
            limit=answers.CHUNK,
        )
        with translated(str(self)):
            return list(asked_for(request.get(), field, words, str(self)))
