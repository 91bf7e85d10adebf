# SPDX-License-Identifier: Apache-2.0
"""How the stand-in for NetBox answers: who may ask, filters, pages, errors."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from hostler.testing._netbox_store import NetboxStore, Row

Query = list[tuple[str, str]]

_NO_CREDENTIALS = "Authentication credentials were not provided."
_CHOICES = {"site": "dcim/sites", "tenant": "tenancy/tenants"}


@dataclass(frozen=True)
class Answer:
    """An answer: JSON, or a text, which is sent as HTML."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content_type(self) -> str:
        """Return what the body is."""
        return "text/html; charset=utf-8" if isinstance(self.body, str) else "application/json"

    @property
    def data(self) -> bytes:
        """Return the body as it is sent."""
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


class NetboxApi(NetboxStore):
    """Answers requests from its tables, as NetBox's REST API does."""

    def __init__(self, version: str, token: str | None, page_size: int, max_page_size: int) -> None:
        super().__init__(version)
        self.token = token or secrets.token_hex(20)
        self.page_size, self.max_page_size = page_size, max_page_size
        self.ignore_filters = False
        self.path = self.inner_url = ""

    def answer(self, path: str, query: Query, authorization: str) -> Answer:
        """Answer a GET request."""
        prefix = f"{self.path}/api/"
        refusal = self._refusal(authorization)
        if not f"{path}/".startswith(prefix):
            return Answer(404, "<!doctype html><title>Page Not Found</title>")
        if not path.endswith("/"):
            return Answer(301, "", {"Location": f"{path}/?{urlencode(query)}".rstrip("?")})
        if refusal:
            return Answer(403, {"detail": refusal})
        return self._get(path.removeprefix(prefix).strip("/"), query)

    def _get(self, path: str, query: Query) -> Answer:
        if path in ("", "status"):
            return Answer(200, {"netbox-version": self.version} if path else {})
        if path in self.tables:
            return self._list(path, query)
        table, _, number = path.rpartition("/")
        found = [row for row in self.tables.get(table, []) if str(row["id"]) == number]
        if found:
            return Answer(200, self._with_urls(found[0]))
        return Answer(404, {"detail": "Not found."})

    def _refusal(self, authorization: str) -> str:
        """Say why a request is not let in; old releases know neither ``Bearer`` nor new tokens."""
        keyword, _, token = authorization.partition(" ")
        new = self.release >= (4, 5)
        if keyword not in (("Token", "Bearer") if new else ("Token",)):
            return _NO_CREDENTIALS
        if token == self.token:
            return ""
        kind = ("v2 " if token.startswith("nbt_") else "v1 ") if new else ""
        return f"Invalid {kind}token"

    def _list(self, table: str, query: Query) -> Answer:
        wanted: dict[str, list[str]] = {}
        for key, value in query:
            if value:
                wanted.setdefault(key, []).append(value)
        for key, choices in _CHOICES.items():
            known = {row["slug"] for row in self.tables[choices]}
            for value in wanted.get(key, []) if table == "dcim/devices" else []:
                if value not in known:
                    text = f"Select a valid choice. {value} is not one of the available choices."
                    return Answer(400, {key: [text]})
        rows = [row for row in self.tables[table] if self.ignore_filters or _fits(row, wanted)]
        return Answer(200, self._page(table, rows, query, wanted))

    def _page(
        self, table: str, rows: list[Row], query: Query, wanted: Mapping[str, list[str]]
    ) -> Row:
        """Return one page, and where its neighbours are."""
        limit, offset = _number(wanted, "limit", self.page_size), _number(wanted, "offset", 0)
        limit = min(limit or self.max_page_size, self.max_page_size)

        def neighbour(start: int) -> str | None:
            if not 0 <= start < len(rows):
                return None
            kept = [(key, value) for key, value in query if key not in ("limit", "offset")]
            pages = [("limit", str(limit)), ("offset", str(start))]
            return f"{self.inner_url}/api/{table}/?{urlencode(kept + pages)}"

        return {
            "count": len(rows),
            "next": neighbour(offset + limit),
            "previous": neighbour(max(offset - limit, 0)) if offset else None,
            "results": [self._shown(row, wanted) for row in rows[offset : offset + limit]],
        }

    def _shown(self, row: Row, wanted: Mapping[str, list[str]]) -> Row:
        """Return the fields of an object that were asked for."""
        fields = {name for value in wanted.get("fields", []) for name in value.split(",")}
        left_out = {name for value in wanted.get("omit", []) for name in value.split(",")}
        left_out |= set(wanted.get("exclude", [])) & {"config_context"}
        chosen = {k: v for k, v in row.items() if k in (fields or row) and k not in left_out}
        return self._with_urls(chosen)

    def _with_urls(self, row: Row) -> Row:
        text = json.dumps(row).replace("{base}", self.inner_url)
        return dict(json.loads(text))


def _fits(row: Row, wanted: Mapping[str, list[str]]) -> bool:
    """Whether an object passes the filters; those that NetBox does not know are ignored."""
    own: dict[str, Any] = {
        "id": str(row["id"]),
        "name": (row["name"] or "").lower(),
        "status": (row.get("status") or {}).get("value"),
    }
    for key in _CHOICES:
        own |= {
            key: (row.get(key) or {}).get("slug"),
            f"{key}_id": str((row.get(key) or {}).get("id")),
        }
    return all(
        own[key] in ([value.lower() for value in values] if key == "name" else values)
        for key, values in wanted.items()
        if key in own
    )


def _number(wanted: Mapping[str, list[str]], key: str, default: int) -> int:
    text = wanted.get(key, [""])[-1]
    return int(text) if text.isdigit() else default
